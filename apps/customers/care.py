"""People who are to be served before anybody advertises to them: an open complaint, a recalled product, a bereavement, a
pending erasure. Opened and closed by hand, by import, by other programs, and for everybody who bought a recalled product.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from pyroaring import BitMap

from apps.accounts import access, audit
from apps.accounts.models import User
from apps.core import bitmaps, clock

from .models import CareFlag, Customer, Product
from .models.care import CareReason
from .models.people import InteractionKind

# A complaint that nobody closed is taken for settled after so long; older ones open nothing.
COMPLAINT = timedelta(days=90)
# What another system writes into an event's detail ``status`` when the complaint is settled there.
SETTLED = ("closed", "resolved")
OPEN_FLAGS = """
WITH RECURSIVE alias AS (
    SELECT id, merged_into_id AS top FROM customers_customer WHERE merged_into_id IS NOT NULL
    UNION ALL
    SELECT a.id, c.merged_into_id FROM alias a JOIN customers_customer c ON c.id = a.top WHERE c.merged_into_id IS NOT NULL
),
person AS (SELECT a.id, a.top FROM alias a JOIN customers_customer c ON c.id = a.top WHERE c.merged_into_id IS NULL)
SELECT date_trunc('hour', f.until), array_agg(DISTINCT coalesce(p.top, f.customer_id))
FROM customers_careflag f LEFT JOIN person p ON p.id = f.customer_id WHERE f.closed_at IS NULL GROUP BY 1
"""
FLAGGED = """
SELECT DISTINCT customer_id FROM customers_careflag
WHERE customer_id = ANY(%s) AND closed_at IS NULL AND since <= %s AND (until IS NULL OR until > %s)
"""
BOUGHT = """
SELECT DISTINCT i.customer_id FROM customers_interaction i JOIN customers_customer c ON c.id = i.customer_id
WHERE i.kind = 'purchase' AND i.product_id = %s AND i.at >= %s AND c.erased_at IS NULL AND c.undone_at IS NULL
  AND NOT EXISTS (SELECT FROM customers_interaction b WHERE b.customer_id = i.customer_id AND b.kind = 'return'
                  AND b.product_id = i.product_id AND b.at >= i.at)
"""


@dataclass(frozen=True)
class Open:
    """Who has something open: without an end, and until a moment (to the hour)."""

    forever: BitMap = field(default_factory=BitMap)
    until: tuple[tuple[datetime, BitMap], ...] = ()

    def at(self, moment: datetime) -> BitMap:
        """Everybody who will still have something open at that moment."""
        return BitMap.union(self.forever, *(people for until, people in self.until if until > moment))


def open_flags() -> Open:
    """Everybody with something open, under the id that lives on, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_FLAGS)
        rows = [(until, BitMap(ids)) for until, ids in cursor.fetchall()]
    forever = BitMap.union(BitMap(), *(people for until, people in rows if until is None))
    return Open(forever, tuple((until, people) for until, people in rows if until is not None))


def flagged(people: Iterable[int], at: datetime) -> BitMap:
    """Those of the people (by any of their ids, as given) who have something open at that moment."""
    return bitmaps.from_sql(FLAGGED, [list(people), at, at])


def open_of(customer: Customer, *, now: datetime) -> QuerySet[CareFlag]:
    """What is open for one person, under all their ids."""
    from .merging import alias_group

    return CareFlag.objects.filter(customer__in=alias_group(customer.pk), closed_at=None).filter(
        Q(until=None) | Q(until__gt=now)
    )


def changed_since(moment: datetime) -> bool:
    """Whether somebody's flag was opened or closed since then."""
    return CareFlag.objects.filter(Q(since__gt=moment) | Q(closed_at__gt=moment)).exists()


def may_flag(user: Any) -> bool:
    """Whoever may open people may say that somebody is to be served first, and see why."""
    return access.can_open_people(user)


def may_recall(user: Any) -> bool:
    """A recall is begun and ended by the privacy role or an administrator."""
    return access.can_export_people(user) or access.is_administrator(user)


