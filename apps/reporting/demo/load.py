"""The whole demo company into an empty database, the same for the same seed, size and day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import connection
from django.db.models import F

from apps.accounts.models import Department, Notification
from apps.campaigns.conflicts import passes
from apps.channels.models import ContactEvent
from apps.consent import purposes
from apps.consent.models import ConsentEvent, ConsentState
from apps.customers import segments
from apps.customers.models import ContactPoint, Customer, Interaction, Segment, SourceRecord
from apps.reporting import facts

from . import campaigns, company, customers, past, people, wishes
from .bulk import checked_at_the_end
from .history import expected

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Loaded:
    """How much was made."""

    customers: int
    interactions: int


class AlreadyThere(Exception):
    """The database holds a company already; nothing was touched."""


def load(*, customers_wanted: int, seed: int, now: datetime, progress: Progress) -> Loaded:
    """Fill an empty database. Raises AlreadyThere when there is a company in it."""
    if Department.objects.exists():
        raise AlreadyThere
    random = Random(seed)
    company.build(now)
    purposes.ensure_defaults()
    drawn = list(people.people(customers_wanted, random, now.date()))
    total = expected(customers_wanted)
    with checked_at_the_end(Customer, SourceRecord, ContactPoint, Interaction):
        records = customers.copy_people(drawn, now, lambda what, done: progress("Customers", done, len(drawn)))
        made = customers.copy_history(drawn, records, now, random, lambda what, done: progress("Two years of history", done * 8, total))
    _consents(drawn, now, random, progress)
    _analyse()
    _plan(now, random, progress)
    return Loaded(len(drawn), made)


def _consents(drawn: list[people.Person], now: datetime, random: Random, progress: Progress) -> None:
    progress("Consents", 0, 1)
    rows = [(person.place + 1, wish) for person in drawn for wish in wishes.wishes(person, now, random)]
    with checked_at_the_end(ConsentEvent, ConsentState):
        wishes.record(rows, {person.place + 1: person.language for person in drawn}, now)
    progress("Consents", 1, 1)


def _analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _plan(now: datetime, random: Random, progress: Progress) -> None:
    cast = campaigns.Cast.gather(now, company.accounts(now))
    campaigns.build(cast, now)
    # what was asked weeks ago has been read since
    Notification.objects.filter(created_at__lt=now - timedelta(days=3)).update(read_at=F("created_at"))
    progress("Campaigns", 1, 4)
    with checked_at_the_end(ContactEvent, Interaction):
        past.write(past.past_messages(), now, random)
    _analyse()
    progress("Campaigns", 2, 4)
    for segment in Segment.objects.all():
        segments.refresh(segment, now=now)
    passes.count_people(number=passes.plan_changed(campaign_ids=[], now=now), now=now)
    progress("Campaigns", 3, 4)
    facts.rebuild(first=now.date() - timedelta(days=90), last=now.date(), now=now)
    progress("Campaigns", 4, 4)
