"""The plan, frozen: what the rules look at. Loading takes a fixed number of queries, however many campaigns there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from apps.channels.kinds import Channel

from ..models.plan import BINDING_STATUSES, CampaignStatus, MessageKind, Timing
from .circumstances import Circumstances
from .parameters import Parameters
from .people import People

if TYPE_CHECKING:
    from .pressure import Contact

APPROVED = (CampaignStatus.APPROVED, CampaignStatus.SCHEDULED)
LASTING_CHANNELS = {Channel.CALL, Channel.STORE, Channel.ONSITE, Channel.ADS, Channel.EVENT, Channel.UNADDRESSED}


@dataclass(frozen=True, slots=True)
class PlannedOffer:
    """An offer with the place of its product in the category tree. ``path`` is that of its category, or its product's."""

    id: int
    kind: str
    value: Decimal | None
    currency: str
    claim: str
    product_id: int | None
    category_id: int | None
    path: str
    name: str = ""
    goods: str = ""
    prices: Mapping[str, tuple[str, Decimal]] = field(default_factory=dict)
    brand: str = ""


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One planned contact. ``windows`` are the moments (or stretches) at which people meet it, soonest first.

    ``follows_id`` is the message it reminds of or builds on; ``triggers`` the messages that its audience must have got or
    answered; ``priority`` its own or its campaign's, 0 to 100. ``is_test``: an attribute says who gets nothing of it. ``until`` is
    the deadline of what goes out once: where people can meet it for longer, the end of its window.
    """

    id: int
    campaign_id: int
    channel: str
    kind: str
    purpose_class: str
    timing: str
    windows: tuple[tuple[datetime, datetime], ...]
    is_recurring: bool = False
    offer: PlannedOffer | None = None
    count: int | None = None
    reach: int | None = None
    priority: int = 50
    account_id: int | None = None
    follows_id: int | None = None
    purpose_id: int | None = None
    triggers: tuple[int, ...] = ()
    is_test: bool = False
    until: datetime | None = None

    def over(self, channel: str, account_id: int | None = None) -> PlannedMessage:
        """The same message on another channel, where it may last or not; without an account it is open which one carries it."""
        lasts = channel in LASTING_CHANNELS and self.until is not None
        windows = tuple((start, max(start, self.until) if lasts and self.until else start) for start, _end in self.windows)
        return replace(self, channel=channel, windows=windows, account_id=account_id)

    @property
    def is_safety(self) -> bool:
        """Safety messages ignore contact limits and blackouts and are never moved for promotion."""
        return self.purpose_class == "safety"

    @property
    def is_public(self) -> bool:
        """Whether anybody may meet it: press, search, radio."""
        return self.kind == MessageKind.UNADDRESSED

    @property
    def is_local(self) -> bool:
        """Whether everybody meets it at the same wall clock, wherever they live."""
        return self.timing == Timing.LOCAL


@dataclass(frozen=True, slots=True)
class PlannedCampaign:
    """One campaign of the plan with its messages. ``brand`` and ``path`` (in the category tree) are those of its product;
    ``partners`` are the departments that plan a joint campaign together with the leading one.
    """

    id: int
    department_id: int
    status: str
    starts_on: date
    ends_on: date
    messages: tuple[PlannedMessage, ...] = ()
    priority: int = 50
    control_share: float = 0.0
    product_id: int | None = None
    brand: str = ""
    path: str = ""
    programme_id: int | None = None
    name: str = ""
    lock: str = ""
    partners: frozenset[int] = frozenset()

    @property
    def departments(self) -> frozenset[int]:
        """Whose it is: the leading department and its partners."""
        return self.partners | {self.department_id}

    def to_approve_anew(self) -> PlannedCampaign:
        """As it stands after a change of what was signed: what was approved is a draft again."""
        return replace(self, status=CampaignStatus.DRAFT) if self.status in APPROVED else self

    @property
    def is_draft(self) -> bool:
        """Drafts take part in every rule and never block others."""
        return self.status == CampaignStatus.DRAFT

    @property
    def is_binding(self) -> bool:
        """Whether it is agreed, so that others have to reckon with it."""
        return self.status in BINDING_STATUSES


@dataclass(frozen=True, slots=True)
class PlannedBlackout:
    """Days on which nothing may be sent; empty ``channels`` or ``countries`` mean all."""

    id: int
    starts_on: date
    ends_on: date
    channels: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    department_id: int | None = None
    includes_service: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class PlannedAgreement:
    """One side leaves the people of the other side's messages to it.

    Where people were split, ``swapped`` stay with the yielding side, whose messages are then ``yielding``.
    ``keeping`` are the messages whose people are left to them, ``sent`` those of the yielding side that had gone out
    before: whoever got one of them is left out by the keeping side. ``until`` is the first moment at which it binds no more.
    ``stand_ins`` (message, original) are messages of the yielding side for the very people whom the original leaves out. ``late``
    tells who of some people joined after a split and goes to the yielding side.
    """

    yielding_campaign: int
    keeping_campaign: int
    keeping: frozenset[int]
    since: datetime
    yielding_message: int | None = None
    keeping_message: int | None = None
    sent: frozenset[int] = frozenset()
    until: datetime | None = None
    resolution_id: int | None = None
    swapped: BitMap | None = field(default=None, compare=False)
    yielding: frozenset[int] = frozenset()
    stand_ins: frozenset[tuple[int, int]] = frozenset()
    late: Callable[[BitMap], BitMap] | None = field(default=None, compare=False)

    def swapped_among(self, people: BitMap) -> BitMap:
        """Those of the people whom a split gives to the yielding side, also of those who joined since."""
        swapped = people & (self.swapped or BitMap())
        return swapped | self.late(people) if self.late else swapped

    @property
    def pair(self) -> frozenset[int]:
        """Both campaigns."""
        return frozenset((self.yielding_campaign, self.keeping_campaign))

    def leaves(self, message: PlannedMessage) -> frozenset[int]:
        """Messages whose people this one leaves out, wherever it now stands in time. Safety gives way to nothing."""
        if message.kind != MessageKind.ADDRESSED or message.is_safety or not self._binds(message):
            return frozenset()
        if self.original_of(message) is not None:
            return frozenset()
        if self._is(message, self.yielding_campaign, self.yielding_message):
            return frozenset() if self.swapped else self.keeping - {message.id}
        if self._is(message, self.keeping_campaign, self.keeping_message):
            return self.sent - {message.id}
        return frozenset()

    def original_of(self, message: PlannedMessage) -> int | None:
        """The message that this one stands in for by this agreement, if it does."""
        return next((original for own, original in self.stand_ins if own == message.id), None)

    def leave_to(self, message: PlannedMessage) -> frozenset[int]:
        """Messages that leave people to this one: whom it cannot contact stays with them."""
        if message.kind == MessageKind.UNADDRESSED or not self._binds(message):
            return frozenset()
        if message.id in self.keeping and not self._is(message, self.yielding_campaign, self.yielding_message):
            return self.yielding - {message.id}
        if self.swapped and self._is(message, self.yielding_campaign, self.yielding_message):
            return self.keeping - {message.id}
        return frozenset()

    def splits(self, message: PlannedMessage) -> tuple[frozenset[int], bool]:
        """Where people were split: the messages of the other side, and whether this one leaves to them only the swapped people
        (else all but those).
        """
        if not self.swapped or message.kind != MessageKind.ADDRESSED or message.is_safety or not self._binds(message):
            return frozenset(), False
        if self._is(message, self.yielding_campaign, self.yielding_message):
            return self.keeping - {message.id}, False
        if self._is(message, self.keeping_campaign, self.keeping_message):
            return self.yielding - {message.id}, True
        return frozenset(), False

    def _binds(self, message: PlannedMessage) -> bool:
        return any(end > self.since and (self.until is None or start < self.until) for start, end in message.windows)

    def _is(self, message: PlannedMessage, campaign_id: int, only: int | None) -> bool:
        return message.campaign_id == campaign_id and only in (None, message.id)


@dataclass(frozen=True, slots=True)
class Absent:
    """A message that others build on and that is not in the plan: ``is_over`` says it will never go out (again)."""

    id: int
    first_at: datetime
    is_stopped: bool = False
    is_cancelled: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nobody will get it any more though it was planned."""
        return self.is_stopped or self.is_cancelled


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two messages of different campaigns that come close in time, and how close at the nearest."""

    first: PlannedMessage
    second: PlannedMessage
    apart: timedelta
    first_at: datetime
    second_at: datetime


@dataclass(frozen=True)
class Plan:
    """Everything the rules may look at. ``focus`` narrows the search to collisions that touch those campaigns.

    ``people`` is None in the metadata pass; otherwise it fetches audiences when a rule asks, many at once.
    """

    number: int
    now: datetime
    zone: ZoneInfo
    parameters: Parameters
    campaigns: Mapping[int, PlannedCampaign]
    blackouts: tuple[PlannedBlackout, ...] = ()
    agreements: tuple[PlannedAgreement, ...] = ()
    focus: frozenset[int] | None = None
    people: People | None = None
    circumstances: Circumstances = field(default_factory=Circumstances)
    absent: Mapping[int, Absent] = field(default_factory=dict)

    @cached_property
    def messages(self) -> dict[int, PlannedMessage]:
        """All messages by id."""
        return {message.id: message for campaign in self.campaigns.values() for message in campaign.messages}

    @cached_property
    def contacts(self) -> list[Contact]:
        """What was sent and what is planned, as far as it can stand under a limit together; see ``arbitration.contacts``."""
        from .arbitration import contacts

        return contacts(self)

    @cached_property
    def pressed(self) -> dict[tuple, BitMap]:
        """Whoever would be over a limit if everything went out, by the limit's terms; filled by ``arbitration``."""
        return {}

    def in_focus(self, *campaign_ids: int) -> bool:
        """Whether a collision of these campaigns is asked for."""
        return self.focus is None or not self.focus.isdisjoint(campaign_ids)

    def focused(self, campaign_ids: Iterable[int]) -> Plan:
        """The same plan, asked only about these campaigns."""
        return replace(self, focus=frozenset(campaign_ids))

    def with_campaign(self, campaign: PlannedCampaign) -> Plan:
        """The plan as it would be with ``campaign`` in place of its present self; people stay loaded."""
        return replace(self, campaigns={**self.campaigns, campaign.id: campaign})

    def without(self, campaign_id: int) -> Plan:
        """The plan as it would be if that campaign were given up."""
        return replace(self, campaigns={pk: campaign for pk, campaign in self.campaigns.items() if pk != campaign_id})

    def with_agreement(self, agreement: PlannedAgreement) -> Plan:
        """The plan as it would be under one more agreement; people stay loaded."""
        agreements = (*self.agreements, agreement)
        return replace(self, agreements=agreements, people=self.people and self.people.under(agreements))

    def department_of(self, message: PlannedMessage) -> int:
        """The department whose message it is."""
        return self.campaigns[message.campaign_id].department_id

    def audience(self, campaign_id: int) -> BitMap:
        """Everybody any message of the campaign would reach, net of the agreements in force."""
        assert self.people is not None
        parts = [self.people.of(message) for message in self.campaigns[campaign_id].messages]
        return BitMap.union(*parts) if parts else BitMap()

    def size(self, campaign_id: int) -> int:
        """How many people the campaign would reach."""
        assert self.people is not None
        return self.people.size(self.campaigns[campaign_id].messages)

    def sizes(self, campaign_ids: Iterable[int]) -> dict[int, int]:
        """How many people each of the campaigns would reach; their audiences are loaded together."""
        assert self.people is not None
        ids = set(campaign_ids)
        if ids:
            self.people.fetch(message for pk in ids for message in self.campaigns[pk].messages)
        return {pk: self.size(pk) for pk in ids}

    def meetings(
        self, within: timedelta, takes_part: Callable[[PlannedMessage], bool]
    ) -> dict[tuple[int, int], list[Meeting]]:
        """Pairs of campaigns (smaller id first) with their messages that come within ``within`` of each other.

        What lies wholly in the past on both sides is history, not a conflict: nothing can be done about it.
        """
        nearest: dict[tuple[int, int], Meeting] = {}
        for meeting in self._close(within, takes_part):
            key = (meeting.first.id, meeting.second.id)
            if key not in nearest or meeting.apart < nearest[key].apart:
                nearest[key] = meeting
        pairs: dict[tuple[int, int], list[Meeting]] = defaultdict(list)
        for meeting in nearest.values():
            pairs[meeting.first.campaign_id, meeting.second.campaign_id].append(meeting)
        return dict(sorted(pairs.items()))

    def _close(self, within: timedelta, takes_part: Callable[[PlannedMessage], bool]) -> Iterator[Meeting]:
        """Sweeps over all windows in order of their start, keeping those that can still be met."""
        events = sorted(
            (
                (start, end, message)
                for message in self.messages.values() if takes_part(message)
                for start, end in message.windows
            ),
            key=lambda event: event[0],
        )
        alive: list[tuple[datetime, datetime, PlannedMessage]] = []
        for start, end, message in events:
            alive = [other for other in alive if other[1] + within >= start]
            for other_start, other_end, other in alive:
                if other.campaign_id == message.campaign_id or max(end, other_end) < self.now:
                    continue
                if self.in_focus(other.campaign_id, message.campaign_id):
                    apart = max(timedelta(0), start - other_end)
                    yield _meeting((other, other_start), (message, start), apart)
            alive.append((start, end, message))


def _meeting(one: tuple[PlannedMessage, datetime], two: tuple[PlannedMessage, datetime], apart: timedelta) -> Meeting:
    (first, first_at), (second, second_at) = sorted((one, two), key=lambda side: side[0].campaign_id)
    return Meeting(first, second, apart, first_at, second_at)


def only_messages(meetings: list[Meeting]) -> tuple[int | None, int | None]:
    """The message of each side when only one of it is involved; None stands for the campaign as a whole."""
    sides = [{meeting.first.id for meeting in meetings}, {meeting.second.id for meeting in meetings}]
    first, second = (side.pop() if len(side) == 1 else None for side in sides)
    return first, second


def channels_of(meetings: Iterable[Meeting]) -> list[list[str]]:
    """The pairs of channels on which the two sides meet, plain for the facts of a finding."""
    return [list(both) for both in sorted({(meeting.first.channel, meeting.second.channel) for meeting in meetings})]
