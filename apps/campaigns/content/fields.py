"""Merge fields offered from the real schema, unknown ones refused in words, missing values counted before sending."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pyroaring import BitMap

from apps.core import bitmaps
from apps.customers.models import AttributeDefinition, Customer

from ..models import ContentVersion, Message
from . import blocks, facts, liquid

CUSTOMER_COLUMNS = ("given_name", "family_name", "name", "city", "country", "language", "customer_since")
OFFER = {
    "name": gettext_lazy("offer"), "code": gettext_lazy("code"), "price": gettext_lazy("price in the customer's country"),
    "discount": gettext_lazy("discount"), "until": gettext_lazy("valid until"), "claim": gettext_lazy("in words"),
    "terms": gettext_lazy("terms"),
}  # fmt: skip
PRODUCT = {
    "name": gettext_lazy("product"), "price": gettext_lazy("price in the customer's country"),
    "was": gettext_lazy("price before"), "brand": gettext_lazy("make"), "url": gettext_lazy("page"),
    "image_url": gettext_lazy("picture"),
}  # fmt: skip
LINKS = {
    "preference": gettext_lazy("preference page"), "unsubscribe": gettext_lazy("unsubscribe"),
    "browser": gettext_lazy("read in the browser"),
}  # fmt: skip
COMPANY = {"name": gettext_lazy("company"), "address": gettext_lazy("postal address")}


@dataclass(frozen=True)
class Field:
    """One merge field: its path as written between braces, and what it is called."""

    path: str
    label: str
    group: str

    @property
    def code(self) -> str:
        return f"{{{{ {self.path} }}}}"


def offered() -> list[Field]:
    """Every merge field there is now: customer columns, this company's own attributes, offer, product, links."""
    labels = {column: str(getattr(Customer._meta.get_field(column), "verbose_name", column)) for column in CUSTOMER_COLUMNS}
    found = [Field(f"customer.{column}", label, _("Customer")) for column, label in labels.items()]
    found += [Field(f"attribute.{a.key}", a.label, _("Attributes")) for a in AttributeDefinition.objects.all()]
    groups = (("offer", OFFER, _("Offer")), ("product", PRODUCT, _("Product")), ("links", LINKS, _("Links")),
              ("company", COMPANY, _("Company")))  # fmt: skip
    found += [Field(f"{root}.{name}", str(label), group) for root, names, group in groups for name, label in names.items()]
    return found


def unknown(paths: Iterable[str], known: Iterable[Field] | None = None) -> list[str]:
    """A sentence for each path that is no merge field, with the nearest one that is."""
    names = {field.path for field in (known if known is not None else offered())}
    sentences = []
    for path in paths:
        if path in names or _product_path(path) or path.split(".")[0] == "forloop":
            continue
        near = difflib.get_close_matches(path, names, n=1, cutoff=0.6)
        text = _("There is no merge field “%(path)s”.") % {"path": path}
        sentences.append(f"{text} {_('Did you mean “%(near)s”?') % {'near': near[0]}}" if near else text)
    return sentences


def _product_path(path: str) -> bool:
    parts = path.split(".")
    return len(parts) == 3 and parts[0] == "products" and parts[1].isdecimal() and parts[2] in PRODUCT


def sources(version: ContentVersion) -> list[str]:
    """All Liquid texts of a version."""
    own = blocks.sources(version.blocks) if version.format == "blocks" else [version.body]
    return [text for text in (version.subject, version.preheader, *own) if text]


def unguarded(version: ContentVersion) -> set[str]:
    """Fields whose absence would be seen: written out without ``default`` and not asked for in a condition."""
    texts = sources(version)
    used = liquid.used_fields(texts)
    together = "\n".join(texts)
    if version.format == "blocks":
        for block in version.blocks:
            if block["kind"] == "product":
                name = f"products.{block['product']}" if block.get("product") else "product"
                used |= {f"{name}.name": 1, f"{name}.price": 1}
                together += f"{{{{ {name}.name }}}}{{{{ {name}.price }}}}"
    return {path for path in used if _is_unguarded(path, together)}


def _is_unguarded(path: str, text: str) -> bool:
    name = re.escape(path)
    if re.search(rf"\{{%-?\s*(?:if|unless|elsif)\b[^%]*\b{name}\b", text):
        return False
    outputs: list[str] = re.findall(rf"\{{\{{-?\s*{name}\b([^}}]*)\}}\}}", text)
    return any(not re.search(r"\|\s*default\s*:", rest) for rest in outputs)


def lacking(paths: Iterable[str], person: facts.Facts) -> str:
    """The first of the paths that is empty for one person, "" when none is; the same judgement as ``missing``."""
    return next((path for path in paths if _lacks(path, person)), "")


def _lacks(path: str, person: facts.Facts) -> bool:
    root, _dot, rest = path.partition(".")
    if (root == "customer" and rest in CUSTOMER_COLUMNS) or root == "attribute" or rest.endswith("price"):
        value: object = person
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value is None or value == ""
    return root in {"product", "offer"} and not person[root]


def missing(message: Message, version: ContentVersion, people: BitMap, *, now: datetime) -> dict[str, BitMap]:
    """path -> the people of ``people`` for whom a field of this version would be empty; only fields with such people."""
    merge = facts.Merge(message, now=now)
    found = {path: _missing(path, merge, people) for path in sorted(unguarded(version))}
    return {path: who for path, who in found.items() if who}


def _missing(path: str, merge: facts.Merge, people: BitMap) -> BitMap:
    root, _dot, rest = path.partition(".")
    if root == "customer" and rest in CUSTOMER_COLUMNS:
        column = f'"{rest}" IS NULL' if rest == "customer_since" else f"\"{rest}\" = ''"
        return people & bitmaps.from_sql(f"SELECT id FROM customers_customer WHERE {column}")
    if root == "attribute":
        sql = "SELECT id FROM customers_customer WHERE coalesce(attributes ->> %s, '') = ''"
        return people & bitmaps.from_sql(sql, [rest])
    if rest.endswith("price"):
        product = merge.own if root in {"offer", "product"} else merge.products.get(int(rest.split(".")[0]))
        return _outside(merge.countries_with_price(product), people)
    if (root == "product" and merge.own is None) or (root == "offer" and merge.offer is None):
        return people
    return BitMap()


def _outside(countries: set[str], people: BitMap) -> BitMap:
    if "*" in countries:
        return BitMap()
    sql = "SELECT id FROM customers_customer WHERE NOT country = ANY(%s)"
    return people & bitmaps.from_sql(sql, [sorted(countries)])
