"""What a contact has brought so far: purchases after it, per channel, with a stated prior. Simple on purpose.

Rate = (contacts followed by a purchase within a week + prior mean x prior weight) / (contacts + prior weight). The prior mean is
that of all channels together, so a channel with few contacts is believed to be like the others; some people's own rate on a
channel is drawn in the same way towards the rate of that channel. Not proof of effect: no control group is subtracted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db import connection
from pyroaring import BitMap

from apps.core import clock

PRIOR_WEIGHT = 500
DAYS_BACK, DAYS_AFTER = 90, 7
LEAST_CONTACTS = 500
SAMPLE = 50_000

SQL = """
WITH contact AS (
    SELECT channel, customer_id, at FROM campaigns_delivery
    WHERE run_day >= %(first)s AND run_day < %(last)s AND outcome = 'sent' LIMIT %(sample)s
)
SELECT channel, customer_id, EXISTS (
    SELECT 1 FROM customers_interaction bought
    WHERE bought.customer_id = contact.customer_id AND bought.kind = 'purchase'
      AND bought.at > contact.at AND bought.at <= contact.at + make_interval(days => %(after)s))
FROM contact
"""
# How often each person occurs, as layers: the people who occur at least once, at least twice, and so on.
Layers = tuple[BitMap, ...]


@dataclass(frozen=True)
class Response:
    """Contacts and purchases per channel over the last quarter: channel -> (contacts, followed by a purchase).

    ``people``: channel -> whose contacts, and whose contacts with a purchase after them, each as layers.
    """

    counts: Mapping[str, tuple[int, int]]
    people: Mapping[str, tuple[Layers, Layers]] = field(default_factory=dict)

    @property
    def contacts(self) -> int:
        """How many contacts it rests on."""
        return sum(contacts for contacts, _orders in self.counts.values())

    @property
    def prior(self) -> float:
        """Purchases per contact over all channels."""
        return sum(orders for _contacts, orders in self.counts.values()) / self.contacts if self.contacts else 0.0

    def rate(self, channel: str) -> float | None:
        """Expected purchases per contact on the channel; None without enough past to go by."""
        if self.contacts < LEAST_CONTACTS:
            return None
        contacts, orders = self.counts.get(channel, (0, 0))
        return (orders + self.prior * PRIOR_WEIGHT) / (contacts + PRIOR_WEIGHT)

    def rate_among(self, people: BitMap, channel: str) -> float | None:
        """Expected purchases per contact of these people on the channel, by their own past; None without enough to go by."""
        prior = self.rate(channel)
        if prior is None:
            return None
        contacts, orders = (
            sum(layer.intersection_cardinality(people) for layer in layers) for layers in self.people.get(channel, ((), ()))
        )
        return (orders + prior * PRIOR_WEIGHT) / (contacts + PRIOR_WEIGHT)

    def expected(self, people: BitMap, channel: str) -> float | None:
        """Purchases expected of one contact with each of these people on the channel."""
        rate = self.rate_among(people, channel)
        return None if rate is None else len(people) * rate

    def orders(self, people: int, channels: Iterable[str]) -> float | None:
        """Purchases expected of so many people, each contacted on the best of the channels; None without a basis."""
        rates = [rate for channel in channels if (rate := self.rate(channel)) is not None]
        return people * max(rates) if rates else None


def past(*, now: datetime) -> Response:
    """The response of the last quarter, counted once per company day (at most 50,000 contacts are looked at)."""
    today = clock.company_day(now)
    key = f"response-people:{today.isoformat()}"
    kept = cache.get(key)
    if kept is None:
        kept = _count(today)
        cache.set(key, kept, 24 * 3600)
    return Response(*kept)


def _count(today: date) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[Layers, Layers]]]:
    contacts: dict[str, list[int]] = defaultdict(list)
    buyers: dict[str, list[int]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(SQL, {
            "first": today - timedelta(days=DAYS_BACK + DAYS_AFTER), "last": today - timedelta(days=DAYS_AFTER),
            "after": DAYS_AFTER, "sample": SAMPLE,
        })
        for channel, customer_id, bought in cursor.fetchall():
            contacts[channel].append(customer_id)
            if bought:
                buyers[channel].append(customer_id)
    counts = {channel: (len(ids), len(buyers[channel])) for channel, ids in contacts.items()}
    return counts, {channel: (_layers(ids), _layers(buyers[channel])) for channel, ids in contacts.items()}


def _layers(ids: list[int]) -> Layers:
    """Layer by layer, so that the people of a set are counted as often as they occur."""
    layers: list[BitMap] = []
    for person, times in Counter(ids).items():
        while len(layers) < times:
            layers.append(BitMap())
        for layer in layers[:times]:
            layer.add(person)
    return tuple(layers)
