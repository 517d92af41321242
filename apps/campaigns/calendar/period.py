"""The stretch of days that a calendar page shows, and where a moment lies in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MOST_WEEKS = 14


@dataclass(frozen=True)
class Period:
    """``length`` days from ``first``, in the company's zone."""

    first: date
    length: int
    zone: ZoneInfo

    @property
    def last(self) -> date:
        """The last day shown."""
        return self.first + timedelta(days=self.length - 1)

    @property
    def days(self) -> list[date]:
        """All days shown."""
        return [self.first + timedelta(days=place) for place in range(self.length)]

    @property
    def weeks(self) -> int:
        """How many weeks are shown."""
        return self.length // 7

    def x_of_day(self, day: date) -> float:
        """Where the day begins, in per cent of the width."""
        return 100 * (day - self.first).days / self.length

    def x_of(self, moment: datetime) -> float:
        """Where the moment lies, to the hour, in per cent of the width."""
        local = moment.astimezone(self.zone)
        hours = (local.date() - self.first).days * 24 + local.hour + local.minute / 60
        return 100 * hours / (self.length * 24)

    def bounds(self) -> tuple[datetime, datetime]:
        """The first moment shown and the first one after it."""
        start = datetime.combine(self.first, time.min, self.zone)
        return start, datetime.combine(self.first + timedelta(days=self.length), time.min, self.zone)

    def moved(self, weeks: int) -> Period:
        """The same length, so many weeks later."""
        return Period(self.first + timedelta(days=7 * weeks), self.length, self.zone)


def monday(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def chosen(start: str | None, weeks: str | None, *, today: date, zone: ZoneInfo) -> Period:
    """The period that the address asks for; without (or with nonsense) five weeks beginning with last week."""
    count = int(weeks) if weeks and weeks.isascii() and weeks.isdigit() and 1 <= int(weeks) <= MOST_WEEKS else 5
    try:
        first = monday(date.fromisoformat(start or ""))
    except ValueError:
        first = monday(today) - timedelta(days=7)
    far = date(today.year + 50, 1, 1)
    if not date(2000, 1, 1) <= first <= far:
        first = monday(today) - timedelta(days=7)
    return Period(first, count * 7, zone)


def month_of(raw: str | None, *, today: date, zone: ZoneInfo) -> tuple[date, Period]:
    """The first of the month asked for (``2026-11``), and whole weeks around it."""
    try:
        first = date.fromisoformat(f"{raw}-01")
    except ValueError:
        first = today.replace(day=1)
    if not 2000 <= first.year <= today.year + 50:
        first = today.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    start = monday(first)
    length = ((following - start).days + 6) // 7 * 7
    return first, Period(start, length, zone)
