"""Sending at the recipient's local time: the company's wall clock taken over into each person's zone."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from pyroaring import BitMap

from apps.core import bitmaps
from apps.core.zones import plausible_zones

from .occurrences import Occurrence, from_wall


def moments(occurrence: Occurrence, people: BitMap) -> list[tuple[datetime, BitMap]]:
    """When each of the people is due, moment by moment.

    Somebody of whom only the country is known is due when it is that late, or later, in all zones of the country.
    """
    found: dict[datetime, BitMap] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT upper(country), time_zone, array_agg(id) FROM customers_customer WHERE id = ANY(%s) GROUP BY 1, 2",
            [list(people)],
        )
        for country, time_zone, ids in cursor.fetchall():
            at = max(from_wall(occurrence.wall, zone) for zone in plausible_zones(country, time_zone))
            found[at] = found.get(at, BitMap()) | bitmaps.from_ids(ids)
    return sorted(found.items())
