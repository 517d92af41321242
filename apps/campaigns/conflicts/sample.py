"""A few of many people, each with the contacts that are planned for them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from apps.accounts import masking
from apps.accounts.models import User
from apps.core import clock
from apps.customers.models import Customer

from ..models import Message
from . import loading

SIZE = 8
DAYS_AROUND = 7


@dataclass(frozen=True)
class Contact:
    """One planned contact of one person."""

    at: datetime
    message: Message


@dataclass(frozen=True)
class Day:
    """One day of a person's own calendar; ``is_there`` marks the day that the collision is about."""

    day: date
    contacts: tuple[Contact, ...]
    is_there: bool


@dataclass(frozen=True)
class Person:
    """A person of the sample; the name is masked for readers who may not open people."""

    id: int
    name: str
    city: str
    country: str
    contacts: tuple[Contact, ...]
    days: tuple[Day, ...] = ()


def draw(people: BitMap, *, user: User, around: datetime, now: datetime) -> list[Person]:
    """Up to eight people spread evenly over the whole set (the same set gives the same people), with the contacts that are
    left to them, agreements taken off, within a week of ``around``.
    """
    if not people:
        return []
    step = max(1, len(people) // SIZE)
    chosen = [people[place] for place in range(0, len(people), step)][:SIZE]
    zone = clock.company_zone()
    centre = around.astimezone(zone).date()
    days = [centre + timedelta(days=offset) for offset in range(-DAYS_AROUND, DAYS_AROUND + 1)]
    contacts = _contacts(chosen, days, zone, now)
    rows = Customer.objects.filter(pk__in=chosen).only("name", "city", "country").order_by("pk")
    return [_person(row, masking.mask_name(user, row.name), contacts[row.pk], days, centre, zone) for row in rows]


def _person(
    row: Customer, name: str, contacts: list[Contact], days: list[date], centre: date, zone: ZoneInfo
) -> Person:
    own: dict[date, list[Contact]] = defaultdict(list)
    for contact in contacts:
        own[contact.at.astimezone(zone).date()].append(contact)
    cells = tuple(Day(day, tuple(own[day]), day == centre) for day in days)
    return Person(row.pk, name, row.city, row.country, tuple(contacts), cells)


def _contacts(chosen: list[int], days: list[date], zone: ZoneInfo, now: datetime) -> dict[int, list[Contact]]:
    """Person -> what the plan has for them on these days, in order of time. A fixed number of queries."""
    plan = loading.load(now=now)
    assert plan.people is not None
    moments = [
        (start, message) for message in plan.messages.values() if not message.is_public
        for start, _end in message.windows if days[0] <= start.astimezone(zone).date() <= days[-1]
    ]
    plan.people.fetch(message for _start, message in moments)
    ids = {message.id for _start, message in moments}
    rows = Message.objects.select_related("campaign__department").defer("plan_audience").in_bulk(ids)
    found: dict[int, list[Contact]] = defaultdict(list)
    for start, message in sorted(moments, key=lambda moment: (moment[0], moment[1].id)):
        people = plan.people.of(message)
        for pk in chosen:
            if pk in people:
                found[pk].append(Contact(start, rows[message.id]))
    return found
