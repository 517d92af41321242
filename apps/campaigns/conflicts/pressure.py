"""How many people would be contacted more often than the contact policy allows, day by day.

A count per person is kept bit-sliced: plane k holds the people whose count has bit k set. A contact entering the sliding window
is a ripple-carry addition of its audience, one leaving it a subtraction; "more than the limit" is a comparison over planes.
Cost grows with contacts times planes, not with people times contacts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from ..models import ContactPolicy
from ..sending.limits import counts
from .snapshot import Plan


class Counter:
    """How often each person occurs in the sets added and not removed again."""

    def __init__(self) -> None:
        self.planes: list[BitMap] = []

    def add(self, people: BitMap) -> None:
        """One more for each of these people."""
        carry = people
        for place, plane in enumerate(self.planes):
            self.planes[place], carry = plane ^ carry, plane & carry
            if not carry:
                return
        self.planes.append(BitMap(carry))

    def remove(self, people: BitMap) -> None:
        """One less for each of these people, who must all have been added before."""
        borrow = people
        for place, plane in enumerate(self.planes):
            self.planes[place], borrow = plane ^ borrow, borrow - plane
            if not borrow:
                return

    def over(self, limit: int) -> BitMap:
        """People who occur more than ``limit`` times."""
        greater, equal = BitMap(), BitMap.union(BitMap(), *self.planes)
        for place in reversed(range(max(len(self.planes), limit.bit_length()))):
            plane = self.planes[place] if place < len(self.planes) else BitMap()
            if limit >> place & 1:
                equal &= plane
            else:
                greater |= equal & plane
                equal -= plane
        return greater


@dataclass(frozen=True)
class Contact:
    """Some people are (or were) contacted at a moment. ``message_id`` says by which message."""

    at: datetime
    people: BitMap
    channel: str
    purpose_class: str
    department_id: int
    message_id: int


def over_by_day(
    contacts: Iterable[Contact], *, limit: int, window: timedelta, days: Sequence[date], zone: ZoneInfo
) -> dict[date, BitMap]:
    """For each day the people who at some moment of it had more than ``limit`` contacts in the ``window`` behind it.

    A contact counts for less than ``window``: with seven days, Monday nine o'clock and the next Monday nine o'clock do not meet.
    """
    counter, inside = Counter(), deque[Contact]()
    events = iter(sorted(contacts, key=lambda contact: contact.at))
    coming = next(events, None)
    found: dict[date, BitMap] = {}
    for day in days:
        start = datetime.combine(day, time.min, zone)
        end = datetime.combine(day + timedelta(days=1), time.min, zone)
        while coming is not None and coming.at < start:
            _enter(counter, inside, coming, window)
            coming = next(events, None)
        _leave(counter, inside, start - window)
        over = counter.over(limit)
        while coming is not None and coming.at < end:
            _enter(counter, inside, coming, window)
            over |= counter.over(limit)
            coming = next(events, None)
        found[day] = over
    return found


def _enter(counter: Counter, inside: deque[Contact], contact: Contact, window: timedelta) -> None:
    _leave(counter, inside, contact.at - window)
    counter.add(contact.people)
    inside.append(contact)


def _leave(counter: Counter, inside: deque[Contact], until: datetime) -> None:
    while inside and inside[0].at <= until:
        counter.remove(inside.popleft().people)


def planned_contacts(plan: Plan, *, first: datetime, last: datetime) -> Iterator[Contact]:
    """What the plan will send from ``first`` (not before now) to ``last``; what was sent elsewhere counts in the past too."""
    assert plan.people is not None
    messages = [message for message in plan.messages.values() if not message.is_public]
    plan.people.fetch(
        message for message in messages if any(first <= start <= last for start, _end in message.windows)
    )
    for message in messages:
        since = first if message.kind == "elsewhere" else max(first, plan.now)
        for start, _end in message.windows:
            if since <= start <= last:
                yield Contact(
                    start, plan.people.of(message), message.channel, message.purpose_class, plan.department_of(message),
                    message.id,
                )


def over_any(
    contacts: Sequence[Contact], policies: Iterable[ContactPolicy], *, days: Sequence[date], zone: ZoneInfo
) -> dict[date, BitMap]:
    """For each day the people over any of the policies. A policy of one department counts that department's contacts only."""
    found = {day: BitMap() for day in days}
    for policy in policies:
        counted = [each for each in contacts if counts(policy, each.channel, each.purpose_class, each.department_id)]
        over = over_by_day(counted, limit=policy.limit, window=timedelta(hours=policy.hours), days=days, zone=zone)
        for day, people in over.items():
            found[day] |= people
    return found
