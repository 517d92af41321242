"""The contact policy at send time: at most so many contacts in *any* window of so many hours.

Counted are contacts in the ledger, people who are approved but not settled, and people of scheduled messages of higher
priority, so that a small message cannot take the last place of a great one. Exact for sliding windows: a window is full if
any stretch of the policy's hours that contains the new contact already holds the limit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q
from pyroaring import BitMap

from apps.campaigns.models import ContactPolicy, Message
from apps.consent.models import PurposeClass

from . import aliases as alias_lookup
from .aliases import Aliases
from .ledger import REACHED
from .planned import Planned, competitors
from .reach import contactable
from .reservations import reserved


@dataclass(frozen=True)
class Contact:
    """One contact that counts: what the policies ask of it."""

    at: datetime
    channel: str
    purpose_class: str
    department_id: int


def policies_for(message: Message) -> list[ContactPolicy]:
    """The policies in force that may hold this message back; none for service and safety."""
    purpose_class = message.purpose.purpose_class if message.purpose else PurposeClass.PROMOTION
    if purpose_class != PurposeClass.PROMOTION:
        return []
    found = ContactPolicy.objects.filter(is_active=True).filter(
        Q(department=None) | Q(department=message.campaign.department_id)
    )
    return [policy for policy in found if not policy.channels or message.channel in policy.channels]


def counts(policy: ContactPolicy, channel: str, purpose_class: str, department_id: int) -> bool:
    """Whether a contact of this kind counts under the policy. Safety always does, service where the policy says so."""
    if policy.channels and channel not in policy.channels:
        return False
    if policy.department_id is not None and policy.department_id != department_id:
        return False
    return purpose_class != PurposeClass.SERVICE or policy.counts_service


def people_over_limit(message: Message, people: BitMap, at: datetime) -> BitMap:
    """Those of the people whom some policy would keep from getting this message at `at`, as far as is known today.

    For the check before sending: messages planned before `at` count too when they have the same or a higher priority.
    """
    found = over_limit(message, people, at, aliases=alias_lookup.of(people), looking_ahead=True)
    return BitMap.union(BitMap(), *[group for _, group in found])


def over_limit(
    message: Message,
    people: BitMap,
    at: datetime,
    *,
    aliases: Aliases,
    apart_from: int | None = None,
    looking_ahead: bool = False,
) -> list[tuple[ContactPolicy, BitMap]]:
    """Policy by policy those of the people who are over it, each person under the first policy that holds them back.

    Correct only while the blocks of all ids of these people are locked. `apart_from` is the run that asks.
    """
    policies = policies_for(message)
    if not policies or not people:
        return []
    span = timedelta(hours=max(policy.hours for policy in policies))
    living = aliases.living(people)
    everybody = aliases.everybody(people)
    contacts = _contacts(everybody, at, span, aliases, apart_from)
    planned = list(competitors(message, everybody, at, span, looking_ahead=looking_ahead))
    found: list[tuple[ContactPolicy, BitMap]] = []
    for policy in policies:
        over = _over(policy, living, at, contacts, [each for each in planned if _planned_counts(policy, each)], aliases)
        living = living - over
        if over:
            found.append((policy, aliases.back(over, people)))
    return found


def _planned_counts(policy: ContactPolicy, planned: Planned) -> bool:
    return counts(policy, planned.channel, planned.purpose_class, planned.department_id)


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


def _over(
    policy: ContactPolicy,
    living: BitMap,
    at: datetime,
    contacts: dict[int, list[Contact]],
    planned: list[Planned],
    aliases: Aliases,
) -> BitMap:
    window = timedelta(hours=policy.hours)
    times = {
        customer_id: [each.at for each in contacts[customer_id] if _contact_counts(policy, each)]
        for customer_id in living
        if customer_id in contacts
    }
    full = BitMap(customer_id for customer_id, past in times.items() if is_full(past, at, window, policy.limit))
    expected = _expected(planned, aliases)
    doubtful = BitMap(
        customer_id
        for customer_id in _touched(expected) & living - full
        if is_full([*times.get(customer_id, []), *_of(expected, customer_id)], at, window, policy.limit)
    )
    if not doubtful:
        return full
    # Only now the dear question: would those scheduled messages really reach these people?
    real = _expected([each.among(contactable(each.message, aliases.everybody(doubtful) & each.people, each.at))
                      for each in planned], aliases)
    return full | BitMap(
        customer_id
        for customer_id in doubtful
        if is_full([*times.get(customer_id, []), *_of(real, customer_id)], at, window, policy.limit)
    )


def _contact_counts(policy: ContactPolicy, contact: Contact) -> bool:
    return counts(policy, contact.channel, contact.purpose_class, contact.department_id)


def _expected(planned: list[Planned], aliases: Aliases) -> list[tuple[datetime, BitMap]]:
    return [(each.at, aliases.living(each.people)) for each in planned if each.people]


def _touched(expected: list[tuple[datetime, BitMap]]) -> BitMap:
    return BitMap.union(BitMap(), *[group for _, group in expected])


def _of(expected: list[tuple[datetime, BitMap]], customer_id: int) -> Iterator[datetime]:
    return (at for at, group in expected if customer_id in group)


def is_full(times: list[datetime], at: datetime, window: timedelta, limit: int) -> bool:
    """Whether some window (e - window, e] that contains `at` already holds `limit` of the times."""
    near = sorted(each for each in times if at - window < each < at + window)
    if len(near) < limit:
        return False
    ends = [at, *[each for each in near if each > at]]
    return any(bisect_right(near, end) - bisect_right(near, end - window) >= limit for end in ends)
