"""Who gets what under a cap when contacts are let through one by one, first those that go first: set-wise, for all people.

A contact is refused to whoever has no room left in the window that ends with it, or in one that ends with a later contact
already let through and contains it. That is what the claim does person by person; each person stands for themselves.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from .. import pacing
from .circumstances import PlannedPolicy
from .pressure import Contact, Window, counted, planned_contacts
from .snapshot import Plan

POLICY, GAP = 0, 1
Order = Callable[[Contact], Any]


def by_priority(contact: Contact) -> tuple:
    """What cannot be held back, then the higher priority, then the earlier."""
    return (not contact.is_fixed, -contact.priority, contact.at, contact.message_id)


def as_agreed(contact: Contact) -> tuple:
    """As it would go today: nobody keeps a place for a campaign that is less far along."""
    return (not contact.is_fixed, -contact.stage, -contact.priority, contact.at, contact.message_id)


@dataclass(frozen=True)
class Named:
    """One limit with its name. ``code`` is as in the ledger ("policy.5", "gap.2"), ``subject`` its place in an identity."""

    code: str
    subject: tuple[int, int]
    cap: PlannedPolicy


def limits(plan: Plan) -> list[Named]:
    """The contact policies and the minimum gaps that are in force, as limits of one kind."""
    policies = [Named(f"policy.{cap.id}", (POLICY, cap.id), cap) for cap in plan.circumstances.policies]
    return policies + [Named(f"gap.{gap.id}", (GAP, gap.id), gap.cap) for gap in plan.circumstances.gaps]


@dataclass(frozen=True)
class Refusal:
    """People whom the cap keeps from a contact. ``around`` are the contacts let through that lie near it in time."""

    cap: pacing.Cap
    contact: Contact
    people: BitMap
    around: list[Contact]
    zone: ZoneInfo

    @cached_property
    def within(self) -> list[Contact]:
        """Those of them that can stand in one window with it."""
        return [each for each in self.around if _meet(self.cap, self.contact.at, each.at, self.zone)]

    @cached_property
    def near(self) -> tuple[Contact, ...]:
        """Those of them that reach some of the people, cut down to these."""
        return tuple(cut for each in self.within if (cut := each.among(self.people)).people)

    def is_for(self, campaign_ids: Collection[int]) -> bool:
        """Whether one of these campaigns stands before it for some of the people."""
        return any(each.campaign_id in campaign_ids and each.people.intersect(self.people) for each in self.within)

    def still(self, counts: Callable[[Contact], bool]) -> BitMap:
        """Who would be refused even if only those of the others counted."""
        kept = [each for each in self.near if counts(each)]
        return self.people if len(kept) == len(self.near) else _full(self.cap, self.contact, self.people, kept, self.zone)


def contacts(plan: Plan) -> list[Contact]:
    """Everything sent and planned that may stand in a window of some limit with something to come; nothing without limits.

    With a focus only the people of its campaigns are looked at: for each of them the answer is the same as without.
    """
    longest = max((pacing.reach(named.cap) for named in limits(plan)), default=None)
    if longest is None or plan.people is None:
        return []
    last = max((start for message in plan.messages.values() for start, _end in message.windows), default=plan.now)
    among = None
    if plan.focus is not None:
        among = BitMap.union(BitMap(), *(plan.audience(pk) for pk in plan.focus if pk in plan.campaigns))
    first = plan.now - longest
    sent = plan.people.sent(first=first, now=plan.now)
    past = [each if among is None else each.among(among) for each in sent if each.at >= first]
    return [*past, *planned_contacts(plan, first=first, last=last, among=among)]


class _Through:
    """The contacts let through so far in order of time, and who is in how many of those in the window that ends at a moment.

    Asked about moment after moment, the window only moves along; asked about an earlier one it is filled anew.
    """

    def __init__(self, cap: PlannedPolicy, zone: ZoneInfo) -> None:
        self.cap, self.zone = cap, zone
        self.contacts: list[Contact] = []
        self._window, self._place, self._end = Window(cap, zone), 0, datetime.min.replace(tzinfo=UTC)

    def add(self, contact: Contact) -> None:
        """Lets one more through."""
        place = bisect_right(self.contacts, contact.at, key=_at)
        self.contacts.insert(place, contact)
        if place < self._place:
            self._end = datetime.max.replace(tzinfo=UTC)

    def full(self, contact: Contact) -> BitMap:
        """Those of its people for whom there is no room: asked are all windows that contain the contact."""
        own = pacing.weight(self.cap, contact.channel)
        if own > self.cap.limit:
            return contact.people
        place, high = bisect_right(self.contacts, contact.at, key=_at), self._until(contact)
        if any(_meet(self.cap, contact.at, each.at, self.zone) for each in self.contacts[place:high]):
            near = [
                each.among(contact.people) for each in self.around(contact) if _meet(self.cap, contact.at, each.at, self.zone)
            ]
            return _full(self.cap, contact, contact.people, near, self.zone)
        self._move(contact.at)
        return self._window.over(spare=own) & contact.people

    def around(self, contact: Contact) -> list[Contact]:
        """Those that lie so near in time that they may stand in one window with the contact."""
        low = bisect_left(self.contacts, pacing.begins(self.cap, contact.at, self.zone), key=_at)
        return self.contacts[low:self._until(contact)]

    def _until(self, contact: Contact) -> int:
        return bisect_right(self.contacts, contact.at + pacing.reach(self.cap), key=_at)

    def _move(self, end: datetime) -> None:
        if end < self._end:
            self._window = Window(self.cap, self.zone)
            self._place = bisect_left(self.contacts, pacing.begins(self.cap, end, self.zone), key=_at)
        while self._place < len(self.contacts) and self.contacts[self._place].at <= end:
            self._window.enter(self.contacts[self._place])
            self._place += 1
        self._window.move(end)
        self._end = end


def refusals(plan: Plan, cap: PlannedPolicy, every: Iterable[Contact], order: Order) -> Iterator[Refusal]:
    """What the cap refuses of what is still to come, in that order of precedence."""
    mine = sorted(counted(cap, every), key=_at)
    pressed = plan.pressed.get(cap.terms)
    if pressed is None:
        pressed = plan.pressed[cap.terms] = _ever_over(cap, mine, plan)
    if not pressed:
        return
    through = _Through(cap, plan.zone)
    for contact in sorted((each.among(pressed) for each in mine), key=order):
        if not contact.people:
            continue
        refused = BitMap()
        if not contact.is_fixed and contact.at >= plan.now:
            refused = through.full(contact)
            if refused:
                yield Refusal(cap, contact, refused, through.around(contact), plan.zone)
        through.add(contact.without(refused))


def _at(contact: Contact) -> datetime:
    return contact.at


def _ever_over(cap: pacing.Cap, mine: list[Contact], plan: Plan) -> BitMap:
    """Whoever would be over the cap with a contact to come if everything went out: nobody else can be refused anything."""
    window, found = Window(cap, plan.zone), BitMap()
    for contact in mine:
        window.enter(contact)
        if contact.at >= plan.now:
            found |= window.over()
    return found


def _meet(cap: pacing.Cap, at: datetime, other: datetime, zone: ZoneInfo) -> bool:
    return other <= at or pacing.begins(cap, other, zone) <= at


def _full(cap: pacing.Cap, contact: Contact, people: BitMap, near: list[Contact], zone: ZoneInfo) -> BitMap:
    """Those of the people for whom there is no room: asked are all windows that contain the contact."""
    own = pacing.weight(cap, contact.channel)
    if own > cap.limit:
        return people
    window = Window(cap, zone)
    for each in near:
        if each.at <= contact.at:
            window.enter(each)
    window.move(contact.at)
    full = window.over(spare=own)
    for each in near:
        if each.at > contact.at:
            window.enter(each)
            full |= window.over(spare=own)
    return full & people


def hours(span: timedelta) -> int:
    """Whole hours of a stretch, rounded up."""
    return -int(-span.total_seconds() // 3600)
