"""Which address a person is reached at on a channel, and who shares one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from pyroaring import BitMap

from apps.channels.kinds import ADDRESS_KIND
from apps.core import bitmaps, hashing

from . import aliases

# The address in force: a preferred one first, then the newest. `plan.same_address` of sending uses the same order.
ORDER = "is_preferred DESC, valid_from DESC, id DESC"
VALID = "kind = %s AND value <> '' AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)"


@dataclass(frozen=True)
class ContactAddress:
    """One address: its normalised value, its parts (post), its time zone if it has one, and its keyed hash."""

    kind: str
    value: str
    detail: dict[str, Any] = field(default_factory=dict)
    time_zone: str = ""
    hash: str = ""


def kind_of(channel: str) -> str:
    """The kind of address a channel needs; empty for channels that need none."""
    return ADDRESS_KIND.get(channel, "")


def holders(kind: str, value: str) -> list[int]:
    """Everybody who holds this address now or held it, under all their ids."""
    if not kind or not value:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT customer_id FROM customers_contactpoint WHERE kind = %s AND value = %s", [kind, value]
        )
        found = [row[0] for row in cursor.fetchall()]
    return sorted({member for group in aliases.groups(found).values() for member in group})


def values_of(people: Iterable[int], kind: str) -> list[str]:
    """All addresses of one kind that these people hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT value FROM customers_contactpoint"
            " WHERE kind = %s AND value <> '' AND customer_id = ANY(%s::int[]) ORDER BY value",
            [kind, list(people)],
        )
        return [row[0] for row in cursor.fetchall()]


def having(people: BitMap, kind: str, at: datetime) -> BitMap:
    """Those of the people who have a valid address of that kind."""
    sql = f"SELECT customer_id FROM customers_contactpoint WHERE {VALID}"
    params: list[Any] = [kind, at, at]
    if len(people) <= aliases.MANY:
        sql, params = sql + " AND customer_id = ANY(%s::int[])", [*params, list(people)]
    return bitmaps.from_sql(sql, params) & people


def chosen(people: BitMap, channel: str, at: datetime, *, dead: set[str]) -> dict[int, ContactAddress]:
    """id -> the address in force of each of the people, passing over those whose hash is ``dead``."""
    kind = kind_of(channel)
    if not kind or not people:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, value, detail::text, time_zone, hash FROM customers_contactpoint"
            f" WHERE {VALID} AND customer_id = ANY(%s::int[]) ORDER BY customer_id, {ORDER}",
            [kind, at, at, list(people)],
        )
        rows = cursor.fetchall()
    return _first_living(kind, rows, dead)


def _first_living(kind: str, rows: list[tuple[int, str, str, str, str]], dead: set[str]) -> dict[int, ContactAddress]:
    found: dict[int, ContactAddress] = {}
    for customer_id, value, detail, time_zone, stored in rows:
        if customer_id in found:
            continue
        hashed = stored or hashing.address_hash(value)
        if hashed not in dead:
            found[customer_id] = ContactAddress(kind, value, _parts(detail), time_zone, hashed)
    return found


def _parts(detail: str) -> dict[str, Any]:
    parts: dict[str, Any] = {} if detail == "{}" else json.loads(detail)
    return parts
