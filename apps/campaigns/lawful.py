"""One line of the check: in which countries a campaign's people live, and what the law and their wishes ask for there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from pyroaring import BitMap

from apps.consent import jurisdictions
from apps.core.reasons import Reason

from . import check
from .models import Message


@dataclass(frozen=True)
class Law:
    """``countries``: (ISO code, people), most people first. ``unknown``: people without a country.

    ``denied``: people kept out by a rule of law. ``rules``: rules that were asked. ``by_consent``: some message needs a yes.
    """

    countries: list[tuple[str, int]]
    unknown: int
    denied: int
    rules: int
    by_consent: bool


def law(plan: Iterable[Message], falls: dict[int, list[check.Step]]) -> Law:
    """What the check says about law and consent, for the whole audience of these messages."""
    everybody = BitMap.union(BitMap(), *[steps[0].people for steps in falls.values()])
    kept_out = [step.lost.get(Reason.JURISDICTION, BitMap()) for steps in falls.values() for step in steps]
    places = _places(everybody)
    return Law(
        countries=[(code, count) for code, count in places if code], unknown=sum(count for code, count in places if not code),
        denied=len(BitMap.union(BitMap(), *kept_out)), rules=len(jurisdictions.RULES),
        by_consent=any(message.purpose.needs_consent for message in plan if message.pk in falls and message.purpose),
    )  # fmt: skip


def _places(people: BitMap) -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT country, count(*) FROM customers_customer WHERE id = ANY(%s::int[]) GROUP BY 1 ORDER BY 2 DESC, 1",
            [list(people)],
        )
        return list(cursor.fetchall())
