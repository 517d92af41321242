"""Taking an import back. People whom somebody contacted meanwhile stay as tombstones: an id, no name, no address.

Apps above say whom they need: ``register_keeper``. Whatever another app's table points at stays as a tombstone too.
No undo ever lifts an opt-out; what the import said of consent is its handler's business (``columns``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.customers import identity, merging
from apps.customers.models import (
    CareFlag,
    ContactPoint,
    Customer,
    ImportChange,
    ImportJob,
    Interaction,
    MergeRecord,
    Product,
    ProductPrice,
    SourceRecord,
)
from apps.customers.models.imports import ImportStatus

from . import columns
from .customers import run
from .jobs import NotNow

Keeper = Callable[[list[int]], set[int]]
_keepers: list[Keeper] = []


def register_keeper(keeper: Keeper) -> None:
    """``keeper(customer_ids)`` returns those who must stay as tombstones, e.g. because they were contacted."""
    if keeper not in _keepers:
        _keepers.append(keeper)


@transaction.atomic
def undo(*, job_id: int, actor: User | None, now: datetime) -> dict[str, int]:
    """Takes a finished import back. Returns counts: removed, restored, kept as tombstones, left alone."""
    identity.lock()
    job = ImportJob.objects.select_for_update().select_related("source").get(pk=job_id)
    if job.status != ImportStatus.DONE:
        raise NotNow(_("Only a finished import can be undone."))
    counts = _undo_products(job) if job.kind == "products" else _undo_people(job, actor, now)
    job.status, job.undone_at = ImportStatus.UNDONE, now
    job.counts = {**job.counts, **{f"undo_{name}": count for name, count in counts.items()}}
    job.changes.all().delete()
    job.save()
    audit.record(actor=actor, action="import.undone", subject=job, after=counts, now=now)
    return counts


def _undo_people(job: ImportJob, actor: User | None, now: datetime) -> dict[str, int]:
    for merge in MergeRecord.objects.filter(import_job=job, undone_at=None).order_by("-pk"):
        if merge.absorbed.merged_into_id == merge.survivor_id and not merge.absorbed.erased_at:
            merging.unmerge(merge=merge, actor=actor, now=now)
    events = Interaction.objects.filter(import_job=job)._raw_delete("default")
    restored = _restore(job, now)
    records = _records_to_remove(job)
    people = sorted(set(SourceRecord.objects.filter(pk__in=records).values_list("customer_id", flat=True)))
    counts: dict[str, int] = {}
    for handler in columns.HANDLERS.values():
        counts |= handler.undo(job=job, customers=people, now=now)
    going = _without_other_records(people, records)
    kept = _to_keep(going)
    gone = sorted(set(going) - kept)
    stay = list(SourceRecord.objects.filter(pk__in=records, customer_id__in=kept).values_list("pk", flat=True))
    _remove_records(sorted(set(records) - set(stay)))
    _bury(sorted(kept), stay, now)
    _forget(gone)
    return counts | {"events": events, "customers": len(gone), "tombstones": len(kept), "restored": restored}


def _restore(job: ImportJob, now: datetime) -> int:
    """Puts back what the job overwrote, unless a later import overwrote it again."""
    later = "NOT EXISTS (SELECT FROM customers_importchange n WHERE n.kind = h.kind AND n.object_id = h.object_id AND n.id > h.id)"
    run(
        f"""UPDATE customers_sourcerecord r SET raw = h.before->'raw', last_seen = (h.before->>'last_seen')::timestamptz
            FROM customers_importchange h WHERE h.job_id = %s AND h.kind = 'record' AND h.object_id = r.id AND {later}""",
        [job.pk],
    )
    run(
        """UPDATE customers_contactpoint p SET valid_to = CASE WHEN p.valid_from = %s THEN %s ELSE NULL END
           FROM customers_importchange h WHERE h.job_id = %s AND h.kind = 'record' AND h.object_id = p.source_record_id
             AND (p.valid_from = %s OR p.valid_to = %s)""",
        [job.started_at, now, job.pk, job.started_at, job.started_at],
    )
    fields = ("name", "given_name", "family_name", "sort_key", "language", "country", "city", "time_zone")
    sets = ", ".join(f"{name} = h.before->>'{name}'" for name in fields)
    return run(
        f"""UPDATE customers_customer c SET {sets}, is_business = (h.before->>'is_business')::bool,
                customer_since = (h.before->>'customer_since')::date, attributes = h.before->'attributes', updated_at = %s
            FROM customers_importchange h WHERE h.job_id = %s AND h.kind = 'customer' AND h.object_id = c.id AND {later}""",
        [now, job.pk],
    )


def _records_to_remove(job: ImportJob) -> list[int]:
    """Records that this job brought, on which nothing that came otherwise hangs."""
    found = SourceRecord.objects.filter(import_job=job)
    others = ImportChange.objects.filter(kind="record").exclude(job=job).values("object_id")
    busy = Interaction.objects.filter(source_record__import_job=job).values("source_record_id")
    return list(found.exclude(pk__in=others).exclude(pk__in=busy).values_list("pk", flat=True))


def _without_other_records(people: list[int], records: list[int]) -> list[int]:
    staying = SourceRecord.objects.filter(customer_id__in=people).exclude(pk__in=records)
    named = set(staying.values_list("customer_id", flat=True))
    named |= set(Customer.objects.filter(merged_into_id__in=people).values_list("merged_into_id", flat=True))
    named |= set(MergeRecord.objects.filter(survivor_id__in=people).values_list("survivor_id", flat=True))
    named |= set(MergeRecord.objects.filter(absorbed_id__in=people).values_list("absorbed_id", flat=True))
    return [one for one in people if one not in named]


def _to_keep(people: list[int]) -> set[int]:
    """Whom other apps need, by what they registered and by what their tables point at."""
    kept: set[int] = set()
    for keeper in _keepers:
        kept |= keeper(people) & set(people)
    for table, column in _pointers():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" = ANY(%s)', [people])
            kept |= {row[0] for row in cursor.fetchall()}
    return kept


def _pointers() -> list[tuple[str, str]]:
    """Tables of other apps with a foreign key to customers."""
    found: list[tuple[str, str]] = []
    for model in apps.get_models():
        if model._meta.app_label == Customer._meta.app_label or not model._meta.managed:
            continue
        for field in model._meta.concrete_fields:
            remote: Any = field.remote_field
            if remote is not None and remote.model is Customer:
                found.append((model._meta.db_table, str(field.column)))
    return found


def _remove_records(records: list[int]) -> None:
    ContactPoint.objects.filter(source_record_id__in=records)._raw_delete("default")
    SourceRecord.objects.filter(pk__in=records)._raw_delete("default")


def _bury(people: list[int], records: list[int], now: datetime) -> None:
    """Tombstones: the record keeps its id in the source, so that the person is known when they come again."""
    ContactPoint.objects.filter(source_record_id__in=records)._raw_delete("default")
    SourceRecord.objects.filter(pk__in=records).update(raw={})
    Customer.objects.filter(pk__in=people).update(
        name="", given_name="", family_name="", sort_key="", city="", attributes={}, undone_at=now, updated_at=now
    )


def _forget(people: list[int]) -> None:
    CareFlag.objects.filter(customer_id__in=people)._raw_delete("default")
    Customer.objects.filter(pk__in=people)._raw_delete("default")


def _undo_products(job: ImportJob) -> dict[str, int]:
    """Prices and products go back; a product that somebody uses meanwhile stays, without being on sale."""
    changes = list(job.changes.order_by("-pk"))
    ProductPrice.objects.filter(pk__in=[one.object_id for one in changes if one.kind == "new_price"]).delete()
    for change in changes:
        if change.kind == "price":
            ProductPrice.objects.filter(pk=change.object_id).update(**change.before)
        elif change.kind == "product":
            Product.objects.filter(pk=change.object_id).update(**change.before)
    made = [one.object_id for one in changes if one.kind == "new_product"]
    used = {one for one in made if _is_used(one)}
    Product.objects.filter(pk__in=set(made) - used).delete()
    Product.objects.filter(pk__in=used).update(is_active=False)
    return {"products": len(made) - len(used), "products_kept": len(used)}


def _is_used(product_id: int) -> bool:
    relations = [one for one in Product._meta.related_objects if one.related_model is not ProductPrice]
    return any(one.related_model._default_manager.filter(**{one.field.name: product_id}).exists() for one in relations)
