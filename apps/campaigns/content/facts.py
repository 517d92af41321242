"""The values of merge fields for many people at once, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.core import clock
from apps.customers.models import Customer, Product, ProductPrice

from ..models import Brand, ContentVersion, Message, Offer
from ..models.offers import OfferKind
from . import wording

Facts = dict[str, Any]


class Merge:
    """What a message may say of its offer and products, loaded once; ``for_people`` adds the people."""

    def __init__(self, message: Message, *, now: datetime) -> None:
        self.today = clock.company_day(now)
        self.offer: Offer | None = message.offer
        self.offer_prices = (
            {price.country: (price.amount, price.currency) for price in self.offer.prices.all()} if self.offer else {}
        )
        own = (self.offer.product if self.offer else None) or message.campaign.product
        wanted = product_ids(message.versions.all())
        self.products = {p.pk: p for p in Product.objects.select_related("category").filter(pk__in=wanted)}
        self.own = own
        if own:
            self.products[own.pk] = own
        self.prices = self._ordinary_prices()
        brand = Brand.objects.filter(department=message.campaign.department_id).defer("logo").first()
        self.company = {"name": brand.company_name, "address": brand.postal_address} if brand else {"name": "", "address": ""}
        self._of_place: dict[tuple[str, str], Facts] = {}

    def _ordinary_prices(self) -> dict[tuple[int, str], tuple[Decimal, str]]:
        rows = ProductPrice.objects.filter(product__in=self.products, valid_from__lte=self.today).order_by("valid_from")
        return {(row.product_id, row.country): (row.amount, row.currency) for row in rows}

    def for_people(self, customer_ids: Iterable[int]) -> dict[int, Facts]:
        """customer id -> merge fields. One query; people who no longer exist are left out."""
        rows = Customer.objects.filter(pk__in=list(customer_ids)).only(
            "name", "given_name", "family_name", "language", "country", "city", "attributes", "customer_since"
        )
        return {row.pk: self.for_person(row) for row in rows.iterator(chunk_size=5000)}

    def for_person(self, person: Customer) -> Facts:
        """All merge fields but the links, which belong to one delivery.

        What is not known is None: in Liquid an empty text counts as there, so a condition on it would mislead.
        """
        since = person.customer_since
        return {
            "customer": {
                "name": person.name, "language": person.language, "given_name": person.given_name or None,
                "family_name": person.family_name or None, "city": person.city or None, "country": person.country or None,
                "customer_since": wording.day(since, person.language) if since else None,
            },
            "attribute": {key: None if value == "" else value for key, value in person.attributes.items()},
            "company": self.company,
            **self._place(person.country, person.language),
        }  # fmt: skip

    def _place(self, country: str, language: str) -> Facts:
        """Offer and products as people of one country and language read them; the same object for all of them."""
        key = (country, language)
        if key not in self._of_place:
            products = {str(pk): self._product(product, country, language) for pk, product in self.products.items()}
            self._of_place[key] = {
                "offer": self._offer(country, language),
                "products": products,
                "product": products[str(self.own.pk)] if self.own else {},
            }
        return self._of_place[key]

    def _offer(self, country: str, language: str) -> Facts:
        offer = self.offer
        if offer is None:
            return {}
        amount = self.reduced(self.own, country) if self.own else self._offer_money(country)
        return {
            "name": offer.name, "code": offer.code or None, "claim": offer.claim or None, "terms": offer.terms or None,
            "price": wording.price(*amount, language) if amount else None,
            "discount": self._discount(country, language) or None,
            "until": wording.day(clock.company_day(offer.valid_until), language),
        }  # fmt: skip

    def _discount(self, country: str, language: str) -> str:
        offer = self.offer
        assert offer is not None
        if offer.kind == OfferKind.PERCENT and offer.value is not None:
            return f"−{wording.number(offer.value, language)}\u00a0%"
        amount = self._offer_money(country) if offer.kind == OfferKind.AMOUNT else None
        return f"−{wording.price(*amount, language)}" if amount else ""

    def _offer_money(self, country: str) -> tuple[Decimal, str] | None:
        """The money the offer itself names for a country: its own price there, or its general one."""
        offer = self.offer
        if offer is None or offer.kind not in (OfferKind.PRICE, OfferKind.AMOUNT):
            return None
        if country in self.offer_prices:
            return self.offer_prices[country]
        return (offer.value, offer.currency) if offer.value is not None and offer.currency and not self.offer_prices else None

    def _concerns(self, product: Product) -> bool:
        offer = self.offer
        if offer is None:
            return False
        if offer.product_id:
            return offer.product_id == product.pk
        path = product.category.path if product.category else ""
        return bool(offer.category_id and f"/{offer.category_id}/" in path)

    def reduced(self, product: Product, country: str) -> tuple[Decimal, str] | None:
        """What the product costs in a country under the offer: its ordinary price when the offer does not touch it."""
        ordinary = self.prices.get((product.pk, country))
        offer = self.offer
        if offer is None or not self._concerns(product):
            return ordinary
        named = self._offer_money(country)
        if offer.kind == OfferKind.PRICE:
            return named
        if ordinary is None:
            return None
        if offer.kind == OfferKind.PERCENT and offer.value is not None:
            return ordinary[0] * (100 - offer.value) / 100, ordinary[1]
        if offer.kind == OfferKind.AMOUNT and named and named[1] == ordinary[1]:
            return max(ordinary[0] - named[0], Decimal(0)), ordinary[1]
        return ordinary

    def _product(self, product: Product, country: str, language: str) -> Facts:
        now, was = self.reduced(product, country), self.prices.get((product.pk, country))
        base = language.split("-")[0]
        return {
            "name": product.names.get(language) or product.names.get(base) or product.name,
            "brand": product.brand or None,
            "price": wording.price(*now, language) if now else None,
            "was": wording.price(*was, language) if was and now and was[1] == now[1] and was[0] > now[0] else None,
            "url": product.url or None,
            "image_url": product.image_url or None,
        }

    def countries_with_price(self, product: Product | None) -> set[str]:
        """Countries in which the product, or without one the offer, has a price."""
        if product is None:
            offer = self.offer
            general = offer is not None and offer.value is not None and offer.currency and not self.offer_prices
            return {"*"} if general else set(self.offer_prices)
        known = {country for pk, country in self.prices if pk == product.pk} | set(self.offer_prices)
        return {country for country in known if self.reduced(product, country)}


def product_ids(versions: Iterable[ContentVersion]) -> set[int]:
    """The products that blocks of these versions show."""
    return {
        block["product"] for version in versions for block in version.blocks
        if block.get("kind") == "product" and block.get("product")
    }


def facts_for(customer_ids: Iterable[int], message: Message, *, now: datetime) -> dict[int, Facts]:
    """customer id -> merge fields for a message, in at most seven queries however many people."""
    return Merge(message, now=now).for_people(customer_ids)
