"""What a campaign brought: its funnel by channel and variant, its refusals, its control group. Every rate says of what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import sqrt
from typing import Any

from django.conf import settings
from django.db import connection

from .scope import PERSON, STEPS, Scope

COUNTED = tuple(STEPS)
# The 97.5 % quantile of the normal distribution: two-sided 95 %.
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Line:
    """One channel and variant, counted in messages; ``reached`` and ``clickers`` count people, each once."""

    channel: str
    variant: str
    counts: dict[str, int]
    reached: int
    clickers: int
    cost: dict[str, Decimal]

    def __getitem__(self, step: str) -> int:
        return self.counts[step]

    @property
    def arrival_rate(self) -> float | None:
        """Arrived, of the sent."""
        return _share(self.counts["arrived"], self.counts["sent"])

    @property
    def open_rate(self) -> float | None:
        """Opened, of the arrived; None where nothing tells. People who do not allow measurement never count as opened."""
        if self.channel not in ("", "email"):
            return None
        return _share(self.counts["opened"], self.counts["arrived"])

    @property
    def click_rate(self) -> float | None:
        """Clicked, of the arrived."""
        return _share(self.counts["clicked"], self.counts["arrived"])

    @property
    def no_more_rate(self) -> float | None:
        """Unsubscribed or complained, of the arrived."""
        return _share(self.counts["unsubscribed"] + self.counts["complained"], self.counts["arrived"])


@dataclass(frozen=True)
class Lift:
    """The control group beside the contacted, by assignment. Rates are buyers of people; the interval is 95 %.

    SE = sqrt(pT(1-pT)/nT + pC(1-pC)/nC), unpooled; ``incremental`` = (pT - pC) nT purchases that would not have been.
    """

    contacted: int
    contacted_buyers: int
    held_out: int
    held_out_buyers: int

    @property
    def contacted_rate(self) -> float:
        return self.contacted_buyers / self.contacted

    @property
    def held_out_rate(self) -> float:
        return self.held_out_buyers / self.held_out

    @property
    def difference(self) -> float:
        return self.contacted_rate - self.held_out_rate

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true difference lies, 95 times of 100."""
        treated = self.contacted_rate * (1 - self.contacted_rate) / self.contacted
        control = self.held_out_rate * (1 - self.held_out_rate) / self.held_out
        margin = Z95 * sqrt(treated + control)
        return self.difference - margin, self.difference + margin

    @property
    def points(self) -> tuple[float, float, float]:
        """Difference, lower and upper end of the interval, in percentage points."""
        low, high = self.interval
        return 100 * self.difference, 100 * low, 100 * high

    @property
    def relative(self) -> float | None:
        return self.difference / self.held_out_rate if self.held_out_buyers else None

    @property
    def incremental(self) -> float:
        return self.difference * self.contacted

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves zero out."""
        low, high = self.interval
        return low > 0 or high < 0


def lines(scope: Scope) -> list[Line]:
    """The funnel by channel and variant, most messages first, in two queries."""
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for _label, condition in STEPS.values())
    sql = f"""{PERSON} SELECT channel, variant, {counts},
        count(DISTINCT customer_id) FILTER (WHERE outcome = 'sent'),
        count(DISTINCT customer_id) FILTER (WHERE outcome = 'sent' AND clicked)
        FROM person WHERE variant <> '' OR outcome = 'sent' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"""
    costs = _costs(scope)
    return [
        Line(
            row[0], row[1], dict(zip(COUNTED, row[2:-2], strict=True)), row[-2], row[-1], costs.get((row[0], row[1]), {})
        )
        for row in _rows(sql, scope.params())
    ]  # fmt: skip


def total(scope: Scope) -> Line:
    """The same over all channels and variants, and what became of those who got nothing."""
    counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for _label, condition in STEPS.values())
    sql = f"""{PERSON} SELECT {counts}, count(DISTINCT customer_id) FILTER (WHERE outcome = 'sent'),
        count(DISTINCT customer_id) FILTER (WHERE outcome = 'sent' AND clicked) FROM person"""
    row = _rows(sql, scope.params())[0]
    return Line("", "", dict(zip(COUNTED, row[:-2], strict=True)), row[-2], row[-1], {})


def refusals(scope: Scope) -> list[tuple[str, int]]:
    """(reason, messages not sent), most first."""
    sql = f"{PERSON} SELECT reason, count(*) FROM person WHERE outcome = 'refused' GROUP BY 1 ORDER BY 2 DESC, 1"
    return _rows(sql, scope.params())


def credit(campaign_id: int, model: str = "linear") -> list[tuple[str, str, str, Decimal, Decimal]]:
    """(channel, variant, currency, purchases, revenue) credited to the campaign by a model."""
    return _rows(CREDIT, {"campaign": campaign_id, "model": model})


def lift(campaign_id: int, *, now: datetime) -> Lift | None:
    """The control group's purchases beside those of the contacted; None without a control group.

    Both groups passed the same checks; only the draw parts them. Whoever was refused belongs to neither.
    """
    params = {"campaign": campaign_id, "window": timedelta(days=settings.ATTRIBUTION_DAYS), "now": now}
    found = {held: (people, buyers) for held, people, buyers in _rows(LIFT, params)}
    if True not in found or False not in found:
        return None
    return Lift(*found[False], *found[True])


def _costs(scope: Scope) -> dict[tuple[str, str], dict[str, Decimal]]:
    sql = f"""{PERSON} SELECT p.channel, p.variant, coalesce(a.currency, ''), sum(p.cost) FROM person p
        LEFT JOIN channels_channelaccount a ON a.id = p.account_id GROUP BY 1, 2, 3 HAVING sum(p.cost) > 0"""
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for channel, variant, currency, cost in _rows(sql, scope.params()):
        found.setdefault((channel, variant), {})[currency] = cost
    return found


def _rows(sql: str, params: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


CREDIT = """
SELECT d.channel, d.variant, k.currency, sum(k.share), sum(k.amount)
FROM campaigns_message m JOIN campaigns_run r ON r.message_id = m.id
JOIN reporting_credit k ON k.run_id = r.id AND k.model = %(model)s
JOIN campaigns_delivery d ON d.run_day = r.run_day AND d.run_id = k.run_id AND d.customer_id = k.customer_id
WHERE m.campaign_id = %(campaign)s GROUP BY 1, 2, 3 ORDER BY 5 DESC, 1, 2
"""

LIFT = """
WITH RECURSIVE alias AS (
    SELECT id, merged_into_id AS top FROM customers_customer WHERE merged_into_id IS NOT NULL
    UNION ALL
    SELECT a.id, c.merged_into_id FROM alias a JOIN customers_customer c ON c.id = a.top WHERE c.merged_into_id IS NOT NULL
),
survivor AS (
    SELECT a.id, a.top FROM alias a JOIN customers_customer c ON c.id = a.top WHERE c.merged_into_id IS NULL
),
assigned AS (
    SELECT DISTINCT ON (coalesce(s.top, d.customer_id)) coalesce(s.top, d.customer_id) AS person,
           d.outcome = 'held_out' AS held, d.at
    FROM campaigns_message m JOIN campaigns_run r ON r.message_id = m.id
    JOIN campaigns_delivery d ON d.run_day = r.run_day AND d.run_id = r.id
    LEFT JOIN survivor s ON s.id = d.customer_id
    WHERE m.campaign_id = %(campaign)s AND d.outcome IN ('sent', 'failed', 'unknown', 'held_out')
    ORDER BY 1, d.at
)
SELECT held, count(*), count(*) FILTER (WHERE EXISTS (
    SELECT FROM customers_interaction i
    WHERE i.customer_id = person AND i.kind = 'purchase' AND i.at >= assigned.at AND i.at <= assigned.at + %(window)s
      AND i.at <= %(now)s))
FROM assigned GROUP BY held
"""
