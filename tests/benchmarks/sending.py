"""The whole send, from the claim to the ledger: `python -m tests.benchmarks.sending [--people N] [--rounds N]`.

In the same round, all to Postfix's smtp-sink:

- ceiling: smtp-source, a C program that sends one prepared message again and again over kept connections;
- ours: plan, claim, gate, limits, rendering, bursts, SMTP, settle; one worker;
- naive: per person two queries, a Django template, its own connection, one INSERT.

Says the ratios, and what a ledger row costs on disk with its indexes. Empties the database of its
own cluster first (CONCORD_CLUSTER, "benchmarks" unless told otherwise).
"""

from __future__ import annotations

import argparse
import statistics
import time
from datetime import timedelta
from typing import Any

from tests.benchmarks import prepare_django, smtp
from tests.sink import running_sink

WORDS = "Hei {{ customer.given_name }}, " + "nå er det høst i hele butikken og mye å glede seg over. " * 3
BODY = f"<p>{WORDS} <a href='https://nordlys.example/tepper'>Tepper</a></p>\n" * 30


def message_for(people: Any, port: int, now: Any) -> Any:
    """A scheduled e-mail of about 10 KB to these people, through the sink."""
    from apps.campaigns.models import ContactPolicy
    from tests.factories import sending

    ContactPolicy.objects.get_or_create(name="Benchmark", defaults={"limit": 1000, "hours": 168, "created_at": now})
    options = {"host": "127.0.0.1", "port": port, "security": "none", "connections": 20}
    account = sending.fast_account(name=f"Sink {now.timestamp()}", options=options)
    message = sending.make_message(people, send_at=now, account=account)
    message.versions.update(format="html", subject="Hei {{ customer.given_name }}", body=BODY)
    message.campaign.approvals.all().delete()
    sending.sign(message.campaign)
    return message


def ours(people: Any, port: int, now: Any) -> tuple[float, float]:
    """People per second from planning to the last ledger row, by one worker, and its CPU microseconds per person."""
    from apps.campaigns.models import Run
    from apps.campaigns.sending import plan, proof, sweep, work

    message = message_for(people, port, now)
    plan.audiences.compute = lambda message, *, now: people  # type: ignore[assignment]
    began, busy = time.perf_counter(), time.process_time()
    plan.plan_due_runs(now=now)
    work.work_runs(now=now, budget=3600)
    took, used = time.perf_counter() - began, time.process_time() - busy
    sweep.sweep(now=now + timedelta(minutes=5))
    shown = proof.run_proof(Run.objects.get(message=message))
    assert shown["sent"] == len(people), shown
    return len(people) / took, used / len(people) * 1e6


def naive(people: list[int], port: int, now: Any) -> tuple[float, float]:
    """The same two figures of a loop as it is usually written."""
    from django.conf import settings
    from django.core.mail import EmailMultiAlternatives
    from django.template import Context, Template

    from apps.campaigns.models import Delivery
    from apps.consent.models import ConsentState
    from apps.customers.models import Customer

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    template = Template(BODY)
    began, busy = time.perf_counter(), time.process_time()
    for one in people:
        customer = Customer.objects.get(pk=one)
        if not ConsentState.objects.filter(customer=one, channel="email", granted=True).exists():
            continue
        facts = Context({"customer": customer})
        mail = EmailMultiAlternatives("Hei", WORDS, "hei@nordlys.example", [f"person{one}@example.no"])
        mail.attach_alternative(template.render(facts), "text/html")
        mail.send()
        Delivery.objects.create(
            run_day=now.date(), run_id=2_000_000_000 - int(now.timestamp()) % 1_000_000, customer_id=one, outcome="sent",
            at=now, message_id=0, campaign_id=0, department_id=0, channel="email", purpose_class="promotion",
        )  # fmt: skip
    took, used = time.perf_counter() - began, time.process_time() - busy
    return len(people) / took, used / len(people) * 1e6


def bytes_per_row() -> tuple[float, int]:
    """What the ledger takes on disk for each row, indexes and all partitions counted, and how many rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)), (SELECT count(*) FROM campaigns_delivery) "
            "FROM pg_inherits WHERE inhparent = 'campaigns_delivery'::regclass"
        )
        size, rows = cursor.fetchone()
    return float(size) / max(1, rows), rows


def main() -> None:
    """Runs the rounds and prints a line for each, and the medians of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    prepare_django()
    from django.core.management import call_command

    from tests.factories import sending

    call_command("migrate", verbosity=0)
    call_command("flush", interactive=False, verbosity=0)
    people = sending.make_people(given.people)
    to_ceiling, to_naive = [], []
    with running_sink(backlog=1000) as port:
        for number in range(1, given.rounds + 1):
            now = sending.NOW + timedelta(days=number)
            mine, mine_cpu = ours(people, port, now)
            top = smtp.ceiling(port, given.people, 10_000)
            slow, slow_cpu = naive(list(people)[: max(100, given.people // 100)], port, now)
            to_ceiling.append(mine / top)
            to_naive.append(mine / slow)
            print(f"round {number}: ours {mine:,.0f}/s ({mine_cpu:,.0f} us CPU)  smtp-source {top:,.0f}/s  "
                  f"naive {slow:,.0f}/s ({slow_cpu:,.0f} us CPU)", flush=True)  # fmt: skip
    print(f"ours / smtp-source: {statistics.median(to_ceiling):.2f}   ours / naive: {statistics.median(to_naive):.1f}")
    size, rows = bytes_per_row()
    print(f"ledger: {size:.0f} bytes a row over {rows:,} rows, indexes included")


if __name__ == "__main__":
    main()
