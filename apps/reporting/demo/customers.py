"""The demo customers into the database: people, their records in three systems, addresses and two years of doings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from apps.core.hashing import address_hash
from apps.customers.models import ContactPoint, Customer, Interaction, Product, Source, SourceRecord

from .bulk import copy_rows, reset_sequence
from .history import Happening, happenings
from .people import Person

Progress = Callable[[str, int], None]
PREFIX = {"web": "W", "till": "L", "care": "C"}
CUSTOMER_COLUMNS = (
    "id", "name", "given_name", "family_name", "sort_key", "is_business", "language", "country", "city", "time_zone",
    "attributes", "customer_since", "created_at", "updated_at",
)
RECORD_COLUMNS = (
    "id", "source_id", "external_id", "customer_id", "raw", "match_rule", "first_seen", "last_seen",
)
POINT_COLUMNS = (
    "customer_id", "source_record_id", "kind", "value", "hash", "detail", "time_zone", "valid_from", "is_preferred",
)
INTERACTION_COLUMNS = (
    "customer_id", "source_record_id", "kind", "channel", "at", "value", "currency", "product_id", "quantity",
    "external_id", "source_id", "detail", "recorded_at",
)


class Records:
    """Which source record of a person is which: filled while records are written, used for interactions."""

    def __init__(self) -> None:
        self.sources = {source.code: source.pk for source in Source.objects.all()}
        self.ids: dict[tuple[int, str], int] = {}

    def systems(self, person: Person) -> list[str]:
        return [code for code, is_in in (("web", person.in_web), ("till", person.in_till), ("care", person.in_care)) if is_in]

    def id_of(self, person: Person, system: str) -> int:
        return self.ids.get((person.place, system)) or next(
            self.ids[person.place, code] for code in self.systems(person)
        )


def copy_people(people: Sequence[Person], now: datetime, progress: Progress) -> Records:
    """Write everybody; customer id is the place in the list plus one."""
    records = Records()
    copy_rows(Customer, CUSTOMER_COLUMNS, (_customer(person, now) for person in people))
    progress("people", len(people))
    copy_rows(SourceRecord, RECORD_COLUMNS, _records(people, records, now))
    copy_rows(ContactPoint, POINT_COLUMNS, _points(people, records))
    for model in (Customer, SourceRecord):
        reset_sequence(model)
    return records


def _customer(person: Person, now: datetime) -> tuple[Any, ...]:
    attributes = {"points": person.points, "size": person.size}
    if person.tier:
        attributes["tier"] = person.tier
    since = _opening(person)
    return (
        person.place + 1, person.name, person.given, person.family, person.sort_key, False, person.language,
        person.country.code, person.postal.get("city", ""), person.zone, json.dumps(attributes), person.since, since, since,
    )


def _opening(person: Person) -> str:
    return _nine(person.since, person.zone)


@cache
def _nine(day: date, zone: str) -> str:
    return str(datetime.combine(day, time(9), ZoneInfo(zone)).astimezone(UTC))


def _records(people: Sequence[Person], records: Records, now: datetime) -> Iterator[tuple[Any, ...]]:
    number, seen = 0, str(now - timedelta(days=1))
    for person in people:
        since = _opening(person)
        rule = "new"
        for system in records.systems(person):
            number += 1
            records.ids[person.place, system] = number
            raw = {"name": person.name, "email": person.email if system != "till" else "", "phone": person.phone}
            key = f"{PREFIX[system]}-{100_000 + person.place * 3 + number % 3}"
            yield number, records.sources[system], key, person.place + 1, json.dumps(raw), rule, since, seen
            rule = "same_email" if person.email and system == "care" else "same_phone" if person.phone else "source_id"


def _points(people: Sequence[Person], records: Records) -> Iterator[tuple[Any, ...]]:
    for person in people:
        since = _opening(person)
        customer = person.place + 1
        for index, system in enumerate(records.systems(person)):
            record = records.ids[person.place, system]
            if person.email and (system in {"web", "care"} or index == 0):
                yield customer, record, "email", person.email, address_hash(person.email), "{}", person.zone, since, system == "web"
            if person.phone and (system in {"till", "care"} or index == 0):
                yield customer, record, "phone", person.phone, address_hash(person.phone), "{}", person.zone, since, system == "till"
            if person.postal and index == 0:
                line = ", ".join(person.postal.values())
                yield customer, record, "postal", line, address_hash(line), json.dumps(person.postal), person.zone, since, True


def copy_history(
    people: Sequence[Person], records: Records, now: datetime, random: Random, progress: Progress
) -> int:
    """Write two years of interactions; returns how many."""
    products = dict(Product.objects.values_list("sku", "pk"))
    rows = _interactions(people, records, products, now, random, progress)
    return copy_rows(Interaction, INTERACTION_COLUMNS, rows)


def _interactions(
    people: Sequence[Person], records: Records, products: dict[str, int], now: datetime, random: Random,
    progress: Progress,
) -> Iterator[tuple[Any, ...]]:
    number, written = 0, str(now)
    for person in people:
        for happening in happenings(person, now, random):
            number += 1
            yield _interaction(person, happening, number, records, products, written)
        if person.place % 500 == 0:
            progress("history", person.place)


def _interaction(
    person: Person, happening: Happening, number: int, records: Records, products: dict[str, int], now: str
) -> tuple[Any, ...]:
    article = happening.article
    detail = _json(tuple(happening.detail.items())) if happening.detail else "{}"
    return (
        person.place + 1, records.id_of(person, happening.system), happening.kind, happening.channel, str(happening.at),
        happening.eur, "EUR" if happening.eur is not None else "", products[article.sku] if article else None,
        happening.quantity, f"d{number}", records.sources[happening.system], detail, now,
    )


@lru_cache(maxsize=4096)
def _json(detail: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(detail))
