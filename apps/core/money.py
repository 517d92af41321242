"""Amounts are Decimal with an ISO 4217 currency beside them; currencies are never mixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

from babel import Locale
from babel.numbers import get_territory_currencies
from django.utils.translation import gettext as _

# ISO 4217 minor units where they are not two.
_PLACES = {"CLP": 0, "ISK": 0, "JPY": 0, "KRW": 0, "UGX": 0, "VND": 0, "XAF": 0, "XOF": 0} | {
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that are money somewhere today (CLDR's territories, by Babel)."""
    return frozenset(code for place in Locale("en").territories for code in get_territory_currencies(str(place)))


def currency_code(text: str) -> str:
    """The code in capitals; ValueError in words for what is no currency."""
    code = text.strip().upper()
    if code not in currencies():
        raise ValueError(_("“%(text)s” is not a currency. Write three letters, such as EUR.") % {"text": text[:10]})
    return code


class MixedCurrencies(ValueError):
    """Two amounts of different currencies were added or compared."""


def unit(currency: str) -> Decimal:
    """The smallest payable amount of a currency: 0.01 for most."""
    return Decimal(1).scaleb(-_PLACES.get(currency, 2))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units, halves to the even one."""
    return amount.quantize(unit(currency), rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, order=False)
class Money:
    """An amount in one currency."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._of_same(other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._of_same(other).amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._of_same(other).amount

    def __str__(self) -> str:
        return f"{rounded(self.amount, self.currency)} {self.currency}"

    def _of_same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency} cannot be put together")
        return other


def _whole(weights: Sequence[float | Decimal | int]) -> list[int]:
    """Whole numbers in exactly the same proportion; ones where all weights are zero."""
    if not any(weights):
        return [1] * len(weights)
    if all(isinstance(weight, int) for weight in weights):
        return [int(weight) for weight in weights]
    exact = [Fraction(weight) for weight in weights]
    scale = lcm(*(weight.denominator for weight in exact))
    return [int(weight * scale) for weight in exact]


def split(total: Decimal, weights: Sequence[float | Decimal | int], currency: str = "EUR") -> list[Decimal]:
    """Shares of `total` in proportion to `weights`, in whole minor units, that sum exactly to `total`.

    Largest remainder (Hamilton's method); equal remainders go to the earlier place. All weights zero shares equally.
    Raises ValueError for a negative weight, no weights, or a total finer than the minor unit.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("weights must be given and not be negative")
    smallest = unit(currency)
    units = abs(total) / smallest
    if units != int(units):
        raise ValueError(f"{total} {currency} is not a whole number of {smallest}")
    parts = _whole(weights)
    count, whole = int(units), sum(parts)
    shares = [count * part // whole for part in parts]
    by_remainder = sorted(range(len(parts)), key=lambda place: (-(count * parts[place] % whole), place))
    for place in by_remainder[: count - sum(shares)]:
        shares[place] += 1
    return [(share * smallest).copy_sign(total) for share in shares]
