"""Numbers of people on the calendar: counted once for a state of the plan and kept, because pages ask for them again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.core.cache import cache
from pyroaring import BitMap

from apps.core import clock
from apps.customers.models import Customer

from .. import pacing
from ..conflicts import loading, pressure
from ..conflicts.snapshot import Plan
from ..models import PlanVersion

KEPT = 3600


@dataclass(frozen=True)
class Figures:
    """``over``: people over the contact policy per day; ``reach``: people per campaign, each counted once."""

    over: dict[date, int]
    reach: dict[int, int]
    customers: int

    def heat(self, day: date) -> int:
        """0 to 9 by the share of all customers that is over the limit that day."""
        people = self.over.get(day, 0)
        if not people or not self.customers:
            return 0
        share = people / self.customers
        return 1 + sum(share >= step for step in (0.005, 0.01, 0.02, 0.04, 0.07, 0.11, 0.16, 0.22))


def _stamp(moment: datetime | None) -> int:
    """A moment as a key of the cache may hold it, to the microsecond."""
    return int(moment.timestamp() * 1_000_000) if moment else 0


def of(days: Sequence[date], *, now: datetime) -> Figures:
    """The figures for these days; at most an hour old, and new with every people pass."""
    version = PlanVersion.objects.first()
    state = f"{version.number}.{version.people_pass_number}.{_stamp(version.people_pass_at)}" if version else "0"
    key = f"calendar:{days[0]}:{len(days)}:{state}:{clock.company_day(now)}"
    kept = cache.get(key)
    if kept is None:
        kept = _count(days, now)
        cache.set(key, kept, KEPT)
    return kept


def _count(days: Sequence[date], now: datetime) -> Figures:
    plan = loading.load(now=now)
    assert plan.people is not None
    plan.people.fetch(plan.messages.values())
    over = _over(plan, days, _contacts(plan, days, now)) if plan.circumstances.policies else {}
    return Figures(
        over={day: len(people) for day, people in over.items()},
        reach={pk: plan.size(pk) for pk in plan.campaigns},
        customers=Customer.objects.living().count(),
    )


def _contacts(plan: Plan, days: Sequence[date], now: datetime) -> list[pressure.Contact]:
    assert plan.people is not None
    plan.people.fetch(plan.messages.values())
    longest = max((pacing.reach(policy) for policy in plan.circumstances.policies), default=timedelta(0))
    first = datetime.combine(days[0], time.min, plan.zone) - longest
    last = datetime.combine(days[-1] + timedelta(days=1), time.min, plan.zone)
    sent = [each for each in plan.people.sent(first=first, now=now) if each.at >= first]
    return [*sent, *pressure.planned_contacts(plan, first=first, last=last)]


def _over(plan: Plan, days: Sequence[date], contacts: Sequence[pressure.Contact]) -> dict[date, BitMap]:
    return pressure.over_any(contacts, plan.circumstances.policies, days=days, zone=plan.zone)


@dataclass(frozen=True)
class PressedDay:
    """One day over the limit: the people, and the contacts that count towards it, largest part first."""

    day: date
    people: BitMap
    contacts: list[tuple[pressure.Contact, int]]


def pressed(day: date, *, now: datetime) -> PressedDay:
    """The people over the contact policy on a day and the messages that put them there."""
    plan = loading.load(now=now)
    contacts = _contacts(plan, [day], now)
    people = _over(plan, [day], contacts)[day]
    parts = [(each, each.people.intersection_cardinality(people)) for each in contacts]
    return PressedDay(day, people, sorted((part for part in parts if part[1]), key=lambda part: -part[1]))
