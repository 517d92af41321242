"""A few of many people, each with the contacts that are planned for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pyroaring import BitMap

from apps.accounts import masking
from apps.accounts.models import User
from apps.customers.models import Customer

from ..models import Campaign, Message

SIZE = 8
DAYS_AROUND = 14


@dataclass(frozen=True)
class Contact:
    """One planned contact of one person."""

    at: datetime
    message: Message


@dataclass(frozen=True)
class Person:
    """A person of the sample; the name is masked for readers who may not open people."""

    id: int
    name: str
    city: str
    country: str
    contacts: tuple[Contact, ...]


def draw(people: BitMap, *, user: User, around: datetime, now: datetime) -> list[Person]:
    """Up to eight people spread evenly over the whole set (the same set gives the same people), with their contacts
    within two weeks of ``around``.
    """
    if not people:
        return []
    step = max(1, len(people) // SIZE)
    chosen = [people[place] for place in range(0, len(people), step)][:SIZE]
    planned = _planned(around)
    rows = Customer.objects.filter(pk__in=chosen).only("name", "city", "country").order_by("pk")
    return [
        Person(row.pk, masking.mask_name(user, row.name), row.city, row.country, tuple(
            Contact(message.send_at, message) for message in planned
            if message.plan_audience is not None and row.pk in message.plan_audience
        ))
        for row in rows
    ]


def _planned(around: datetime) -> list[Message]:
    near = timedelta(days=DAYS_AROUND)
    return list(
        Message.objects.filter(campaign__in=Campaign.objects.planned(), send_at__range=(around - near, around + near))
        .select_related("campaign__department").order_by("send_at")
    )
