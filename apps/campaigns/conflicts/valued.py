"""The way out that splits the shared people by predicted value: each stays with the side more likely to bring an order.

A person's expectation on a channel is the past response of everybody with the same history on it (never contacted, contacted,
contacted and bought), drawn towards the channel's own rate where few are alike (response.py). Who goes where is frozen with the
agreement, and so is what was decided for each history: whoever joins an audience later is split by that. The keeping side is the
one with the higher rate of all its people; where both are equal the higher priority keeps, then the campaign that writes first.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any, cast

from pyroaring import BitMap

from ..models import Agreement
from ..models.conflicts import ResolutionAction
from . import response
from .snapshot import PlannedAgreement, PlannedCampaign, PlannedMessage

if TYPE_CHECKING:
    from .resolve import WayOut, _Pair

LATEST = datetime.max.replace(tzinfo=UTC)


BOUGHT, CONTACTED, NEVER = "b", "c", "n"


@dataclass(frozen=True)
class Rates:
    """What was decided for people of each history: one letter for each of the channels (bought, contacted, never), joined.
    ``swapped`` are the histories whose people go to the yielding side.
    """

    channels: tuple[str, ...]
    swapped: frozenset[str]

    def plain(self) -> dict[str, Any]:
        """As stored with the agreement."""
        return {"channels": list(self.channels), "swapped": sorted(self.swapped)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Rates:
        """Those of ``plain``."""
        return cls(tuple(plain["channels"]), frozenset(plain["swapped"]))

    def among(self, people: BitMap, past: response.Response) -> BitMap:
        """Those of the people who go to the yielding side, by their own history as it stands now."""
        groups = _alike(people, self.channels, past) if people else ()
        return BitMap.union(BitMap(), *(group for history, group in groups if history in self.swapped))


def late_swapped(agreement: Agreement, people: BitMap, now: datetime) -> BitMap:
    """Those of the people who joined after the split and go to the yielding side."""
    if agreement.rates is None or not people:
        return BitMap()
    late = people - cast(BitMap, agreement.settled or BitMap())
    return Rates.of(agreement.rates).among(late, response.past(now=now)) if late else late


def split(pair: _Pair, now: datetime) -> Iterator[WayOut]:
    """The split, measured; nothing where the past gives no reason to part the people or a side has nobody to give."""
    from . import resolve

    past, only = response.past(now=now), pair.only()
    ahead = {
        side.id: [message for message in resolve._side(side, only[side.id]) if resolve._can_yield(pair.plan, message)]
        for side in pair.campaigns
    }
    if not all(ahead.values()):
        return
    sides = sorted(pair.campaigns, key=lambda campaign: _rank(campaign, ahead[campaign.id], past), reverse=True)
    keeping, yielding = (ahead[campaign.id] for campaign in sides)
    both = resolve._people(pair.plan, keeping) & resolve._people(pair.plan, yielding)
    swapped, lost = parted(both, _channels(keeping), _channels(yielding), past)
    if not swapped or swapped == both:
        return
    agreement = PlannedAgreement(
        sides[1].id, sides[0].id, frozenset(message.id for message in keeping), pair.plan.now, only[sides[1].id],
        only[sides[0].id], swapped=swapped, yielding=frozenset(message.id for message in yielding),
    )
    then = pair.plan.with_agreement(agreement)
    yield resolve.WayOut(
        ResolutionAction.SPLIT, sides[1].id, people_lost=len(both), orders_lost=lost,
        still_both=len(resolve._people(then, keeping) & resolve._people(then, yielding)),
        effects=pair.effects(resolve.find(then)), spread=pair.spread(then),
        parameters={
            "yielding": sides[1].id, "keeping": sides[0].id, "yielding_message": only[sides[1].id],
            "keeping_message": only[sides[0].id], "swapped": frozen(swapped),
            "swapped_count": len(swapped), "kept": len(both) - len(swapped), "settled": frozen(both),
            "rates": rates(both, _channels(keeping), _channels(yielding), past).plain(),
        },
    )


def frozen(people: BitMap) -> str:
    """A set of people as text, small enough to stand with a proposal."""
    return base64.b85encode(people.serialize()).decode()


def thawed(text: str) -> BitMap:
    """The people of ``frozen``."""
    return BitMap.deserialize(base64.b85decode(text))


def parted(both: BitMap, keeping: set[str], yielding: set[str], past: response.Response) -> tuple[BitMap, float | None]:
    """Those who stay with the yielding side, and the orders that are lost because everybody gets one of the two only."""
    swapped, lost = BitMap(), 0.0
    for _history, group in _alike(both, sorted(keeping | yielding), past):
        kept, other = _best(group, keeping, past), _best(group, yielding, past)
        lost += len(group) * min(kept, other)
        if other > kept:
            swapped |= group
    return swapped, lost if past.contacts >= response.LEAST_CONTACTS else None


def rates(both: BitMap, keeping: set[str], yielding: set[str], past: response.Response) -> Rates:
    """What is decided for each history: by the people in both where there are some, else by everybody of that history."""
    channels = sorted(keeping | yielding)
    here = dict(_alike(both, channels, past))
    known = BitMap.union(BitMap(), *(layers[0] for each in past.people.values() for layers in each if layers))
    everywhere = dict(_alike(known, channels, past))
    swapped = set()
    for letters in product((BOUGHT, CONTACTED, NEVER), repeat=len(channels)):
        history = "".join(letters)
        group = here.get(history) or everywhere.get(history) or BitMap()
        if _best(group, yielding, past) > _best(group, keeping, past):
            swapped.add(history)
    return Rates(tuple(channels), frozenset(swapped))


def _best(group: BitMap, channels: set[str], past: response.Response) -> float:
    return max((past.rate_among(group, channel) or 0.0 for channel in channels), default=0.0)


def _alike(people: BitMap, channels: Sequence[str], past: response.Response) -> Iterator[tuple[str, BitMap]]:
    """The people in groups of the same history on every one of the channels, each with that history."""
    parts: list[list[tuple[str, BitMap]]] = []
    for channel in channels:
        contacts, orders = past.people.get(channel, ((), ()))
        contacted, bought = (layers[0] if layers else BitMap() for layers in (contacts, orders))
        parts.append([
            (BOUGHT, people & bought), (CONTACTED, (people & contacted) - bought), (NEVER, people - contacted - bought),
        ])
    for chosen in product(*parts):
        group = BitMap.intersection(*(part for _letter, part in chosen)) if chosen else BitMap()
        if group:
            yield "".join(letter for letter, _part in chosen), group


def _channels(messages: list[PlannedMessage]) -> set[str]:
    return {message.channel for message in messages}


def _rank(campaign: PlannedCampaign, messages: list[PlannedMessage], past: response.Response) -> tuple[float, int, float]:
    """What puts a side before the other for everybody who is not told apart: rate, priority, the earlier first contact."""
    rate = max((past.rate(message.channel) or 0.0 for message in messages), default=0.0)
    first = min((start for message in messages for start, _end in message.windows), default=LATEST)
    return rate, campaign.priority, -first.timestamp()
