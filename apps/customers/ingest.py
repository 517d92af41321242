"""Interactions told by other programs, many at once; each carries the id of its source, so telling it again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.core.text import InvalidAddress, normalise_email, normalise_phone

from . import care
from .models import ContactPoint, Interaction, Product, Source, SourceRecord
from .models.people import InteractionKind

MOST = 1000


@dataclass(frozen=True)
class Told:
    """What became of one item: ``recorded``, ``known`` (told before) or ``refused`` with a problem in words."""

    id: str
    outcome: str
    problem: str = ""


@transaction.atomic
def record(*, source: Source, items: list[dict[str, Any]], now: datetime) -> list[Told]:
    """Record up to MOST items (``id, person, kind, at`` and optional facts), in a fixed number of queries.

    ``person`` names somebody by ``source_id`` of this source, ``email`` or ``phone``; nobody is made up: an item about
    somebody unknown or not unique is refused, the others are kept.
    """
    ids = [item["id"] for item in items]
    known = set(Interaction.objects.filter(source=source, external_id__in=ids).values_list("external_id", flat=True))
    people = _people(source, items)
    products = dict(Product.objects.filter(sku__in=[i.get("sku") or "" for i in items]).values_list("sku", "pk"))
    told: list[Told] = []
    rows: list[Interaction] = []
    for item in items:
        answer, row = _one(item, source, known, people, products, now)
        told.append(answer)
        if row is not None:
            rows.append(row)
            known.add(item["id"])
    Interaction.objects.bulk_create(rows, ignore_conflicts=True)
    if any(row.kind == InteractionKind.COMPLAINT for row in rows):
        written = [row.external_id for row in rows]
        care.take_complaints("i.source_id = %s AND i.external_id = ANY(%s)", [source.pk, written], now=now, source=source.code)
    return told


def _one(
    item: dict[str, Any], source: Source, known: set[str], people: dict[tuple[str, str], SourceRecord | None],
    products: dict[str, int], now: datetime,
) -> tuple[Told, Interaction | None]:
    if item["id"] in known:
        return Told(item["id"], "known"), None
    key = _key(item["person"], source)
    record = people.get(key) if key else None
    if record is None:
        return Told(item["id"], "refused", "Nobody, or more than one person, is known by this."), None
    if item.get("sku") and item["sku"] not in products:
        return Told(item["id"], "refused", f"There is no article {item['sku'][:60]}."), None
    row = Interaction(
        customer_id=record.customer_id, source_record=record, source=source, external_id=item["id"], kind=item["kind"],
        channel=item.get("channel", ""), at=item["at"], value=item.get("value"), currency=item.get("currency", ""),
        product_id=products.get(item.get("sku") or ""), quantity=item.get("quantity"), detail=item.get("detail", {}),
        recorded_at=now,
    )
    return Told(item["id"], "recorded"), row


def _key(person: dict[str, str], source: Source) -> tuple[str, str] | None:
    """(kind, normalised value) by which a person is named; None when the address cannot be one."""
    try:
        if person.get("source_id"):
            return "source_id", person["source_id"]
        if person.get("email"):
            return "email", normalise_email(person["email"])
        return "phone", normalise_phone(person.get("phone", ""), source.default_country)
    except InvalidAddress:
        return None


def _people(source: Source, items: list[dict[str, Any]]) -> dict[tuple[str, str], SourceRecord | None]:
    """key -> the source record to hang on; None where the key belongs to several people."""
    keys = {key for item in items if (key := _key(item["person"], source))}
    found: dict[tuple[str, str], SourceRecord | None] = {}
    own = SourceRecord.objects.filter(source=source, external_id__in=[v for kind, v in keys if kind == "source_id"])
    for record in own:
        found["source_id", record.external_id] = record
    points = ContactPoint.objects.filter(
        kind__in=["email", "phone"], value__in=[v for kind, v in keys if kind != "source_id"], valid_to=None,
        customer__merged_into=None, customer__erased_at=None,
    ).select_related("source_record")
    for point in points.order_by("pk"):
        key = (point.kind, point.value)
        before = found.get(key, point.source_record)
        same = before is not None and before.customer_id == point.customer_id
        found[key] = before if same else None
    return found
