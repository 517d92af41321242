"""Two years of what demo customers did: visits, baskets, wishes, purchases, returns, calls, store visits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple

from .catalogue import ARTICLES, Article
from .people import Person

DAYS = 730
STORES = {
    "NO": ("Oslo City", "Bergen Storsenter", "Solsiden Trondheim"), "PL": ("Złote Tarasy", "Galeria Krakowska"),
    "DE": ("Mall of Berlin", "Europa Passage"), "GB": ("Covent Garden", "Arndale"), "US": ("Fifth Avenue",),
}
SEASON = (0.9, 0.8, 0.9, 0.8, 0.7, 0.7, 0.6, 0.8, 1.0, 1.2, 1.9, 1.7)
CALL_TOPICS = ("delivery", "size", "return", "warranty", "loyalty points")
WORST_SEASON = max(SEASON)


class Happening(NamedTuple):
    """One interaction before it gets its ids. ``system`` is which source record it hangs on; ``eur`` is its value."""

    system: str
    kind: str
    channel: str
    at: datetime
    eur: int | None
    article: Article | None
    quantity: int | None
    detail: dict[str, str]


def happenings(person: Person, now: datetime, random: Random) -> Iterator[Happening]:
    """What one person did, in no order. Activity follows the person's own and the season's."""
    reach = min(DAYS, (now.date() - person.since).days)
    for _ in range(min(60, int(person.activity * 4.5 * (0.35 + reach / DAYS)) + 1)):
        at = _moment(now, reach, random)
        if person.in_web and random.random() < 0.62:
            yield from _online(person, at, now, random)
        elif person.in_till:
            yield from _in_store(person, at, random)
        elif person.in_care:
            yield Happening("care", "call", "phone", at, None, None, None, {"topic": random.choice(CALL_TOPICS)})


def _moment(now: datetime, reach: int, random: Random) -> datetime:
    days = _days(now)
    while True:
        midnight, season = days[int(random.random() * max(1, reach))]
        if random.random() * WORST_SEASON <= season:
            hour = min(22, max(7, int(random.gauss(15.5, 3.6))))
            moment = midnight + timedelta(hours=hour, seconds=int(random.random() * 3600))
            return min(moment, now - timedelta(minutes=30))


@lru_cache(maxsize=1)
def _days(now: datetime) -> list[tuple[datetime, float]]:
    """The last two years by days back: when each began, and how busy its season is."""
    today = (now - timedelta(hours=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in range(DAYS + 1)]
    return [(day, SEASON[day.month - 1]) for day in days]


def _online(person: Person, at: datetime, now: datetime, random: Random) -> Iterator[Happening]:
    article = random.choice(ARTICLES)
    came = random.choice(("direct", "search", "newsletter", "Instagram ad", "price comparison"))
    kind = "ad_click" if came == "Instagram ad" else "visit"
    yield Happening("web", kind, "web", at, None, article, None, {"pages": str(1 + int(random.expovariate(0.3))), "from": came})
    if random.random() < 0.11:
        wish = {"size": person.size, "colour": random.choice(("navy", "moss", "rust", "charcoal"))}
        yield Happening("web", "wish", "web", at + timedelta(minutes=3), None, article, 1, wish)
    if random.random() < 0.24:
        yield Happening("web", "cart", "web", at + timedelta(minutes=6), None, article, 1, {})
        if random.random() < 0.66:
            yield from _purchase("web", "web", person, article, at + timedelta(minutes=14), now, random)


def _in_store(person: Person, at: datetime, random: Random) -> Iterator[Happening]:
    store = random.choice(STORES[person.country.code])
    if random.random() < 0.28:
        yield Happening("till", "store_visit", "store", at, None, None, None, {"store": store})
        return
    article = random.choice(ARTICLES)
    quantity = 1 + (random.random() < 0.14)
    yield Happening(
        "till", "purchase", "store", at, article.eur * quantity, article, quantity,
        {"store": store, "receipt": f"R-{random.randrange(10_000, 99_999)}"},
    )


def _purchase(
    system: str, channel: str, person: Person, article: Article, at: datetime, now: datetime, random: Random
) -> Iterator[Happening]:
    quantity = 1 + (random.random() < 0.17)
    yield Happening(system, "purchase", channel, at, article.eur * quantity, article, quantity, {})
    back = at + timedelta(days=3 + int(random.expovariate(0.12)))
    if random.random() < 0.09 and back < now:
        yield Happening(system, "return", "mail", back, -article.eur * quantity, article, -quantity, {})
    if random.random() < 0.012 and back < now and person.in_care:
        yield Happening("care", "complaint", "phone", back, None, article, None, {"topic": "quality"})


def expected(customers: int) -> int:
    """A rough number of interactions for so many customers, for the progress bar."""
    return math.ceil(customers * 8)
