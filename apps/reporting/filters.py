"""What the address of a report asks for; nonsense falls back to the usual."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.http import QueryDict

from apps.channels.kinds import Channel
from apps.core.clock import company_day

from .scope import STEPS, Scope
from .sums import LONGEST, Period

USUAL = 30


def period(given: QueryDict, now: datetime) -> Period:
    """``days`` (back from yesterday) or ``first`` and ``last``; ``department`` and ``channel`` narrow it."""
    last = company_day(now)
    days = _number(given.get("days")) or USUAL
    first = last - timedelta(days=min(max(days, 1), LONGEST) - 1)
    if (start := day(given.get("first"))) and (end := day(given.get("last"))) and start <= end:
        first, last = max(start, end - timedelta(days=LONGEST - 1)), end
    channel = given.get("channel", "")
    return Period(first, last, _number(given.get("department")), channel if channel in Channel.values else "")


def scope(given: QueryDict) -> Scope:
    """The deliveries that the people page is about."""
    channel = given.get("channel", "")
    return Scope(
        campaign=_number(given.get("campaign")), department=_number(given.get("department")),
        channel=channel if channel in Channel.values else "", variant=given.get("variant", "")[:40],
        first=day(given.get("first")), last=day(given.get("last")),
    )  # fmt: skip


def step(given: QueryDict) -> str:
    """The step of the funnel; sent by default."""
    asked = given.get("step", "")
    return asked if asked in STEPS else "sent"


def day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text or "")
    except ValueError:
        return None
    # nothing was ever sent outside these years, and no day can be counted back from the first of all
    return found if 2000 <= found.year <= 2100 else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and int(text) < 2**31 else None
