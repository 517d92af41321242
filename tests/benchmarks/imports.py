"""How near an import comes to what PostgreSQL can take in: `uv run python -m tests.benchmarks.imports [--lines N] [--rounds N]`.

All three bring in the same order lines (8 columns, 20 lines an order, 50 orders a customer) in the same round:

- ceiling: COPY of the file as it is into a table of its columns, without index, key or check;
- ours: the whole import: read, checked, people matched, products made, seven indexes and foreign keys kept, committed;
- naive: Django's bulk_create of ready-made objects, 1,000 at once, of people and products that are known already.

What counts is the ratio within one round. Uses a database cluster of its own (`.concord/benchmarks`) and empties it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter

from tests.benchmarks import prepare_django

prepare_django()

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from apps.customers.imports import jobs, process
from apps.customers.imports.mapping import Mapping
from apps.customers.models import Interaction, Product, Source, SourceRecord

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
COLUMNS = ("customer", "order", "line", "at", "sku", "product", "quantity", "price")
TARGETS = {
    "source_id": "{customer}", "kind": "purchase", "at": "{at}", "quantity": "{quantity}", "unit_price": "{price}",
    "currency": "NOK", "sku": "{sku}", "product_name": "{product}", "interaction_id": "{order}.{line}", "detail:order": "{order}",
}  # fmt: skip


def written(path: Path, lines: int) -> None:
    """A file of order lines, the same for the same number."""
    rng = random.Random(1)
    with path.open("w") as file:
        file.write(",".join(COLUMNS) + "\n")
        for number in range(lines):
            order, line = divmod(number, 20)
            at = NOW - timedelta(days=700) + timedelta(minutes=order)
            sku = rng.randrange(4000)
            cells = (
                f"c{order * 7919 % max(lines // 1000, 1)}", f"o{order}", line, f"{at:%Y-%m-%d %H:%M}", f"S{sku}",
                f"Article {sku}", rng.randrange(1, 9), f"{rng.randrange(9_000)}.{rng.randrange(100):02d}",
            )
            file.write(",".join(map(str, cells)) + "\n")


def ceiling(path: Path, lines: int) -> float:
    """Lines per second of COPY."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_lines")
        names = ", ".join(f'"{name}" text' for name in COLUMNS)
        cursor.execute(f"CREATE TABLE benchmark_lines ({names})")
        began = perf_counter()
        with cursor.copy("COPY benchmark_lines FROM STDIN (FORMAT csv, HEADER)") as copy, path.open("rb") as file:
            while block := file.read(1 << 16):
                copy.write(block)
        took = perf_counter() - began
        cursor.execute("DROP TABLE benchmark_lines")
    return lines / took


def ours(path: Path, lines: int) -> float:
    """Lines per second of the import."""
    source = Source.objects.create(code=f"till{Source.objects.count()}", name="Till")
    with path.open("rb") as file:
        job = jobs.create(source=source, kind="interactions", filename=path.name, content=[file.read()], actor=None, now=NOW)
    jobs.save_mapping(job=job, mapping=Mapping(TARGETS, {}), now=NOW)
    jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)
    began = perf_counter()
    job = process.process(job_id=job.pk, now=NOW)
    took = perf_counter() - began
    assert job.counts["events_written"] == lines, job.message
    return lines / took


def naive(lines: int) -> float:
    """Lines per second of bulk_create."""
    record, product = SourceRecord.objects.select_related("customer").latest("pk"), Product.objects.latest("pk")
    source = Source.objects.get_or_create(code="naive", defaults={"name": "Naive"})[0]
    began = perf_counter()
    start = Interaction.objects.filter(source=source).count()
    rows = [
        Interaction(
            customer_id=record.customer_id, source_record=record, source=source, kind="purchase", at=NOW, value=Decimal("9.50"),
            currency="NOK", product=product, quantity=1, external_id=str(start + number), recorded_at=NOW,
        )
        for number in range(lines)
    ]  # fmt: skip
    Interaction.objects.bulk_create(rows, batch_size=1_000)
    return lines / (perf_counter() - began)


def main() -> None:
    """Prints a line for each round, and the medians of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    call_command("migrate", verbosity=0)
    to_ceiling, to_naive = [], []
    with tempfile.TemporaryDirectory() as folder:
        settings.MEDIA_ROOT = Path(folder) / "media"
        path = Path(folder) / "orders.csv"
        written(path, given.lines)
        for number in range(1, given.rounds + 1):
            call_command("flush", interactive=False, verbosity=0)
            mine, top, slow = ours(path, given.lines), ceiling(path, given.lines), naive(given.lines // 10)
            to_ceiling.append(mine / top)
            to_naive.append(mine / slow)
            print(f"round {number}: ours {mine:,.0f}/s  COPY {top:,.0f}/s  bulk_create {slow:,.0f}/s", flush=True)
    print(f"ours / COPY: {statistics.median(to_ceiling):.3f}   ours / bulk_create: {statistics.median(to_naive):.1f}")


if __name__ == "__main__":
    main()
