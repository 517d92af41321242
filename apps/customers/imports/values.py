"""Cells become values: numbers, dates, yes and no, countries, languages. Each raises ValueError in words."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from django.utils.translation import gettext as _

YES = frozenset({"yes", "y", "true", "t", "1", "x", "ja", "j", "tak", "on", "oui", "granted", "opted in"})
NO = frozenset({"no", "n", "false", "f", "0", "nei", "nein", "nie", "off", "non", "withdrawn", "opted out"})
DATE_ORDERS = ("ymd", "dmy", "mdy")
_LANGUAGES = {"no": "nb", "nn": "nb", "nor": "nb", "norsk": "nb", "eng": "en", "pol": "pl", "ger": "de", "deu": "de"}
_COUNTRIES = {"eire": "IE", "rsa": "ZA", "usa": "US", "uk": "GB", "england": "GB", "scotland": "GB", "czech republic": "CZ",
              "holland": "NL", "the netherlands": "NL", "south korea": "KR", "russia": "RU"}  # fmt: skip
_PARTS = re.compile(
    r"(\d{1,4})[-./ ](\d{1,2}|[^\W\d_]{3,12})\.?[-./ ](\d{1,4})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2}))?.*)?"
)
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: place for place, name in enumerate(_NAMES, 1)}
_MONTHS |= {"mai": 5, "okt": 10, "des": 12, "maj": 5}


def yes_or_no(text: str) -> bool:
    """Yes and no in the usual words of English, Norwegian, Polish, German and French."""
    word = text.strip().casefold()
    if word in YES:
        return True
    if word in NO:
        return False
    raise ValueError(_("“%(text)s” is neither yes nor no.") % {"text": text[:40]})


def number(text: str, decimal_sign: str = "") -> Decimal:
    """A number with either decimal sign; spaces and apostrophes group. ``decimal_sign`` settles "1,234"."""
    if decimal_sign != "," and text.isascii() and text.replace(".", "", 1).isdigit():
        return Decimal(text)  # most numbers are that plain
    bare = re.sub(r"[\s'’]", "", text).replace("−", "-")
    if decimal_sign == ",":
        bare = bare.replace(".", "").replace(",", ".")
    elif decimal_sign == ".":
        bare = bare.replace(",", "")
    elif "," in bare:
        last = max(bare.rfind(","), bare.rfind("."))
        bare = bare[:last].replace(",", "").replace(".", "") + "." + bare[last + 1 :]
    try:
        value = Decimal(bare)
    except InvalidOperation:
        raise ValueError(_("“%(text)s” is not a number.") % {"text": text[:40]}) from None
    if not value.is_finite():
        raise ValueError(_("“%(text)s” is not a number.") % {"text": text[:40]})
    return value


@lru_cache(maxsize=4096)
def moment(text: str, zone: ZoneInfo, order: str = "") -> datetime:
    """A point in time. Without an offset it is local in ``zone``; a date alone is its midnight.

    Kept for the lines that follow: those of one order tell the same moment.
    """
    text = text.strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _from_parts(text, order)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def day(text: str, order: str = "") -> date:
    """A calendar day."""
    text = text.strip()
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return _from_parts(text, order).date()


def _from_parts(text: str, order: str) -> datetime:
    found = _PARTS.fullmatch(text)
    if not found:
        raise ValueError(_("“%(text)s” is not a date.") % {"text": text[:40]})
    first, second, third = found.group(1), found.group(2), found.group(3)
    month = _MONTHS.get(second[:3].casefold()) if not second.isdigit() else int(second)
    if len(first) == 4:
        year, date_day = int(first), int(third)
    else:
        year, date_day = int(third), int(first)
        if order == "mdy" and second.isdigit():
            month, date_day = date_day, int(second)
    hour, minute, seconds = (int(part or 0) for part in found.group(4, 5, 6))
    try:
        return datetime(year, month or 0, date_day, hour, minute, seconds)  # noqa: DTZ001 - the caller gives the zone
    except ValueError:
        raise ValueError(_("“%(text)s” is not a date.") % {"text": text[:40]}) from None


@lru_cache(maxsize=1)
def _territories() -> dict[str, str]:
    names = dict(_COUNTRIES)
    for language in ("en", "nb", "pl", "de"):
        names |= {name.casefold(): code for code, name in Locale(language).territories.items() if len(code) == 2}
    return names


@lru_cache(maxsize=4096)
def country(text: str) -> str:
    """ISO 3166 code from a code or a name; raises ValueError for what is no country."""
    word = text.strip()
    names = _territories()
    if len(word) == 2 and word.isalpha() and (word.upper() in names.values() or word.casefold() in names):
        return names.get(word.casefold(), word.upper())
    if code := names.get(word.casefold()):
        return code
    raise ValueError(_("“%(text)s” is not a country.") % {"text": text[:40]})


@lru_cache(maxsize=1024)
def language(text: str) -> str:
    """A language code such as nb, pl, en from a code, a tag (nb-NO) or an English name."""
    word = text.strip().casefold().replace("_", "-")
    primary = word.partition("-")[0]
    if primary in _LANGUAGES:
        return _LANGUAGES[primary]
    names = {name.casefold(): code for code, name in Locale("en").languages.items() if len(code) == 2}
    if word in names:
        return _LANGUAGES.get(names[word], names[word])
    if primary in names.values():
        return primary
    if "norwegian" in word:
        return "nb"
    raise ValueError(_("“%(text)s” is not a language.") % {"text": text[:40]})


def time_zone(text: str) -> str:
    """An IANA time zone name."""
    if text.strip() not in available_timezones():
        raise ValueError(_("“%(text)s” is not a time zone.") % {"text": text[:40]})
    return text.strip()
