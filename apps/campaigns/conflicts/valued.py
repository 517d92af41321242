"""Who of the shared people is worth more to which side: each is told apart by what is more likely to bring an order.

A person's expectation on a channel is the past response of everybody with the same history on it (never contacted, contacted,
contacted and bought), drawn towards the channel's own rate where few are alike (response.py). Who goes where is frozen with the
agreement, and so is what was decided for each history: whoever joins an audience later is split by that.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, cast

from pyroaring import BitMap

from ..models import Agreement
from . import response

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
