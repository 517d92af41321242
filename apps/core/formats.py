"""Numbers, money, dates and times as the viewer's language writes them (CLDR patterns, by Babel)."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.translation import get_language

DASH = "–"
_SPACE = "\N{NO-BREAK SPACE}"
# The company writes English the European way: day before month, 24 hours.
_LOCALES = {"en": "en_GB", "nb": "nb_NO", "pl": "pl_PL"}

Number = int | float | Decimal

# CLDR skeletons of the day; "full" and "short" add the hour, "time" is the hour alone.
_SKELETONS = {"full": "yMMMEd", "short": "MMMEd", "date": "yMMMEd", "day": "MMMd", "month": "yMMMM"}


@lru_cache
def _locale(language: str) -> Locale:
    code = _LOCALES.get(language) or _LOCALES.get(language.split("-")[0], "en_GB")
    return Locale.parse(code)


def locale() -> Locale:
    """The CLDR locale of the active language."""
    return _locale(get_language() or "en")


def number(value: Number | None, places: int = 0) -> str:
    """``240,150`` in English, ``240 150`` in Norwegian; a missing number is a dash. Up to ``places`` decimals."""
    if value is None:
        return DASH
    pattern = "#,##0." + "#" * places if places else "#,##0"
    return format_decimal(value, format=pattern, locale=locale()).replace("-", "−")


def percent(share: Number | None, places: int = 0) -> str:
    """A share of one in per cent: 0.412 is ``41 %``."""
    if share is None:
        return DASH
    return f"{number(share * 100, places)}{_SPACE}%"


def money(amount: Number | None, currency: str = "") -> str:
    """``1,284 EUR``; two decimals only when there are any."""
    if amount is None:
        return DASH
    whole = amount == int(amount)
    pattern = "#,##0" if whole else "#,##0.00"
    figure = format_decimal(amount, format=pattern, locale=locale()).replace("-", "−")
    return f"{figure}{_SPACE}{currency}".strip()


def zone_name(moment: datetime) -> str:
    """What people call the zone at that moment: ``CET``; zones without a name are ``UTC+03``."""
    name = moment.tzname() or ""
    return name if name[:1].isalpha() else f"UTC{name}"


@lru_cache(maxsize=64)
def _pattern(skeleton: str, language: Locale) -> str:
    known = language.datetime_skeletons
    return str(known[skeleton].pattern) if skeleton in known else ""


def moment(value: datetime, zone: ZoneInfo | str | None = None, style: str = "full") -> str:
    """A point of time in `zone` (else the viewer's), with the zone named unless only the day is shown."""
    local = value.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone or timezone.get_current_timezone())
    text = _formatted(local, style)
    return text if style in ("date", "day", "month") else f"{text}{_SPACE}{zone_name(local)}"


def day(value: date, style: str = "date") -> str:
    """A calendar day, which has no zone."""
    return _formatted(value, style if style in ("date", "day", "month") else "date")


def viewer_day(value: date | datetime) -> date:
    """The viewer's calendar day of a moment; a day stays itself."""
    return timezone.localtime(value).date() if isinstance(value, datetime) else value


def country(code: str) -> str:
    """The country of an ISO 3166 code in the reader's language; the code itself where it is unknown."""
    return str(locale().territories.get(code, code))


def span(start: date, end: date) -> str:
    """``18–26 Nov 2026``: two days with what they share written once."""
    if start == end:
        return day(start)
    if (start.year, start.month) == (end.year, end.month):
        ordinal = "." if locale().language == "nb" else ""
        return f"{start.day}{ordinal}–{format_date(end, _pattern('yMMMd', locale()) or 'medium', locale=locale())}"
    opening = day(start, "day") if start.year == end.year else format_date(start, "medium", locale=locale())
    return f"{opening}{_SPACE}– {format_date(end, 'medium', locale=locale())}"


def duration(value: timedelta | Number) -> str:
    """``3 minutes``: a length of time (seconds when a number), in its largest unit."""
    length = value if isinstance(value, timedelta) else timedelta(seconds=float(value))
    return format_timedelta(length, locale=locale(), threshold=1.2)


def ago(value: datetime, now: datetime) -> str:
    """``3 minutes ago`` or ``in 2 days``."""
    return format_timedelta(value - now, locale=locale(), add_direction=True, threshold=1.2)


def _formatted(value: date | datetime, style: str) -> str:
    if style == "time":
        return f"{value:%H:%M}"
    # All three languages use the 24-hour clock with a colon, so only the day needs a pattern.
    calendar_day = value.date() if isinstance(value, datetime) else value
    text = format_date(calendar_day, _pattern(_SKELETONS[style], locale()) or "medium", locale=locale())
    return f"{text}, {value:%H:%M}" if style in ("full", "short") else text
