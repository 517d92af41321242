"""Sending at the recipient's local time: the company's wall clock taken over into each person's zone."""

from __future__ import annotations

from datetime import datetime

from pyroaring import BitMap

from . import places
from .occurrences import Occurrence, from_wall


def moments(occurrence: Occurrence, people: BitMap) -> list[tuple[datetime, BitMap]]:
    """When each of the people is due, moment by moment.

    Somebody of whom only the country is known is due when it is that late, or later, in all zones of the country.
    """
    found: dict[datetime, BitMap] = {}
    for place in places.of(people):
        at = max(from_wall(occurrence.wall, zone) for zone in place.zones)
        found[at] = found.get(at, BitMap()) | place.people
    return sorted(found.items())
