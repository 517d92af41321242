"""Days on which nothing may be sent, by the recipient's own date; every zone they may live in must allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db import connection
from django.db.models import Q
from pyroaring import BitMap

from apps.campaigns.models import Blackout, Message
from apps.consent.models import PurposeClass
from apps.core import bitmaps
from apps.core.zones import plausible_zones

FARTHEST = timedelta(hours=14)


@dataclass(frozen=True)
class Blocked:
    """People for whom it is a blackout day; from `until` on it no longer is, whatever zone they are in."""

    people: BitMap
    until: datetime
    blackout: Blackout


def blackouts_for(message: Message, at: datetime) -> list[Blackout]:
    """Blackouts that may concern the message somewhere on earth at that moment."""
    purpose_class = message.purpose.purpose_class if message.purpose else PurposeClass.PROMOTION
    if purpose_class == PurposeClass.SAFETY:
        return []
    first, last = (at - FARTHEST).date(), (at + FARTHEST).date()
    found = Blackout.objects.filter(is_active=True, starts_on__lte=last, ends_on__gte=first).filter(
        Q(department=None) | Q(department=message.campaign.department_id)
    )
    if purpose_class == PurposeClass.SERVICE:
        found = found.filter(includes_service=True)
    return [each for each in found if not each.channels or message.channel in each.channels]


def blocked(message: Message, people: BitMap, at: datetime) -> list[Blocked]:
    """Those of the people for whom a blackout holds at that moment, each blackout with its own."""
    blackouts = blackouts_for(message, at)
    if not blackouts or not people:
        return []
    places = _places(people)
    found = [_blocked_by(blackout, places, at) for blackout in blackouts]
    return [each for each in found if each.people]


def _places(people: BitMap) -> list[tuple[str, str, BitMap]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT upper(country), time_zone, array_agg(id) FROM customers_customer WHERE id = ANY(%s) GROUP BY 1, 2",
            [list(people)],
        )
        return [(country, zone, bitmaps.from_ids(ids)) for country, zone, ids in cursor.fetchall()]


def _blocked_by(blackout: Blackout, places: list[tuple[str, str, BitMap]], at: datetime) -> Blocked:
    countries = {str(country).upper() for country in blackout.countries}
    people = BitMap()
    until = at
    for country, time_zone, group in places:
        if countries and country not in countries:
            continue
        zones = plausible_zones(country, time_zone)
        if any(blackout.starts_on <= at.astimezone(zone).date() <= blackout.ends_on for zone in zones):
            people |= group
            after = datetime.combine(blackout.ends_on + timedelta(days=1), time.min)
            until = max(until, *[after.replace(tzinfo=zone).astimezone(UTC) for zone in zones])
    return Blocked(people, until, blackout)
