"""Contacts that another tool made become rows of the ledger: caps, gaps, pressure, reports and timelines count them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from pyroaring import BitMap

from apps.accounts.models import Department
from apps.campaigns.models import CatchAll, Chunk, Message, ToldContact
from apps.campaigns.models.sending import Outcome
from apps.campaigns.sending import capacity, chunks, ledger, partitions, settle
from apps.core.clock import company_day

from . import catch_all, holds
from .runs import Runs


@dataclass(frozen=True)
class Contact:
    """One contact that was made: ``key`` is the other tool's id of it; ``permission`` the place it uses, if any."""

    key: str
    customer_id: int
    message: Message
    at: datetime
    permission: str = ""


def prepare(moments: Iterable[datetime]) -> None:
    """Makes sure that the ledger has room for these days. Outside a transaction: it locks the whole ledger shortly."""
    for day in sorted({company_day(at).replace(day=1) for at in moments}):
        partitions.ensure(day)


def record(*, department: Department, contacts: list[Contact], now: datetime) -> set[str]:
    """Writes contacts down, each key of the department once. Returns the keys that were new.

    A place held for the person in that message is used up; without one the contact counts all the same: it has happened.
    """
    if not contacts:
        return set()
    people = BitMap(contact.customer_id for contact in contacts)
    return chunks.decide(people, lambda _aliases: _record(department, contacts, people, now))


def _record(department: Department, contacts: list[Contact], people: BitMap, now: datetime) -> set[str]:
    catch_all.one_at_a_time(department.pk)
    keys = [contact.key for contact in contacts]
    known = set(ToldContact.objects.filter(department=department, key__in=keys).values_list("key", flat=True))
    new: dict[str, Contact] = {}
    for contact in contacts:
        if contact.key not in known:
            new.setdefault(contact.key, contact)
    by_message: dict[int, list[Contact]] = {}
    for contact in new.values():
        by_message.setdefault(contact.message.pk, []).append(contact)
    for _pk, group in sorted(by_message.items()):
        _of_message(group[0].message, group, people, department, now)
    return set(new)


def _of_message(message: Message, group: list[Contact], people: BitMap, department: Department, now: datetime) -> None:
    runs = Runs(message, now=now)
    held = holds.of(message, people)
    rows: list[ledger.Entry] = []
    used: Counter[date] = Counter()
    told: list[ToldContact] = []
    for contact in group:
        used[company_day(contact.at)] += 1
        if (day := _use_place(runs, held, contact)) is not None:
            used[day] -= 1
        run = runs.take(contact.customer_id, contact.at)
        run.message = message
        rows.append(ledger.Book.of(run).entry(
            contact.customer_id, Outcome.SENT, contact.at, provider_id=contact.key, cost=settle.unit_cost(run)
        ))  # fmt: skip
        told.append(ToldContact(
            department=department, key=contact.key, message=message, run_id=run.pk, customer_id=contact.customer_id,
            at=contact.at, recorded_at=now,
        ))  # fmt: skip
    ledger.append(rows)
    ToldContact.objects.bulk_create(told)
    runs.save()
    for day, more in sorted(used.items()):
        capacity.count(message, more, day)
    if CatchAll.objects.filter(message=message).exists():
        moments = [contact.at for contact in group]
        catch_all.widen(message, min(moments), max(moments), now=now)


def _use_place(runs: Runs, held: list[Chunk], contact: Contact) -> date | None:
    """The person's place ends with the contact it was held for: from here on the ledger's row counts. Returns the place's day."""
    chunk = holds.find(held, contact.customer_id, contact.permission)
    if chunk is None:
        return None
    person = BitMap([contact.customer_id])
    holds.give_up(chunk, person)
    runs.leave(chunk.run, person)
    return chunk.run.run_day
