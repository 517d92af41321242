"""Merging customers and taking a merge back. Only source records move; what hangs on them is re-pointed with them.

A merged id points at its survivor for ever (``merged_into``), through as many steps as there were merges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.core import blocks
from apps.customers.models import ContactPoint, Customer, ImportJob, Interaction, MergeRecord, SourceRecord

FILLED = ("name", "given_name", "family_name", "sort_key", "language", "country", "city", "time_zone", "customer_since")
Pair = tuple[int, int]
Listener = Callable[[Sequence[Pair], datetime], None]
_after_merge: list[Listener] = []
_after_unmerge: list[Listener] = []


class CannotMerge(Exception):
    """The two cannot become one, or cannot be parted; the message says why."""


def on_merge(listener: Listener) -> None:
    """``listener([(survivor, absorbed), ...], now)`` inside the merging transaction, after records have moved."""
    if listener not in _after_merge:
        _after_merge.append(listener)


def on_unmerge(listener: Listener) -> None:
    """``listener([(survivor, restored), ...], now)`` inside the transaction, after records have moved back."""
    if listener not in _after_unmerge:
        _after_unmerge.append(listener)


def survivor_map(ids: Iterable[int]) -> dict[int, int]:
    """Every given id with the id of the person it stands for today."""
    wanted = list(ids)
    found = {one: one for one in wanted}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE chain AS (
                SELECT id AS start, id, merged_into_id FROM customers_customer
                WHERE id = ANY(%s) AND merged_into_id IS NOT NULL
                UNION ALL
                SELECT chain.start, c.id, c.merged_into_id
                FROM chain JOIN customers_customer c ON c.id = chain.merged_into_id
            )
            SELECT start, id FROM chain WHERE merged_into_id IS NULL
            """,
            [wanted],
        )
        found.update(cursor.fetchall())
    return found


def alias_group(customer_id: int) -> list[int]:
    """All ids that stand for the same person, the survivor first."""
    survivor = survivor_map([customer_id])[customer_id]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE members AS (
                SELECT %s::int AS id
                UNION SELECT c.id FROM members m JOIN customers_customer c ON c.merged_into_id = m.id
            ) SELECT id FROM members ORDER BY id
            """,
            [survivor],
        )
        members = [row[0] for row in cursor.fetchall()]
    return [survivor, *(one for one in members if one != survivor)]


@transaction.atomic
def merge(*, survivor: int, absorbed: int, rule: str, actor: User | None, now: datetime) -> MergeRecord:
    """Joins two customers by hand. Raises CannotMerge when one of them is gone or they are one already."""
    blocks.lock_blocks(blocks.blocks_of([survivor, absorbed]))
    people = {one.pk: one for one in Customer.objects.living().filter(pk__in=[survivor, absorbed]).select_for_update()}
    if len(people) != 2:
        raise CannotMerge(_("One of the two is not there any more, or they are the same person already."))
    merge_many(pairs=[(survivor, absorbed)], rule=rule, now=now, actor=actor)
    made = MergeRecord.objects.filter(survivor_id=survivor, absorbed_id=absorbed).latest("pk")
    audit.record(actor=actor, action="customer.merged", subject=people[survivor], after={"absorbed": absorbed}, now=now)
    return made


def merge_many(
    *, pairs: Sequence[Pair], rule: str, now: datetime, actor: User | None = None, job: ImportJob | None = None
) -> None:
    """Merges (survivor, absorbed) pairs of living customers; no one stands on both sides. Caller holds the block locks."""
    if not pairs:
        return
    people = Customer.objects.in_bulk({one for pair in pairs for one in pair})
    for survivor_id, absorbed_id in pairs:
        _absorb(people[survivor_id], people[absorbed_id], rule, now, actor, job)
    for listener in _after_merge:
        listener(pairs, now)


def _absorb(
    survivor: Customer, absorbed: Customer, rule: str, now: datetime, actor: User | None, job: ImportJob | None
) -> None:
    moved = list(SourceRecord.objects.filter(customer=absorbed).values_list("pk", flat=True))
    before = _fill_gaps(survivor, absorbed)
    MergeRecord.objects.create(
        survivor=survivor, absorbed=absorbed, rule=rule, source_records=moved, before=before, merged_at=now,
        merged_by=actor, import_job=job,
    )  # fmt: skip
    _repoint(moved, survivor.pk)
    survivor.updated_at = now
    survivor.save()
    absorbed.merged_into = survivor
    absorbed.updated_at = now
    absorbed.save(update_fields=["merged_into", "updated_at"])


def _fill_gaps(survivor: Customer, absorbed: Customer) -> dict[str, Any]:
    """Blank fields of the survivor take the other's value; returns what to put back when the merge is undone."""
    before: dict[str, Any] = {}
    for field in FILLED:
        if not getattr(survivor, field) and (value := getattr(absorbed, field)):
            before[field] = [_plain(getattr(survivor, field)), _plain(value)]
            setattr(survivor, field, value)
    added = {key: value for key, value in absorbed.attributes.items() if key not in survivor.attributes}
    if added:
        before["attributes"] = added
        survivor.attributes = {**survivor.attributes, **added}
    return before


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _repoint(records: list[int], customer_id: int) -> None:
    SourceRecord.objects.filter(pk__in=records).update(customer_id=customer_id)
    ContactPoint.objects.filter(source_record_id__in=records).update(customer_id=customer_id)
    Interaction.objects.filter(source_record_id__in=records).update(customer_id=customer_id)


