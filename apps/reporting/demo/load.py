"""The whole demo company into an empty database, the same for the same seed, size and day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db import connection, models
from django.db.models import F

from apps.accounts.models import Department, Notification
from apps.campaigns.conflicts import passes
from apps.campaigns.models import Delivery, Message, Run
from apps.channels.models import ContactEvent
from apps.consent import purposes
from apps.consent.models import ConsentEvent, ConsentState
from apps.customers import segments
from apps.customers.models import ContactPoint, Customer, Interaction, Segment, SourceRecord
from apps.reporting import facts

from . import campaigns, company, customers, elsewhere, limits, past, people, wishes
from .bulk import filling
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
    with _without_waiting_for_the_disk():
        return _load(customers_wanted, seed, now, progress)


def _load(customers_wanted: int, seed: int, now: datetime, progress: Progress) -> Loaded:
    random = Random(seed)
    company.build(now)
    purposes.ensure_defaults()
    drawn = list(people.people(customers_wanted, random, now.date()))
    total = expected(customers_wanted)
    with filling(Customer, SourceRecord, ContactPoint, Interaction):
        records = customers.copy_people(drawn, now, lambda what, done: progress("Customers", done, len(drawn)))
        made = customers.copy_history(drawn, records, now, random, lambda what, done: progress("Two years of history", done * 8, total))
    _consents(drawn, now, random, progress)
    _analyse(Customer, SourceRecord, ContactPoint, Interaction, ConsentEvent, ConsentState)
    _plan(len(drawn), now, random, progress)
    return Loaded(len(drawn), made)


@contextmanager
def _without_waiting_for_the_disk() -> Iterator[None]:
    """Should the machine go down meanwhile, the company is made anew anyway."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        yield
        cursor.execute("RESET synchronous_commit")


def _consents(drawn: list[people.Person], now: datetime, random: Random, progress: Progress) -> None:
    progress("Consents", 0, 1)
    rows = [(person.place + 1, wish) for person in drawn for wish in wishes.wishes(person, now, random)]
    with filling(ConsentEvent, searched=[ConsentState]):
        wishes.record(rows, {person.place + 1: person.language for person in drawn}, now)
    progress("Consents", 1, 1)


def _analyse(*tables: type[models.Model]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(connection.ops.quote_name(model._meta.db_table) for model in tables))


def _plan(customers_made: int, now: datetime, random: Random, progress: Progress) -> None:
    cast = campaigns.Cast.gather(now, company.accounts(now))
    campaigns.build(cast, now)
    limits.build(cast, customers=customers_made, now=now)
    # what was asked weeks ago has been read since
    Notification.objects.filter(created_at__lt=now - timedelta(days=3)).update(read_at=F("created_at"))
    progress("Campaigns", 1, 4)
    with filling(ContactEvent):
        past.write(past.past_messages(), now, random)
    elsewhere.tell(now)
    _analyse(ContactEvent, Delivery, Run, Message)
    progress("Campaigns", 2, 4)
    for segment in Segment.objects.all():
        segments.refresh(segment, now=now)
    passes.count_people(number=passes.plan_changed(campaign_ids=[], now=now), now=now)
    progress("Campaigns", 3, 4)
    facts.rebuild(first=now.date() - timedelta(days=90), last=now.date(), now=now)
    progress("Campaigns", 4, 4)
