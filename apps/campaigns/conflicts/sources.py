"""What some rules ask about people beside the audiences, fetched when asked for and kept: never more queries for more campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db import connection
from pyroaring import BitMap

from apps.customers import care
from apps.customers.segments.leaves import seen_changes

from ..models.sending import ArmKind, RunArm

if TYPE_CHECKING:
    from .snapshot import PlannedOffer

NOBODY = BitMap()
PLACES_KEPT = 24 * 3600
PLACES = """
    SELECT country, time_zone, array_agg(id) FROM customers_customer
    WHERE merged_into_id IS NULL AND erased_at IS NULL AND undone_at IS NULL GROUP BY 1, 2
"""
TESTED = """
    SELECT m.id, array_agg(c.id) FROM campaigns_message m JOIN customers_customer c
        ON coalesce(c.attributes ->> m.arms_attribute, '') <> '' AND c.merged_into_id IS NULL
    WHERE m.id = ANY(%s) AND m.arms_attribute <> '' AND NOT EXISTS (
        SELECT FROM campaigns_contentversion v WHERE v.message_id = m.id AND v.variant = c.attributes ->> m.arms_attribute)
    GROUP BY 1
"""


@dataclass(frozen=True)
class Sent:
    """People whom a message with an offer reached, at the moment of its run."""

    message_id: int
    campaign_id: int
    offer: PlannedOffer
    at: datetime
    people: BitMap


@dataclass
class Sources:
    """A test gives what it needs; what is None is fetched on first use.

    ``places``: (country, time zone) -> people. ``served``: who is to be served first. ``sent_offers``: what the ledger says was
    sent. ``tested``: message -> people whom a test of that message keeps out, by attribute or as drawn when it ran.
    """

    places_known: Mapping[tuple[str, str], BitMap] | None = None
    served: care.Open | None = None
    sent_known: tuple[Sent, ...] | None = None
    tested: dict[int, BitMap] = field(default_factory=dict)
    is_given: bool = False

    def places(self) -> Mapping[tuple[str, str], BitMap]:
        """Where people live, as far as is known; kept until customers change."""
        if self.places_known is None:
            self.places_known = {} if self.is_given else _places()
        return self.places_known

    def to_be_served(self, at: datetime) -> BitMap:
        """Everybody who at that moment will still have something open."""
        if self.served is None:
            self.served = care.Open() if self.is_given else care.open_flags()
        return self.served.at(at)

    def sent_offers(self, *, since: datetime, now: datetime) -> tuple[Sent, ...]:
        """What was sent with an offer since then. The first question decides how far back is looked."""
        if self.sent_known is None:
            from .sent import offers_sent

            self.sent_known = () if self.is_given else tuple(offers_sent(since=since, now=now))
        return self.sent_known

    def kept_out(self, message_ids: Iterable[int]) -> dict[int, BitMap]:
        """message -> people whom its test keeps out; asked at once for all messages."""
        missing = [pk for pk in message_ids if pk not in self.tested]
        if missing and not self.is_given:
            self.tested |= dict.fromkeys(missing, NOBODY) | _tested(missing)
        return self.tested


def _places() -> dict[tuple[str, str], BitMap]:
    seen = seen_changes(("customers_customer",))
    key = f"places:{blake2b(seen.serialize(), digest_size=12).hexdigest()}"
    kept = cache.get(key)
    if kept is None:
        with connection.cursor() as cursor:
            cursor.execute(PLACES)
            kept = {(country, zone): BitMap(ids).serialize() for country, zone, ids in cursor.fetchall()}
        cache.set(key, kept, PLACES_KEPT)
    return {place: BitMap.deserialize(raw) for place, raw in kept.items()}


def _tested(message_ids: list[int]) -> dict[int, BitMap]:
    with connection.cursor() as cursor:
        cursor.execute(TESTED, [message_ids])
        found = {pk: BitMap(ids) for pk, ids in cursor.fetchall()}
    drawn = RunArm.objects.filter(run__message__in=message_ids, kind=ArmKind.CAMPAIGN_CONTROL)
    for pk, people in drawn.values_list("run__message_id", "people"):
        found[pk] = found.get(pk, NOBODY) | people
    return found

