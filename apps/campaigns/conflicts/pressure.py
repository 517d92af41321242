"""How many people would be contacted more often than the contact policy allows, day by day.

A count per person is kept bit-sliced: plane k holds the people whose count has bit k set. A contact entering the sliding window
is a ripple-carry addition of its audience (one for each bit of its weight, beginning at that bit's plane), one leaving it a
subtraction; "more than the limit" is a comparison over planes. Cost grows with contacts times planes, not with people times
contacts. What counts, what it weighs and what a window is says `pacing`, as for the claim.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from .. import pacing
from ..elsewhere.runs import still_planned
from ..models.plan import CampaignStatus, MessageKind
from .circumstances import PlannedPolicy

if TYPE_CHECKING:
    from .snapshot import Plan, PlannedMessage

# How far along a campaign is: whoever is further goes first where nobody keeps a place for the other.
STAGES = {CampaignStatus.DRAFT: 0, CampaignStatus.IN_REVIEW: 1, CampaignStatus.APPROVED: 2, CampaignStatus.PAUSED: 2}
AGREED, SENDING = 2, 3


class Counter:
    """How often each person occurs in the sets added and not removed again, each set as often as it weighs."""

    def __init__(self) -> None:
        self.planes: list[BitMap] = []

    def add(self, people: BitMap, weight: int = 1) -> None:
        """``weight`` more for each of these people."""
        for place in _bits(weight):
            self._carry(people, place)

    def _carry(self, carry: BitMap, place: int) -> None:
        while len(self.planes) < place:
            self.planes.append(BitMap())
        for above in range(place, len(self.planes)):
            plane = self.planes[above]
            self.planes[above], carry = plane ^ carry, plane & carry
            if not carry:
                return
        self.planes.append(BitMap(carry))

    def remove(self, people: BitMap, weight: int = 1) -> None:
        """``weight`` less for each of these people, who must all have been added with it before."""
        for place in _bits(weight):
            self._borrow(people, place)

    def _borrow(self, borrow: BitMap, place: int) -> None:
        for above in range(place, len(self.planes)):
            plane = self.planes[above]
            self.planes[above], borrow = plane ^ borrow, borrow - plane
            if not borrow:
                return

    def over(self, limit: int) -> BitMap:
        """People who occur more than ``limit`` times: a bit is set that the limit has not, and above it all those that it has.

        Whoever has such a bit further up as well is among them anyway.
        """
        greater, above = BitMap(), None
        for place in reversed(range(max(len(self.planes), limit.bit_length()))):
            plane = self.planes[place] if place < len(self.planes) else BitMap()
            if limit >> place & 1:
                above = plane if above is None else above & plane
            else:
                greater |= plane if above is None else above & plane
        return greater


def _bits(weight: int) -> Iterator[int]:
    return (place for place in range(weight.bit_length()) if weight >> place & 1)


@dataclass(frozen=True)
class Contact:
    """Some people are (or were) contacted at a moment. ``message_id`` says by which message.

    ``is_fixed``: it has happened, or will whatever a limit says (another tool's, service, safety). ``stage``: how far along its
    campaign is, from 0 (draft) to 3 (scheduled or sending).
    """

    at: datetime
    people: BitMap
    channel: str
    purpose_class: str
    department_id: int
    message_id: int
    campaign_id: int = 0
    priority: int = 50
    is_fixed: bool = True
    stage: int = SENDING

    def among(self, people: BitMap) -> Contact:
        """The same as far as it concerns these people. Thousands are made for one look at the limits, so nothing is checked."""
        cut = object.__new__(Contact)
        cut.__dict__.update(self.__dict__, people=self.people & people)
        return cut

    def without(self, people: BitMap) -> Contact:
        """The same with these people left out."""
        cut = object.__new__(Contact)
        cut.__dict__.update(self.__dict__, people=self.people - people)
        return cut

    @property
    def is_agreed(self) -> bool:
        """Whether others have to reckon with it: drafts and plans under review hold nobody up."""
        return self.is_fixed or self.stage >= AGREED


def counted(cap: pacing.Cap, contacts: Iterable[Contact]) -> list[Contact]:
    """Those contacts that count under the cap."""
    return [each for each in contacts if pacing.counts(cap, each.channel, each.purpose_class, each.department_id)]


class Window:
    """The contacts inside the window that ends now, moving forward in time, and who is over the cap in it."""

    def __init__(self, cap: pacing.Cap, zone: ZoneInfo) -> None:
        self.cap, self.zone, self.counter, self.inside = cap, zone, Counter(), deque[Contact]()

    def enter(self, contact: Contact) -> None:
        """The window now ends with this contact."""
        self.move(contact.at)
        self.counter.add(contact.people, pacing.weight(self.cap, contact.channel))
        self.inside.append(contact)

    def move(self, end: datetime) -> None:
        """The window now ends at ``end``, which is not earlier than before."""
        first = pacing.begins(self.cap, end, self.zone)
        while self.inside and self.inside[0].at < first:
            gone = self.inside.popleft()
            self.counter.remove(gone.people, pacing.weight(self.cap, gone.channel))

    def over(self, spare: int = 0) -> BitMap:
        """People with more contacts than the cap less ``spare`` allows (not less than none)."""
        return self.counter.over(self.cap.limit - spare)


def over_by_day(
    contacts: Iterable[Contact], cap: pacing.Cap, *, days: Sequence[date], zone: ZoneInfo
) -> dict[date, BitMap]:
    """For each day the people who at some moment of it had more contacts than the cap allows in the window behind it.

    A contact counts for less than the window: with seven days, Monday nine o'clock and the next Monday nine o'clock do not meet.
    """
    window = Window(cap, zone)
    events = iter(sorted(contacts, key=lambda contact: contact.at))
    coming = next(events, None)
    found: dict[date, BitMap] = {}
    for day in days:
        start = datetime.combine(day, time.min, zone)
        end = datetime.combine(day + timedelta(days=1), time.min, zone)
        while coming is not None and coming.at < start:
            window.enter(coming)
            coming = next(events, None)
        window.move(start)
        over = window.over()
        while coming is not None and coming.at < end:
            window.enter(coming)
            over |= window.over()
            coming = next(events, None)
        found[day] = over
    return found


def planned_contacts(
    plan: Plan, *, first: datetime, last: datetime, among: BitMap | None = None
) -> Iterator[Contact]:
    """What the plan will send from ``first`` (not before now) to ``last``, to the people ``among`` whom it is asked.

    What was sent elsewhere counts in the past too, except for people of whom the other tool has told meanwhile.
    """
    assert plan.people is not None
    messages = [message for message in plan.messages.values() if not message.is_public]
    plan.people.fetch(
        message for message in messages if any(first <= start <= last for start, _end in message.windows)
    )
    told = plan.people.told(message.id for message in messages if message.kind == MessageKind.ELSEWHERE)
    for message in messages:
        since = first if message.kind == MessageKind.ELSEWHERE else max(first, plan.now)
        starts = [start for start, _end in message.windows if since <= start <= last]
        if starts:
            people = plan.people.of(message)
            people = people if among is None else people & among
            for start in starts:
                if left := still_planned(people, told.get(message.id, []), start):
                    yield _contact(plan, message, start, left)


def _contact(plan: Plan, message: PlannedMessage, start: datetime, people: BitMap) -> Contact:
    campaign = plan.campaigns[message.campaign_id]
    is_ours = message.kind == MessageKind.ADDRESSED and message.purpose_class == "promotion"
    return Contact(
        start, people, message.channel, message.purpose_class, campaign.department_id, message.id, campaign.id,
        message.priority, is_fixed=not is_ours, stage=STAGES.get(campaign.status, SENDING),  # type: ignore[call-overload]
    )


def over_any(
    contacts: Sequence[Contact], policies: Iterable[PlannedPolicy], *, days: Sequence[date], zone: ZoneInfo
) -> dict[date, BitMap]:
    """For each day the people over any of the policies. A policy of one department counts that department's contacts only."""
    found = {day: BitMap() for day in days}
    for policy in policies:
        for day, people in over_by_day(counted(policy, contacts), policy, days=days, zone=zone).items():
            found[day] |= people
    return found