@transaction.atomic
def unmerge(*, merge: MergeRecord, actor: User | None, now: datetime) -> Customer:
    """Parts two people again: exactly the records that moved go back, unless they moved on. Returns the restored one.

    The pair is remembered: no import joins these two again by itself.
    """
    root = survivor_map([merge.survivor_id])[merge.survivor_id]
    blocks.lock_blocks(blocks.blocks_of([root, merge.survivor_id, merge.absorbed_id]))
    merge = MergeRecord.objects.select_for_update().get(pk=merge.pk)
    restored = Customer.objects.select_for_update().get(pk=merge.absorbed_id)
    if merge.undone_at or restored.merged_into_id != merge.survivor_id:
        raise CannotMerge(_("This merge was undone already."))
    if restored.erased_at:
        raise CannotMerge(_("This person was erased; there is nothing to bring back."))
    back = list(SourceRecord.objects.filter(pk__in=merge.source_records, customer_id=root).values_list("pk", flat=True))
    restored.merged_into = None
    restored.updated_at = now
    restored.save(update_fields=["merged_into", "updated_at"])
    _repoint(back, restored.pk)
    _give_back(Customer.objects.select_for_update().get(pk=merge.survivor_id), merge.before, now)
    merge.undone_at = now
    merge.save(update_fields=["undone_at"])
    for listener in _after_unmerge:
        listener([(root, restored.pk)], now)
    audit.record(actor=actor, action="customer.unmerged", subject=restored, before={"survivor": root}, now=now)
    return restored


def _give_back(survivor: Customer, before: dict[str, Any], now: datetime) -> None:
    """The survivor's fields as they were, where nothing else has changed them since."""
    for field in FILLED:
        if field in before and _plain(getattr(survivor, field)) == before[field][1]:
            setattr(survivor, field, before[field][0])
    for key, value in before.get("attributes", {}).items():
        if survivor.attributes.get(key) == value:
            del survivor.attributes[key]
    survivor.updated_at = now
    survivor.save()


def parted_pairs(ids: Iterable[int]) -> set[Pair]:
    """Pairs of these people that somebody has parted by hand: nothing joins them again by itself."""
    wanted = list(ids)
    undone = MergeRecord.objects.filter(undone_at__isnull=False, survivor_id__in=wanted, absorbed_id__in=wanted)
    return {(min(pair), max(pair)) for pair in undone.values_list("survivor_id", "absorbed_id")}
