"""Where people live, as far as we know: what their clock and calendar say depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import connection
from pyroaring import BitMap

from apps.core import bitmaps
from apps.core.zones import plausible_zones


@dataclass(frozen=True)
class Place:
    """People of one country (ISO code, upper case, may be empty) and every zone in which they may be."""

    country: str
    zones: tuple[ZoneInfo, ...]
    people: BitMap


def of(people: BitMap) -> list[Place]:
    """The people by where they live, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT upper(country), time_zone, array_agg(id) FROM customers_customer WHERE id = ANY(%s) GROUP BY 1, 2",
            [list(people)],
        )
        return [
            Place(country, plausible_zones(country, zone), bitmaps.from_ids(ids)) for country, zone, ids in cursor.fetchall()
        ]
