"""In which time zones somebody may live, when all we know is the country. Source: zone.tab of the IANA tz database."""

from datetime import date, datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings


@lru_cache(maxsize=1)
def _by_country() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    text = (files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _place, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return {country: tuple(zones) for country, zones in found.items()}


def zone(name: str) -> ZoneInfo | None:
    """The zone of that name, or None when there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=4096)
def plausible_zones(country: str, time_zone: str = "") -> tuple[ZoneInfo, ...]:
    """Every zone in which a person may be: the stated one, else all of the country, else the company's own."""
    if stated := zone(time_zone):
        return (stated,)
    names = _by_country().get(country.upper(), ())
    return tuple(ZoneInfo(name) for name in names) or (ZoneInfo(settings.COMPANY_TIME_ZONE),)


def local_dates(country: str, time_zone: str, at: datetime) -> set[date]:
    """The dates that it may be for this person at the moment `at`."""
    return {at.astimezone(each).date() for each in plausible_zones(country, time_zone)}


def countries() -> frozenset[str]:
    """Every country of the table, as ISO 3166 codes."""
    return frozenset(_by_country())
