"""Where the people of an audience live, and what clock and calendar they have there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pyroaring import BitMap

from apps.core.zones import plausible_zones

from .snapshot import Plan, PlannedMessage


def strike(
    plan: Plan, message: PlannedMessage, start: datetime, hits: Callable[[str, datetime], bool]
) -> dict[tuple[str, str], BitMap]:
    """place -> people of the message for whom ``hits(country, wall clock there)`` holds in any zone in which they may be.

    A message at the recipient's local time comes at the company's wall clock everywhere.
    """
    assert plan.people is not None
    audience = plan.people.of(message)
    found = {}
    for (country, zone), people in plan.people.sources.places().items():
        if any(hits(country, clock) for clock in clocks(plan, message, start, country, zone)):
            here = people & audience
            if here:
                found[country, zone] = here
    return found


def clocks(plan: Plan, message: PlannedMessage, start: datetime, country: str, zone: str) -> set[datetime]:
    """The wall clocks, without a zone, that people of the place may see when the message comes."""
    if message.is_local:
        return {start.astimezone(plan.zone).replace(tzinfo=None)}
    moment = start.astimezone(UTC)
    return {moment.astimezone(each).replace(tzinfo=None) for each in plausible_zones(country, zone)}



def by_size(struck: dict[tuple[str, str], BitMap]) -> list[list[Any]]:
    """(country, what there, how many people), plain for the facts of a finding, most people first."""
    counted = sorted((-len(people), *key) for key, people in struck.items())
    return [[country, what, -count] for count, country, what in counted]
