"""Whether the words of a message promise what its offer gives: prices and discounts in the text against those of the offer.

Careful rather than complete: only a number that is written as money, or a percentage beside a word or sign of a discount, counts
as a claim. What a merge field will write is not looked at: it comes from the offer's product itself.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.customers.models import ProductPrice

from ..models import ContentVersion, Offer
from ..models.offers import OfferKind, OfferPrice
from . import fields

NUMBER = r"\d{1,3}(?:[ \u00a0\u202f.,]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
SIGNS = {"€": "EUR", "eur": "EUR", "kr": "NOK", "nok": "NOK", "zł": "PLN", "zl": "PLN", "pln": "PLN", "£": "GBP", "gbp": "GBP",
         "$": "USD", "usd": "USD", "sek": "SEK", "dkk": "DKK"}  # fmt: skip
KRONER = {"NOK", "SEK", "DKK"}
_SIGN = "|".join(re.escape(sign) for sign in sorted(SIGNS, key=len, reverse=True))
MONEY = re.compile(rf"(?<![\w.,])(?:(?P<before>{_SIGN})\.?\s?(?P<n1>{NUMBER})|(?P<n2>{NUMBER})\s?(?P<after>{_SIGN}))(?![\w])", re.I)
PERCENT = re.compile(
    r"(?P<minus>[-\u2212\u2013]\s?)?(?<![\w.,])(?P<n>\d{1,3}(?:[.,]\d+)?)\s?(?:%|percent\b|per cent\b|prosent\b|procent\b)", re.I,
)
DISCOUNT = re.compile(
    r"\b(off|discount|less|cheaper|sale|save|reduced|rabatt\w*|avslag\w*|billigere|spar\w*|tilbud\w*|rabat\w*|zniżk\w*|taniej|"
    r"przecen\w*|obniżk\w*|oszczęd\w*|promocj\w*)", re.I,
)
THRESHOLD = re.compile(
    r"\b(over|above|more than|at least|minimum|min\.?|mer enn|minst|powyżej|ponad|co najmniej|od kwoty|shipping|delivery|frakt|"
    r"levering|dostaw\w*|wysyłk\w*|before|was|før|ordinary|vanlig|veil\.?|przed|zamiast|regular\w*)\W{0,3}(?:\w+\W+){0,2}$", re.I,
)
NEAR = 28
_DROPPED = re.compile(r"<(style|script)\b.*?</\1>|\{%.*?%\}|\{\{.*?\}\}", re.I | re.S)


def problems(version: ContentVersion) -> list[str]:
    """Claims of the text that its offer does not keep, each in a sentence; none for a message without an offer."""
    offer = version.message.offer
    if offer is None:
        return []
    text = words("\n".join(fields.sources(version)))
    return list(dict.fromkeys([*_percents(text, offer), *_prices(text, offer)]))


def words(source: str) -> str:
    """What a reader sees: no markup, no styles, no merge fields."""
    return html.unescape(re.sub(r"<[^>]*>", " ", _DROPPED.sub(" ", source)))


def _percents(text: str, offer: Offer) -> Iterator[str]:
    """Discounts in per cent that are not the offer's; any at all where it gives none."""
    if offer.kind not in (OfferKind.PERCENT, OfferKind.FULL_PRICE):
        return
    for found in PERCENT.finditer(text):
        claimed = Decimal(found["n"].replace(",", "."))
        if not (found["minus"] or _is_discount(text, found)) or claimed > 99:
            continue
        if offer.kind == OfferKind.FULL_PRICE:
            yield _("the text says %(n)s %% off, but its offer “%(offer)s” is at full price.") % {"n": _plain(claimed), "offer": offer}
        elif claimed != offer.value:
            yield _("the text says %(n)s %%, but its offer “%(offer)s” gives %(value)s %%.") % {
                "n": _plain(claimed), "offer": offer, "value": _plain(offer.value or Decimal(0)),
            }


def _is_discount(text: str, found: re.Match[str]) -> bool:
    """Whether a word of a discount stands close by, so that “100 % cotton” is not one."""
    around = text[max(0, found.start() - NEAR): found.start()] + " · " + text[found.end(): found.end() + NEAR]
    return bool(DISCOUNT.search(around))


def _prices(text: str, offer: Offer) -> Iterator[str]:
    """Sums of money that are neither the offer's nor the regular price of its product, in a currency that it has."""
    if offer.kind not in (OfferKind.PRICE, OfferKind.AMOUNT):
        return
    own, regular = _own(offer), _regular(offer)
    currencies = {currency for currency, _amount in own}
    allowed = own | regular | _differences(own, regular)
    for found in MONEY.finditer(text):
        sign = SIGNS[(found["before"] or found["after"]).lower()]
        claimed = {(currency, _amount(found["n1"] or found["n2"])) for currency in _meant(sign, currencies)}
        if not claimed or claimed & allowed or THRESHOLD.search(text[max(0, found.start() - 40): found.start()]):
            continue
        yield _("the text says %(said)s, but its offer “%(offer)s” says %(prices)s.") % {
            "said": " ".join(found[0].split()), "offer": offer, "prices": _listed(own),
        }


def _own(offer: Offer) -> set[tuple[str, Decimal]]:
    prices = {(row.currency, row.amount) for row in OfferPrice.objects.filter(offer=offer)}
    return prices | ({(offer.currency, offer.value)} if offer.value is not None and offer.currency else set())


def _regular(offer: Offer) -> set[tuple[str, Decimal]]:
    if offer.product_id is None:
        return set()
    return {(row.currency, row.amount) for row in ProductPrice.objects.filter(product=offer.product_id)}


def _differences(own: Iterable[tuple[str, Decimal]], regular: Iterable[tuple[str, Decimal]]) -> set[tuple[str, Decimal]]:
    """What one saves, or pays after an amount off: both may be said."""
    return {(one, abs(before - after)) for one, before in regular for other, after in own if one == other}


def _meant(sign: str, currencies: set[str]) -> set[str]:
    """“kr” is written for three crowns; a currency that the offer does not have says nothing about it."""
    return (KRONER if sign == "NOK" else {sign}) & currencies


def _amount(raw: str) -> Decimal:
    """1 299,00 and 1,299.00 and 1299: a last group of three digits is thousands, of one or two the cents."""
    digits = re.sub(r"[ \u00a0\u202f]", "", raw)
    whole, cents = (digits[: -len(match[0])], match[0][1:]) if (match := re.search(r"[.,]\d{1,2}$", digits)) else (digits, "0")
    return Decimal(f"{re.sub(r'[.,]', '', whole)}.{cents}")


def _plain(value: Decimal) -> str:
    return f"{Decimal(value).normalize():f}"


def _listed(prices: Iterable[tuple[str, Decimal]]) -> str:
    return ", ".join(f"{_plain(amount)} {currency}" for currency, amount in sorted(prices))
