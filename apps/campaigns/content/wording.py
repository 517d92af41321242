"""Money and dates in the reader's own language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache

from django.utils import formats, translation

from apps.core import money

_BEFORE = {"GBP": "£", "USD": "$"}
_AFTER = {"NOK": "kr", "SEK": "kr", "DKK": "kr", "PLN": "zł", "EUR": "€"}


@lru_cache(maxsize=4096)
def price(amount: Decimal, currency: str, language: str) -> str:
    """An amount as people write it: 1 299 kr, 129,00 zł, £129.00. Whole amounts of kroner lose their zeros."""
    rounded = money.rounded(Decimal(amount), currency)
    whole = currency in {"NOK", "SEK", "DKK"} and rounded == rounded.to_integral()
    places = 0 if whole else -int(money.unit(currency).as_tuple().exponent)
    with translation.override(_known(language)):
        figures = formats.number_format(rounded, decimal_pos=places, use_l10n=True, force_grouping=True)
    if currency in _BEFORE and not language.startswith(("nb", "no", "pl", "de")):
        return f"{_BEFORE[currency]}{figures}"
    return f"{figures}\u00a0{_AFTER.get(currency, _BEFORE.get(currency, currency))}"


@lru_cache(maxsize=4096)
def day(value: date, language: str) -> str:
    """A date in words of the language."""
    with translation.override(_known(language)):
        return formats.date_format(value, "DATE_FORMAT")


@lru_cache(maxsize=1024)
def number(value: Decimal, language: str) -> str:
    """A number with the language's separators, without superfluous zeros."""
    exact = Decimal(value)
    with translation.override(_known(language)):
        return formats.number_format(exact.normalize() if exact % 1 else exact.to_integral(), use_l10n=True)


def _known(language: str) -> str:
    base = (language or "en").split("-")[0].lower()
    base = {"no": "nb"}.get(base, base)
    return base if translation.check_for_language(base) else "en"
