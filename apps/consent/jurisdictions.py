"""The place of the law: what a country adds to a person's own wishes.

Opt-in holds by default everywhere. A jurisdiction pack adds rules here; the gate asks every registered rule about
everybody who is still allowed, in the order of registration. No pack is installed yet, so nobody is asked anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Protocol

from django.db import connection
from pyroaring import BitMap

from .models import Purpose


@dataclass(frozen=True)
class Place:
    """Where somebody lives, as far as we know: ISO 3166 country and IANA time zone, either may be empty."""

    country: str
    time_zone: str
    is_business: bool


@dataclass(frozen=True)
class Case:
    """Whom a rule is asked about, and for what. ``at`` is the moment of the contact."""

    people: BitMap
    channel: str
    purpose: Purpose
    at: datetime

    @cached_property
    def places(self) -> dict[Place, BitMap]:
        """The people by where they live, read once for all rules."""
        sql = (
            "SELECT country, time_zone, is_business, array_agg(id) FROM customers_customer"
            " WHERE id = ANY(%s::int[]) GROUP BY 1, 2, 3"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [list(self.people)])
            return {Place(*row[:3]): BitMap(row[3]) for row in cursor.fetchall()}


@dataclass(frozen=True)
class Deferral:
    """People who may be contacted from ``until`` on, and the rule that says so."""

    until: datetime
    people: BitMap
    reason: str
    rule: str


@dataclass(frozen=True)
class Ruling:
    """What one rule says about a case. Whoever it does not name is allowed."""

    reason: str = "jurisdiction"
    denied: BitMap = field(default_factory=BitMap)
    deferred: Sequence[Deferral] = ()


class Rule(Protocol):
    """One rule of law. ``code`` stands in the ledger beside everybody it denied or deferred."""

    code: str

    def judge(self, case: Case) -> Ruling:
        """Denies or defers some of ``case.people``. Quiet hours use the recipient's hour (``apps.core.zones``)."""


RULES: list[Rule] = []


def register(rule: Rule) -> None:
    """Adds a rule after those already there; a code registered by two classes is a mistake."""
    known = next((each for each in RULES if each.code == rule.code), None)
    if known is not None and type(known) is not type(rule):
        raise ValueError(f"jurisdiction rule {rule.code!r} is registered twice")
    if known is None:
        RULES.append(rule)


def judge(people: BitMap, channel: str, purpose: Purpose, at: datetime) -> list[tuple[str, Ruling]]:
    """What every rule says, each asked only about people whom no earlier one denied or deferred."""
    rulings = []
    for rule in RULES:
        ruling = rule.judge(Case(people, channel, purpose, at))
        rulings.append((rule.code, ruling))
        people = people - ruling.denied - BitMap.union(BitMap(), *[each.people for each in ruling.deferred])
    return rulings
