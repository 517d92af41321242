"""Which contacts a purchase is credited to: the first, the last, or all alike. Credit, never proof of effect.

A touch is a message that was handed over and did not bounce, at most ATTRIBUTION_DAYS before the purchase. Openings are
no touches (mail programs fetch pictures unseen); a letter touches on its planned in-home date. The parts of a purchase
sum to it exactly, by largest remainder. Sources: Google Ads and Matomo model definitions; Berman 2018 on last touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from apps.core import money

from .models import Credit, CreditModel

# A letter's in-home date may lie this long after its run.
LONGEST_POST = timedelta(days=30)
_SHARE = Decimal("0.000001")


@dataclass(frozen=True)
class Touch:
    """One contact before a purchase."""

    run_id: int
    customer_id: int
    at: datetime


@dataclass(frozen=True)
class Purchase:
    """What was bought, and the touches before it in order of time, at most one per run."""

    interaction_id: int
    bought_on: date
    value: Decimal
    currency: str
    touches: tuple[Touch, ...]


def weights(model: str, touches: int) -> list[int]:
    """How many parts each of so many touches gets, the first touch first."""
    if model == CreditModel.FIRST:
        return [1] + [0] * (touches - 1)
    if model == CreditModel.LAST:
        return [0] * (touches - 1) + [1]
    return [1] * touches


def credits(purchase: Purchase, model: str) -> list[tuple[Touch, Decimal, Decimal]]:
    """(touch, share, amount) for each touch that gets something; shares sum to 1 and amounts to the value exactly."""
    parts = weights(model, len(purchase.touches))
    amounts = money.split(purchase.value, parts)
    return [
        (touch, share, amount)
        for touch, part, share, amount in zip(purchase.touches, parts, _shares(parts), amounts, strict=True)
        if part
    ]


def rebuild(*, first: date, last: date) -> int:
    """Credits all purchases of these days (company's zone, both included) anew, in one transaction. Returns the rows."""
    with transaction.atomic():
        Credit.objects.filter(bought_on__range=(first, last)).delete()
        rows = 0
        columns = "interaction_id, model, run_id, customer_id, touched_at, bought_on, share, amount, currency"
        found = list(purchases(first, last))
        with connection.cursor() as cursor, cursor.copy(f"COPY reporting_credit ({columns}) FROM STDIN") as copy:
            for row in _rows(found):
                copy.write_row(row)
                rows += 1
    return rows


def purchases(first: date, last: date) -> Iterator[Purchase]:
    """The purchases of these days that had a touch before them, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(TOUCHES, _params(first, last))
        for key, group in groupby(cursor.fetchall(), key=lambda row: row[:4]):
            interaction_id, bought_on, value, currency = key
            touches = tuple(Touch(*row[4:]) for row in group)
            yield Purchase(interaction_id, bought_on, value, currency, touches)


def _rows(found: Iterable[Purchase]) -> Iterator[tuple[Any, ...]]:
    for purchase in found:
        for model in CreditModel.values:
            for touch, share, amount in credits(purchase, model):
                yield (
                    purchase.interaction_id, model, touch.run_id, touch.customer_id, touch.at, purchase.bought_on, share,
                    amount, purchase.currency,
                )  # fmt: skip


def _shares(parts: Sequence[int]) -> list[Decimal]:
    """Parts of one to six places; what rounding leaves over goes to the first."""
    return list(_rounded(tuple(parts)))


@lru_cache(maxsize=256)
def _rounded(parts: tuple[int, ...]) -> tuple[Decimal, ...]:
    whole = Decimal(sum(parts))
    shares = [(part / whole).quantize(_SHARE, ROUND_FLOOR) for part in parts]
    place = next(place for place, part in enumerate(parts) if part)
    shares[place] += 1 - sum(shares)
    return tuple(shares)


def _params(first: date, last: date) -> dict[str, Any]:
    look_back = timedelta(days=settings.ATTRIBUTION_DAYS)
    return {
        "zone": settings.COMPANY_TIME_ZONE, "first": first, "last": last, "look_back": look_back,
        "earliest": first - look_back - LONGEST_POST - timedelta(days=1),
    }  # fmt: skip


# What merged people bought under any id was bought by the survivor, who also got what was sent to the others.
TOUCHES = """
WITH RECURSIVE alias AS (
    SELECT id, merged_into_id AS top FROM customers_customer WHERE merged_into_id IS NOT NULL
    UNION ALL
    SELECT a.id, c.merged_into_id FROM alias a JOIN customers_customer c ON c.id = a.top WHERE c.merged_into_id IS NOT NULL
),
survivor AS (
    SELECT a.id, a.top FROM alias a JOIN customers_customer c ON c.id = a.top WHERE c.merged_into_id IS NULL
),
bought AS MATERIALIZED (
    SELECT i.id, i.customer_id, i.at, (i.at AT TIME ZONE %(zone)s)::date AS day, coalesce(i.value, 0) AS value, i.currency
    FROM customers_interaction i
    WHERE i.kind = 'purchase'
      AND i.at >= (%(first)s::date::timestamp AT TIME ZONE %(zone)s)
      AND i.at < ((%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s)
),
buyer AS (
    SELECT DISTINCT customer_id AS id, customer_id AS person FROM bought
    UNION SELECT s.id, s.top FROM survivor s JOIN bought b ON b.customer_id = s.top
),
letter AS (
    SELECT run_id, max(in_home_on)::timestamp AT TIME ZONE %(zone)s AS at FROM channels_printbatch
    WHERE in_home_on IS NOT NULL GROUP BY run_id
),
touch AS (
    SELECT b.person, d.customer_id, d.run_id,
           CASE WHEN d.channel = 'letter' THEN coalesce(l.at, d.at) ELSE d.at END AS at
    FROM campaigns_delivery d JOIN buyer b ON b.id = d.customer_id LEFT JOIN letter l ON l.run_id = d.run_id
    WHERE d.run_day BETWEEN %(earliest)s AND %(last)s AND d.outcome = 'sent'
      AND NOT EXISTS (
          SELECT FROM channels_contactevent e
          WHERE e.run_id = d.run_id AND e.customer_id = d.customer_id AND e.kind IN ('bounced', 'rejected', 'failed'))
),
reached AS (
    SELECT DISTINCT ON (b.id, t.run_id) b.id, b.day, b.value, b.currency, t.run_id, t.customer_id, t.at
    FROM bought b JOIN touch t ON t.person = b.customer_id AND t.at <= b.at AND t.at > b.at - %(look_back)s
    ORDER BY b.id, t.run_id, t.at
)
SELECT id, day, value, currency, run_id, customer_id, at FROM reached ORDER BY id, at, run_id
"""
