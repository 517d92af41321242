"""Who gets what under a cap when contacts are let through one by one, first those that go first: set-wise, for all people.

A contact is refused to whoever has no room left in the window that ends with it, or in one that ends with a later contact
already let through and contains it. That is what the claim does person by person; each person stands for themselves.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
    """People whom the cap keeps from a contact, and the contacts let through that stand in their windows."""

    cap: pacing.Cap
    contact: Contact
    people: BitMap
    near: tuple[Contact, ...]
    zone: ZoneInfo

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
    past = [each if among is None else replace(each, people=each.people & among) for each in sent if each.at >= first]
    return [*past, *planned_contacts(plan, first=first, last=last, among=among)]


def refusals(plan: Plan, cap: pacing.Cap, every: Iterable[Contact], order: Order) -> Iterator[Refusal]:
    """What the cap refuses of what is still to come, in that order of precedence."""
    mine = sorted(counted(cap, every), key=lambda contact: contact.at)
    pressed = _ever_over(cap, mine, plan)
    if not pressed:
        return
    through: list[Contact] = []
    for contact in sorted((replace(each, people=each.people & pressed) for each in mine), key=order):
        if not contact.people:
            continue
        refused = BitMap()
        if not contact.is_fixed and contact.at >= plan.now:
            near = _near(cap, contact, through, plan.zone)
            refused = _full(cap, contact, contact.people, near, plan.zone)
            if refused:
                touching = [replace(each, people=each.people & refused) for each in near]
                yield Refusal(cap, contact, refused, tuple(each for each in touching if each.people), plan.zone)
        insort(through, replace(contact, people=contact.people - refused), key=lambda each: each.at)


def _ever_over(cap: pacing.Cap, mine: list[Contact], plan: Plan) -> BitMap:
    """Whoever would be over the cap with a contact to come if everything went out: nobody else can be refused anything."""
    window, found = Window(cap, plan.zone), BitMap()
    for contact in mine:
        window.enter(contact)
        if contact.at >= plan.now:
            found |= window.over()
    return found


def _near(cap: pacing.Cap, contact: Contact, through: list[Contact], zone: ZoneInfo) -> list[Contact]:
    """Those let through that can stand in one window with the contact, cut down to its people, in order of time."""
    first, last = pacing.begins(cap, contact.at, zone), contact.at + pacing.reach(cap)
    close = [each for each in through if first <= each.at <= last and _meet(cap, contact.at, each.at, zone)]
    return [cut for each in close if (cut := replace(each, people=each.people & contact.people)).people]


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
