"""Public holidays by country, from the ``holidays`` library, which is loaded when first asked."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=512)
def _calendar(country: str, year: int) -> Any:
    import holidays

    try:
        found = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return {}
    # Some countries count every Sunday; that is a weekend and not a holiday of its own.
    return {day: name for day, name in found.items() if name not in ("Söndag", "Sunday")}


def concerns(channel: str, purpose_class: str) -> bool:
    """Whether messages of this kind keep public holidays: promotion, except what is open to everybody at all times."""
    return purpose_class == "promotion" and channel not in ("store", "ads", "onsite")


def name(country: str, day: date) -> str:
    """What the public holiday is called that the whole country has on that day; empty when there is none or we do not know."""
    return str(_calendar(country, day.year).get(day, "")) if country else ""
