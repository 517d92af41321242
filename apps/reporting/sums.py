"""The facts of a period, summed over departments, channels, campaigns and days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from .models import Credit, DailyFact

PEOPLE = (
    "sent",
    "refused",
    "held_out",
    "failed",
    "unknown",
    "delivered",
    "bounced",
    "opened",
    "clicked",
    "unsubscribed",
)
LONGEST = 731


@dataclass(frozen=True)
class Period:
    """Days, both included, and what of them is wanted."""

    first: date
    last: date
    department: int | None = None
    channel: str = ""

    def facts(self) -> QuerySet[DailyFact]:
        found = DailyFact.objects.filter(day__range=(self.first, self.last))
        if self.department:
            found = found.filter(department_id=self.department)
        return found.filter(channel=self.channel) if self.channel else found

    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


@dataclass
class Row:
    """Sums of one group. Money stands by currency and is never added up over currencies."""

    key: Any
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PEOPLE, 0))
    orders: Decimal = Decimal(0)
    revenue: dict[str, Decimal] = field(default_factory=dict)
    cost: dict[str, Decimal] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.counts[name]

    @property
    def arrived(self) -> int:
        return self.counts["sent"] - self.counts["bounced"]

    @property
    def click_rate(self) -> float | None:
        """Clicked, of the arrived."""
        return self.counts["clicked"] / self.arrived if self.arrived else None


def of_campaigns(ids: Iterable[int]) -> list[Row]:
    """One row per campaign over all its days, for those that have facts."""
    return _grouped(DailyFact.objects.filter(campaign_id__in=list(ids)), "campaign_id")


def added(purses: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    """Money of several rows, by currency."""
    found: dict[str, Decimal] = {}
    for purse in purses:
        for currency, amount in purse.items():
            found[currency] = found.get(currency, Decimal(0)) + amount
    return found


def by(period: Period, *names: str) -> list[Row]:
    """One row per value of a column (or several), most sent first; without a name one row for all."""
    return _grouped(period.facts(), *names)


def _grouped(facts: QuerySet[DailyFact], *names: str) -> list[Row]:
    sums = {name: Sum(name) for name in (*PEOPLE, "orders", "revenue", "cost")}
    found: dict[Any, Row] = {}
    for line in facts.values(*names, "currency").annotate(**sums).order_by():
        key = tuple(line[name] for name in names) if len(names) > 1 else line[names[0]] if names else ""
        row = found.setdefault(key, Row(key))
        for name in PEOPLE:
            row.counts[name] += line[name]
        row.orders += line["orders"]
        for purse, amount in ((row.revenue, line["revenue"]), (row.cost, line["cost"])):
            if amount:
                purse[line["currency"]] = purse.get(line["currency"], Decimal(0)) + amount
    return sorted(found.values(), key=lambda row: (-row["sent"], str(row.key)))


def sent_per_day(period: Period, name: str) -> dict[Any, list[int]]:
    """value of a column -> messages sent on each day of the period."""
    place = {day: number for number, day in enumerate(period.days())}
    found: dict[Any, list[int]] = {}
    for key, day, sent in period.facts().values_list(name, "day").annotate(n=Sum("sent")).order_by(name):
        found.setdefault(key, [0] * len(place))[place[day]] += sent
    return found


def credits_by_run(period: Period) -> list[tuple[int, str, str, Decimal, Decimal]]:
    """(run id, model, currency, purchases, amount) of what was bought in the period."""
    found = Credit.objects.filter(bought_on__range=(period.first, period.last))
    grouped = found.values_list("run_id", "model", "currency").annotate(n=Sum("share"), amount=Sum("amount"))
    return list(grouped.order_by("run_id"))
