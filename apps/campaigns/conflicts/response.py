"""What a contact has brought so far: purchases after it, per channel, with a stated prior. Simple on purpose.

Rate = (contacts followed by a purchase within a week + prior mean x prior weight) / (contacts + prior weight). The prior mean is
that of all channels together, so a channel with few contacts is believed to be like the others. Not proof of effect: no
control group is subtracted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.cache import cache
from django.db import connection

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
SELECT channel, count(*), count(*) FILTER (WHERE EXISTS (
    SELECT 1 FROM customers_interaction bought
    WHERE bought.customer_id = contact.customer_id AND bought.kind = 'purchase'
      AND bought.at > contact.at AND bought.at <= contact.at + make_interval(days => %(after)s)))
FROM contact GROUP BY channel
"""


@dataclass(frozen=True)
class Response:
    """Contacts and purchases per channel over the last quarter: channel -> (contacts, followed by a purchase)."""

    counts: Mapping[str, tuple[int, int]]

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

    def orders(self, people: int, channels: Iterable[str]) -> float | None:
        """Purchases expected of so many people, each contacted on the best of the channels; None without a basis."""
        rates = [rate for channel in channels if (rate := self.rate(channel)) is not None]
        return people * max(rates) if rates else None


def past(*, now: datetime) -> Response:
    """The response of the last quarter, counted once per company day (at most 50,000 contacts are looked at)."""
    today = clock.company_day(now)
    key = f"response:{today.isoformat()}"
    counts = cache.get(key)
    if counts is None:
        counts = _count(today)
        cache.set(key, counts, 24 * 3600)
    return Response(counts)


def _count(today: date) -> dict[str, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(SQL, {
            "first": today - timedelta(days=DAYS_BACK + DAYS_AFTER), "last": today - timedelta(days=DAYS_AFTER),
            "after": DAYS_AFTER, "sample": SAMPLE,
        })
        return {channel: (contacts, orders) for channel, contacts, orders in cursor.fetchall()}
