"""The one place that reads the clock. Interfaces (views, tasks, commands, API) call it; everything else takes `now`."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


def now() -> datetime:
    """The present moment in UTC, moved by the setting CLOCK_OFFSET (seconds; refused in production)."""
    return datetime.now(UTC) + timedelta(seconds=settings.CLOCK_OFFSET)


def company_zone() -> ZoneInfo:
    """The company's time zone: facts, recency and "today" are counted in its days."""
    return ZoneInfo(settings.COMPANY_TIME_ZONE)


def company_day(moment: datetime) -> date:
    """The company's calendar day at that moment."""
    return moment.astimezone(company_zone()).date()
