"""Products with their category tree and prices per country. A price list has thousands of rows, not millions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.core import clock
from apps.customers.models import Category, ImportChange, ImportJob, Product, ProductPrice, Source

from . import values
from .mapping import Getter, Mapping, getter
from .people import RowRefused

_FIELDS = ("name", "brand", "url", "image_url")
_LENGTH = {"name": 200, "brand": 80, "url": 200, "image_url": 400}
_PATH = re.compile(r"\s*[>/»|]\s*")


class ProductParser:
    """Turns cells into a product line: a dict of fields, a category path and prices (country, currency, amount, from)."""

    def __init__(self, mapping: Mapping, header: Sequence[str], source: Source) -> None:
        self.warnings: dict[str, int] = {}
        self.get: dict[str, Getter] = {target: getter(text, header) for target, text in mapping.targets.items()}
        self.decimal = str(mapping.options.get("decimal", ""))
        self.order = str(mapping.options.get("date_order", ""))
        self.home = source.default_country

    def text(self, target: str, cells: Sequence[str], row: int) -> str:
        get = self.get.get(target)
        return get(cells, row) if get else ""

    def parse(self, cells: Sequence[str], row: int) -> dict[str, Any]:
        """One product line. Raises RowRefused."""
        sku = self.text("sku", cells, row)
        if not sku or len(sku) > 60:
            raise RowRefused([_("The row has no article number of at most 60 signs.")])
        try:
            active = self.text("is_active", cells, row)
            return {
                "sku": sku,
                "fields": {name: found[: _LENGTH[name]] for name in _FIELDS if (found := self.text(name, cells, row))},
                "is_active": values.yes_or_no(active) if active else None,
                "category": [part for part in _PATH.split(self.text("category", cells, row)) if part][:8],
                "prices": self._prices(cells, row),
            }
        except ValueError as error:
            raise RowRefused([str(error)]) from error

    def _prices(self, cells: Sequence[str], row: int) -> list[tuple[str, str, Decimal, date | None]]:
        since_text = self.text("valid_from", cells, row)
        since = values.day(since_text, self.order) if since_text else None
        currency = self.text("currency", cells, row).upper()[:3]
        country = self.text("country", cells, row)
        home = values.country(country) if country else self.home
        found = []
        for target in self.get:
            family, _colon, place = target.partition(":")
            if family == "price" and (text := self.text(target, cells, row)):
                amount = values.number(text, self.decimal).quantize(Decimal("0.01"))
                found.append((place.upper() or home, currency, _positive(amount), since))
        if any(not price[0] or not price[1] for price in found):
            raise ValueError(_("A price needs a country and a currency."))
        return found


def _positive(amount: Decimal) -> Decimal:
    if not 0 <= amount < 10**10:
        raise ValueError(_("A price cannot be negative or that large."))
    return amount


def write(job: ImportJob, lines: Sequence[dict[str, Any]], now: datetime, dry: bool = False) -> dict[str, int]:
    """Writes lines; the last line of an article number wins. Returns counts; ``dry`` only counts."""
    known = {one.sku: one for one in Product.objects.filter(sku__in={line["sku"] for line in lines})}
    tally = {"new_products": 0, "changed_products": 0, "unchanged_products": 0, "new_prices": 0, "changed_prices": 0}
    tree = _Tree(dry)
    seen: set[str] = set()
    for line in lines:
        product = known.get(line["sku"]) or Product(sku=line["sku"], name=line["sku"])
        outcome = _write_product(job, product, line, tree, dry)
        known[line["sku"]] = product
        if line["sku"] not in seen:
            tally[f"{outcome}_products"] += 1
        seen.add(line["sku"])
        for price in line["prices"]:
            if change := _write_price(job, product, price, now, dry):
                tally[f"{change}_prices"] += 1
    return tally | {"new_categories": tree.made}


def _write_product(job: ImportJob, product: Product, line: dict[str, Any], tree: _Tree, dry: bool) -> str:
    before = {name: getattr(product, name) for name in (*_FIELDS, "is_active", "category_id")}
    for name, value in line["fields"].items():
        setattr(product, name, value)
    if line["is_active"] is not None:
        product.is_active = line["is_active"]
    if line["category"]:
        leaf = tree.leaf(line["category"])
        product.category_id = leaf.pk if leaf else product.category_id
    after = {name: getattr(product, name) for name in before}
    if product.pk is None:
        if not dry:
            product.save()
            ImportChange.objects.create(job=job, kind="new_product", object_id=product.pk)
        return "new"
    if before == after:
        return "unchanged"
    if not dry:
        product.save()
        ImportChange.objects.create(job=job, kind="product", object_id=product.pk, before=before)
    return "changed"


def _write_price(
    job: ImportJob, product: Product, price: tuple[str, str, Decimal, date | None], now: datetime, dry: bool
) -> str:
    """Without a day of its own a price holds from the import's day on, if it differs from the one that holds now."""
    country, currency, amount, since = price
    if product.pk is None:
        return "new"
    prices = ProductPrice.objects.filter(product=product, country=country)
    if since is None:
        current = prices.filter(valid_from__lte=clock.company_day(now)).first()
        if current is not None and (current.amount, current.currency) == (amount, currency):
            return ""
    found = prices.filter(valid_from=since or clock.company_day(now)).first()
    if found is None:
        if not dry:
            found = prices.create(product=product, country=country, currency=currency, amount=amount,
                                  valid_from=since or clock.company_day(now))  # fmt: skip
            ImportChange.objects.create(job=job, kind="new_price", object_id=found.pk)
        return "new"
    if (found.amount, found.currency) == (amount, currency):
        return ""
    if not dry:
        before = {"amount": str(found.amount), "currency": found.currency}
        ImportChange.objects.create(job=job, kind="price", object_id=found.pk, before=before)
        found.amount, found.currency = amount, currency
        found.save()
    return "changed"


class _Tree:
    """Categories by their path of names, made when missing."""

    def __init__(self, dry: bool) -> None:
        self.dry = dry
        self.made = 0
        self.known: dict[tuple[int | None, str], Category] = {
            (one.parent_id, one.name.casefold()): one for one in Category.objects.all()
        }
        self.promised: set[tuple[str, ...]] = set()

    def leaf(self, names: Sequence[str]) -> Category | None:
        """The category at the end of the path; None in a dry run where it would be made."""
        parent: Category | None = None
        for depth, name in enumerate(names, 1):
            found = self.known.get((parent.pk if parent else None, name.casefold()))
            if found is None:
                path = tuple(part.casefold() for part in names[:depth])
                if self.dry:
                    self.made += len({tuple(names[:n]) for n in range(depth, len(names) + 1)} - self.promised)
                    self.promised |= {tuple(names[:n]) for n in range(depth, len(names) + 1)}
                    return None
                found = self._make(parent, name, path)
            parent = found
        return parent

    def _make(self, parent: Category | None, name: str, path: tuple[str, ...]) -> Category:
        code = slugify("-".join(path))[:54] or "category"
        while Category.objects.filter(code=code).exists():
            code = f"{code[:50]}-{Category.objects.count()}"
        made = Category.objects.create(code=code, name=name[:120], parent=parent)
        made.path = f"{parent.path if parent else '/'}{made.pk}/"
        made.save(update_fields=["path"])
        self.known[(made.parent_id, name.casefold())] = made
        self.made += 1
        return made
