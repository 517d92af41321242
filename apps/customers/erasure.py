"""Erasing one person, and exporting what is held of them: customers' own part and everything registered above.

What stays: the customer's id as a tombstone, dates and codes of what happened, and (in consent) keyed hashes of the
addresses, so that nobody who asked to be left alone is contacted again by the next import.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.core import bitmaps, blocks
from apps.customers import merging
from apps.customers.imports import staging
from apps.customers.models import (
    CareFlag,
    ContactPoint,
    Customer,
    ImportChange,
    ImportJob,
    Interaction,
    MergeRecord,
    Segment,
    SourceRecord,
)
from apps.customers.personal_data import ERASERS, EXPORTERS, TELLERS, Holding

_BLANK: dict[str, Any] = {"name": "", "given_name": "", "family_name": "", "sort_key": "", "city": "", "time_zone": "", "attributes": {},
          "customer_since": None}  # fmt: skip


def tell(customer: Customer) -> list[Holding]:
    """What an erasure would do, in sentences with numbers."""
    ids = merging.alias_group(customer.pk)
    records = SourceRecord.objects.filter(customer_id__in=ids)
    own = [
        Holding(_("name, place, language and attributes are emptied; the number stays as a mark"), len(ids)),
        Holding(_("addresses are deleted"), ContactPoint.objects.filter(customer_id__in=ids).count()),
        Holding(_("records of sources are emptied, their ids made unrecognisable"), records.count()),
        Holding(
            _("events keep day, kind and value for the statistics, and lose their details"),
            Interaction.objects.filter(customer_id__in=ids).count(),
        ),
        Holding(_("fixed lists lose the person"), _lists_with(ids)),
    ]
    return own + [holding for teller in TELLERS.values() for holding in teller(ids)]


def export(*, customer: Customer, actor: User, now: datetime) -> dict[str, Any]:
    """Everything held of one person, by app, JSON-able. Logged."""
    ids = merging.alias_group(customer.pk)
    data: dict[str, Any] = {"customer": customer.pk, "made_at": now.isoformat(), "customers": _own_data(ids)}
    for name, exporter in EXPORTERS.items():
        data[name] = exporter(ids)
    audit.record(actor=actor, action="customer.exported", subject=customer, now=now)
    return data


def _own_data(ids: list[int]) -> dict[str, Any]:
    fields = ("id", "name", "given_name", "family_name", "language", "country", "city", "time_zone", "is_business",
              "attributes", "customer_since", "created_at")  # fmt: skip
    points = ContactPoint.objects.filter(customer_id__in=ids)
    records = SourceRecord.objects.filter(customer_id__in=ids)
    events = Interaction.objects.filter(customer_id__in=ids).order_by("at")
    return {
        "people": list(Customer.objects.filter(pk__in=ids).values(*fields)),
        "served_first": list(
            CareFlag.objects.filter(customer_id__in=ids).values("reason", "since", "until", "closed_at", "source")
        ),
        "addresses": list(points.values("kind", "value", "detail", "valid_from", "valid_to")),
        "records": list(records.values("source__name", "external_id", "raw", "first_seen", "last_seen")),
        "interactions": list(
            events.values(
                "kind", "channel", "at", "value", "currency", "quantity", "product__name", "detail", "source__name"
            )
        ),
    }


@transaction.atomic
def erase(*, customer: Customer, actor: User | None, now: datetime) -> dict[str, int]:
    """Erases a person in all their ids, everywhere. Returns counts of what was emptied."""
    ids = merging.alias_group(customer.pk)
    blocks.lock_blocks(blocks.blocks_of(ids))
    addresses = list(ContactPoint.objects.filter(customer_id__in=ids).values_list("kind", "value").distinct())
    traces = _traces(ids, addresses)
    counts: dict[str, int] = {}
    with connection.cursor() as cursor:
        # Append-only tables let this transaction empty what is personal in them.
        cursor.execute("SELECT set_config('concord.allow_erasure', 'on', true)")
    for name, eraser in ERASERS.items():
        counts |= {f"{name}_{what}": count for what, count in eraser(ids, addresses, now).items()}
    counts |= _erase_own(ids, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('concord.allow_erasure', 'off', true)")
    _purge_staging(traces)
    audit.record(actor=actor, action="customer.erased", subject=customer, after=counts, now=now)
    transaction.on_commit(lambda: purge_error_files(traces))
    return counts


def _traces(ids: list[int], addresses: Iterable[tuple[str, str]]) -> set[str]:
    """Texts by which rows about the person are recognised: addresses as normalised and as they came, source ids."""
    found = {value.casefold() for _kind, value in addresses}
    for external, raw in SourceRecord.objects.filter(customer_id__in=ids).values_list("external_id", "raw"):
        found.add(external.casefold())
        found |= {str(cell).strip().casefold() for cell in raw.values() if "@" in str(cell)}
    return {trace for trace in found if len(trace) > 2}


def _erase_own(ids: list[int], now: datetime) -> dict[str, int]:
    records = list(SourceRecord.objects.filter(customer_id__in=ids).values_list("pk", flat=True))
    ImportChange.objects.filter(kind="record", object_id__in=records).delete()
    ImportChange.objects.filter(kind="customer", object_id__in=ids).delete()
    MergeRecord.objects.filter(survivor_id__in=ids).update(before={})
    CareFlag.objects.filter(customer_id__in=ids).delete()
    points = ContactPoint.objects.filter(customer_id__in=ids)._raw_delete("default")
    for record in records:
        SourceRecord.objects.filter(pk=record).update(raw={}, external_id=f"~erased-{record}")
    events = Interaction.objects.filter(customer_id__in=ids).exclude(detail={}).update(detail={})
    Customer.objects.filter(pk__in=ids).update(**_BLANK, erased_at=now, updated_at=now)
    _leave_lists(ids)
    return {"addresses": points, "records": len(records), "event_details": events}


def _lists_with(ids: list[int]) -> int:
    gone = bitmaps.from_ids(sorted(ids))
    return sum(1 for one in Segment.objects.filter(kind="static").only("people") if one.people and one.people & gone)


def _leave_lists(ids: list[int]) -> None:
    gone = bitmaps.from_ids(sorted(ids))
    for segment in Segment.objects.exclude(people=None):
        earlier = segment.previous_people
        if (segment.people and segment.people & gone) or (earlier and earlier & gone):
            segment.people = segment.people - gone if segment.people is not None else None
            segment.previous_people = earlier - gone if earlier is not None else None
            segment.count = len(segment.people) if segment.people is not None else segment.count
            segment.save(update_fields=["people", "previous_people", "count"])


def _purge_staging(traces: set[str]) -> None:
    """Rows about the person in files that are being imported right now."""
    for job in ImportJob.objects.filter(status__in=["checking", "waiting", "running"]):
        for part in ("people", "events"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT to_regclass(%s)", [staging.table(job, part)])
                if cursor.fetchone()[0]:
                    cursor.execute(
                        f"""DELETE FROM {staging.table(job, part)} WHERE lower(external_id) = ANY(%s)
                            OR emails && %s::text[] OR phones && %s::text[]""",
                        [list(traces)] * 3,
                    )


def purge_error_files(traces: set[str]) -> int:
    """Takes rows about the person out of errors files. Returns how many rows went."""
    gone = 0
    for job in ImportJob.objects.exclude(error_path=""):
        path = Path(job.error_path)
        if path.exists():
            gone += _filter_file(path, traces)
    return gone


def _filter_file(path: Path, traces: set[str]) -> int:
    """Rewrites one errors file without the rows that name a trace; the old file is replaced in one step."""
    gone = 0
    beside = path.with_suffix(".new")
    with path.open(encoding="utf-8-sig", newline="") as old, beside.open("w", encoding="utf-8-sig", newline="") as new:
        writer = csv.writer(new)
        for row in csv.reader(old):
            if any(cell.strip().lstrip("'").casefold() in traces for cell in row):
                gone += 1
            else:
                writer.writerow(row)
    os.replace(beside, path)
    return gone