@transaction.atomic
def open_flag(
    *, customer: Customer, reason: str, actor: User, now: datetime, until: datetime | None = None, source: str = "by hand"
) -> CareFlag:
    """Opens one; the same reason twice is one. Raises PermissionDenied, ValueError for an unknown reason."""
    access.require(may_flag(actor))
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    known = open_of(customer, now=now).filter(reason=CareReason(reason)).first()
    if known is not None:
        return known
    made = CareFlag.objects.create(customer=customer, reason=reason, since=now, until=until, source=source[:40])
    # The reason itself stays out of the trail, which is kept longer and read by more people.
    audit.record(actor=actor, action="care.opened", subject=customer, after={"flag": made.pk}, now=now)
    return made


@transaction.atomic
def close_flag(*, flag: CareFlag, actor: User, now: datetime) -> CareFlag:
    """Closes one; closing twice is harmless. Raises PermissionDenied."""
    access.require(may_flag(actor))
    flag = CareFlag.objects.select_for_update(of=("self",)).select_related("customer").get(pk=flag.pk)
    if flag.closed_at is None:
        flag.closed_at = now
        flag.save(update_fields=["closed_at"])
        audit.record(actor=actor, action="care.closed", subject=flag.customer, after={"flag": flag.pk}, now=now)
    return flag


def take_complaints(where: str, params: Sequence[Any], *, now: datetime, source: str) -> int:
    """Opens a flag for everybody whose complaint is among the interactions ``i`` of the condition, closes those settled there.

    ``where`` is SQL of our own over ``customers_interaction i``. Returns how many were opened.
    """
    earliest = now - COMPLAINT
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO customers_careflag (customer_id, reason, since, until, source)
                SELECT DISTINCT ON (i.customer_id) i.customer_id, 'complaint', i.at, i.at + make_interval(days => %s), %s
                FROM customers_interaction i
                WHERE {where} AND i.kind = %s AND i.at > %s AND NOT coalesce(i.detail ->> 'status', '') = ANY(%s)
                  AND NOT EXISTS (SELECT FROM customers_careflag f WHERE f.customer_id = i.customer_id
                                  AND f.reason = 'complaint' AND f.closed_at IS NULL AND f.until > %s)
                ORDER BY i.customer_id, i.at DESC""",
            [COMPLAINT.days, source[:40], *params, InteractionKind.COMPLAINT, earliest, list(SETTLED), now],
        )
        opened = cursor.rowcount
        cursor.execute(
            f"""UPDATE customers_careflag f SET closed_at = %s WHERE f.reason = 'complaint' AND f.closed_at IS NULL
                AND EXISTS (SELECT FROM customers_interaction i WHERE {where} AND i.customer_id = f.customer_id
                            AND i.kind = %s AND i.at >= f.since AND i.detail ->> 'status' = ANY(%s))""",
            [now, *params, InteractionKind.COMPLAINT, list(SETTLED)],
        )
    return opened


def bought(product: Product, since: date) -> BitMap:
    """Everybody who bought the product on that day (of the company's zone) or later and did not give it back."""
    return bitmaps.from_sql(BOUGHT, [product.pk, datetime.combine(since, time.min, clock.company_zone())])


@transaction.atomic
def recall(*, product: Product, since: date, actor: User, now: datetime) -> int:
    """Flags everybody who bought the product since that day; who is flagged for it already stays so. Returns how many are new."""
    access.require(may_recall(actor))
    source = recall_source(product)
    people = bought(product, since)
    known = CareFlag.objects.filter(source=source, closed_at=None).values_list("customer_id", flat=True)
    rows = [CareFlag(customer_id=pk, reason=CareReason.RECALL, since=now, source=source) for pk in people - BitMap(known)]
    CareFlag.objects.bulk_create(rows, batch_size=5000)
    audit.record(
        actor=actor, action="care.recalled", subject=product, after={"since": since.isoformat(), "people": len(rows)}, now=now
    )
    return len(rows)


@transaction.atomic
def end_recall(*, product: Product, actor: User, now: datetime) -> int:
    """Closes the flags of a product's recall. Returns how many."""
    access.require(may_recall(actor))
    closed = CareFlag.objects.filter(source=recall_source(product), closed_at=None).update(closed_at=now)
    if closed:
        audit.record(actor=actor, action="care.recall_ended", subject=product, after={"people": closed}, now=now)
    return closed


def recall_source(product: Product) -> str:
    """What stands as the source of a recall's flags."""
    return f"recall {product.pk}"
