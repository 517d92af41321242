"""The contact policy at send time: at most so many contacts in *any* window, and none too soon after another.

Counted are contacts in the ledger, people who are approved but not settled, what another tool sends, and people of scheduled
messages of higher priority, so that a small message cannot take the last place of a great one. What a window is and how much a
contact weighs says `pacing`, the same for the calendar and its rules. A minimum gap is one contact in a window as long as it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from pyroaring import BitMap

from apps.campaigns import pacing
from apps.campaigns.conflicts import circumstances
from apps.campaigns.models import Message
from apps.campaigns.models.plan import MessageKind
from apps.consent.models import PurposeClass
from apps.core.clock import company_zone
from apps.core.reasons import Reason

from . import aliases as alias_lookup
from .aliases import Aliases
from .ledger import REACHED
from .planned import Planned, competitors
from .reach import contactable
from .reservations import reserved


@dataclass(frozen=True)
class Barrier:
    """One rule that may hold a message back. `code` names it in the ledger: "policy.5", "gap.2"."""

    code: str
    reason: str
    cap: circumstances.PlannedPolicy


@dataclass(frozen=True)
class Contact:
    """One contact that counts: what the policies ask of it."""

    at: datetime
    channel: str
    purpose_class: str
    department_id: int


def barriers_for(message: Message) -> list[Barrier]:
    """The policies and gaps in force that may hold this message back; none for service and safety."""
    purpose_class = message.purpose.purpose_class if message.purpose else PurposeClass.PROMOTION
    if purpose_class != PurposeClass.PROMOTION:
        return []
    policies, gaps = circumstances.limits()
    every = [Barrier(f"policy.{cap.id}", Reason.OVER_LIMIT, cap) for cap in policies]
    every += [Barrier(f"gap.{gap.id}", Reason.TOO_SOON, gap.cap) for gap in gaps]
    department_id = message.campaign.department_id
    return [each for each in every if pacing.counts(each.cap, message.channel, purpose_class, department_id)]


def held_back(message: Message, people: BitMap, at: datetime, aliases: Aliases | None = None) -> dict[str, BitMap]:
    """By reason those of the people who would not get this message at `at`, as far as is known today.

    For the check before sending: messages planned before `at` count too when they have the same or a higher priority.
    """
    found: dict[str, BitMap] = {}
    for barrier, group in over_limit(message, people, at, aliases=aliases or alias_lookup.of(people), looking_ahead=True):
        found[barrier.reason] = found.get(barrier.reason, BitMap()) | group
    return found


def over_limit(
    message: Message,
    people: BitMap,
    at: datetime,
    *,
    aliases: Aliases,
    apart_from: int | None = None,
    looking_ahead: bool = False,
) -> list[tuple[Barrier, BitMap]]:
    """Barrier by barrier those of the people whom it holds back, each person under the first one that does.

    Correct only while the blocks of all ids of these people are locked. `apart_from` is the run that asks.
    """
    barriers = barriers_for(message)
    if not barriers or not people:
        return []
    span = max(pacing.reach(barrier.cap) for barrier in barriers)
    living = aliases.living(people)
    everybody = aliases.everybody(people)
    contacts = _contacts(everybody, at, span, aliases, apart_from)
    planned = list(competitors(message, everybody, at, span, looking_ahead=looking_ahead))
    found: list[tuple[Barrier, BitMap]] = []
    for barrier in barriers:
        asked = _Asked(barrier.cap, at, pacing.weight(barrier.cap, message.channel), company_zone(), aliases)
        over = asked.over(living, contacts, planned)
        living = living - over
        if over:
            found.append((barrier, aliases.back(over, people)))
    return found


def _contacts(
    everybody: BitMap, at: datetime, span: timedelta, aliases: Aliases, apart_from: int | None
) -> dict[int, list[Contact]]:
    """survivor -> contacts in the ledger within `span` around `at`, and reservations (as of `at`)."""
    found: dict[int, list[Contact]] = {}
    for customer_id, *facts in _ledger_rows(everybody, at - span, at + span, apart_from):
        found.setdefault(aliases.survivor(customer_id), []).append(Contact(*facts))
    for held in reserved(everybody, apart_from=apart_from):
        contact = Contact(at, held.channel, held.purpose_class, held.department_id)
        for customer_id in held.people:
            found.setdefault(aliases.survivor(customer_id), []).append(contact)
    return found


def _ledger_rows(everybody: BitMap, after: datetime, before: datetime, apart_from: int | None) -> Iterable[tuple]:
    with connection.cursor() as cursor:
        # Rows later than `after` are of runs that ended later: their first day spares looking into older partitions.
        cursor.execute(
            "SELECT min(run_day) FROM campaigns_run WHERE finished_at IS NULL OR finished_at > %s", [after]
        )
        first_day = cursor.fetchone()[0]
        if first_day is None:
            return []
        cursor.execute(
            "SELECT customer_id, at, channel, purpose_class, department_id FROM campaigns_delivery "
            "WHERE customer_id = ANY(%s) AND at > %s AND at < %s AND outcome = ANY(%s) AND run_day >= %s "
            "AND run_id IS DISTINCT FROM %s",
            [list(everybody), after, before, list(REACHED), first_day, apart_from],
        )
        return cursor.fetchall()


@dataclass(frozen=True)
class _Asked:
    """One cap, asked about a contact at `at` that weighs `own`."""

    cap: circumstances.PlannedPolicy
    at: datetime
    own: int
    zone: ZoneInfo
    aliases: Aliases

    def over(self, living: BitMap, contacts: dict[int, list[Contact]], planned: Sequence[Planned]) -> BitMap:
        """Those who would pass it."""
        if self.own > self.cap.limit:
            return living
        past = {customer_id: self._weighed(contacts[customer_id]) for customer_id in living if customer_id in contacts}
        full = BitMap(customer_id for customer_id, held in past.items() if self._is_full(held))
        coming = [each for each in planned if self._counts(each)]
        doubtful = self._filled(living - full, past, self._expected(coming))
        if not doubtful:
            return full
        # Only now the dear question: would those scheduled messages really reach these people?
        asked = self.aliases.everybody(doubtful)
        return full | self._filled(doubtful, past, self._expected([_certain(each, asked) for each in coming]))

    def _filled(
        self, people: BitMap, past: dict[int, list[tuple[datetime, int]]], expected: list[tuple[datetime, int, BitMap]]
    ) -> BitMap:
        """Those for whom what is expected fills a window."""
        touched = BitMap.union(BitMap(), *[group for _at, _weight, group in expected]) & people
        return BitMap(
            customer_id for customer_id in touched if self._is_full([*past.get(customer_id, []), *_of(expected, customer_id)])
        )

    def _is_full(self, held: list[tuple[datetime, int]]) -> bool:
        return pacing.is_full(self.cap, held, self.at, self.own, self.zone)

    def _weighed(self, contacts: Iterable[Contact]) -> list[tuple[datetime, int]]:
        return [(each.at, pacing.weight(self.cap, each.channel)) for each in contacts if self._counts(each)]

    def _counts(self, contact: Contact | Planned) -> bool:
        return pacing.counts(self.cap, contact.channel, contact.purpose_class, contact.department_id)

    def _expected(self, planned: Iterable[Planned]) -> list[tuple[datetime, int, BitMap]]:
        return [
            (each.at, pacing.weight(self.cap, each.channel), self.aliases.living(each.people)) for each in planned if each.people
        ]


def _certain(planned: Planned, people: BitMap) -> Planned:
    """The same among these people, as far as it really can reach them; another tool asks nobody."""
    group = people & planned.people
    if planned.message.kind == MessageKind.ELSEWHERE:
        return planned.among(group)
    return planned.among(contactable(planned.message, group, planned.at))


def _of(expected: list[tuple[datetime, int, BitMap]], customer_id: int) -> Iterator[tuple[datetime, int]]:
    return ((at, weight) for at, weight, group in expected if customer_id in group)
