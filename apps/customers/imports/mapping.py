"""A column mapping: target -> text with ``{Column}`` placeholders, ``{#}`` being the row number.

``{"email": "{E-mail}", "country": "NO", "source_id": "row-{#}"}``. One form covers a plain column, a fixed value and a
value put together from several columns. Options (``date_order``, ``decimal``, ``time_zone``, ...) stand beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from .dialect import FileRefused

ROW_NUMBER = "#"
_PLACE = re.compile(r"\{([^{}]+)\}")
Getter = Callable[[Sequence[str], int], str]


@dataclass(frozen=True)
class Mapping:
    """Targets with their templates, and options of the whole file."""

    targets: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Mapping:
        """The mapping as it stands in Source.mapping and ImportJob.mapping; empty templates are left out."""
        targets = {target: text for target, text in (stored.get("targets") or {}).items() if str(text).strip()}
        return cls(targets, dict(stored.get("options") or {}))

    def to_json(self) -> dict[str, Any]:
        return {"targets": self.targets, "options": self.options}

    def columns(self) -> set[str]:
        """The columns of the file that it reads."""
        found = (name for text in self.targets.values() for name in _PLACE.findall(text))
        return {name for name in found if name != ROW_NUMBER}

    def numbers_rows(self) -> bool:
        """Whether some target takes the row's number."""
        return any(ROW_NUMBER in _PLACE.findall(text) for text in self.targets.values())

    def missing(self, columns: Sequence[str]) -> list[str]:
        """Columns that it reads and the file does not have."""
        return sorted(self.columns() - set(columns))


def getter(template: str, columns: Sequence[str]) -> Getter:
    """A function (cells, row number) -> text. Raises FileRefused when the file lacks a column."""
    parts = _PLACE.split(template)
    if loose := next((text for text in parts[0::2] if "{" in text or "}" in text), ""):
        raise FileRefused(
            _("“%(text)s” has a brace without its pair. A column is written {Column}, the row number {#}.")
            % {"text": (loose if len(parts) > 1 else template).strip()[:60]}
        )
    index = {name: place for place, name in enumerate(columns)}
    for name in parts[1::2]:
        if name != ROW_NUMBER and name not in index:
            raise FileRefused(_("The file has no column “%(name)s”, which the mapping needs.") % {"name": name})
    if len(parts) == 3 and not parts[0].strip() and not parts[2].strip() and parts[1] != ROW_NUMBER:
        place = index[parts[1]]
        return lambda cells, row: cells[place].strip()
    if len(parts) == 1:
        fixed = template.strip()
        return lambda cells, row: fixed
    return _assembled(parts, index)


def _assembled(parts: list[str], index: dict[str, int]) -> Getter:
    """Several pieces; the whole is empty when every column in it is."""
    literals, names = parts[0::2], parts[1::2]
    places = [-1 if name == ROW_NUMBER else index[name] for name in names]

    def get(cells: Sequence[str], row: int) -> str:
        filled = [str(row) if place < 0 else cells[place].strip() for place in places]
        if not any(filled):
            return ""
        pieces = [text for pair in zip(literals, [*filled, ""], strict=True) for text in pair]
        return "".join(pieces).strip()

    return get


_GUESSES = [
    (
        "source_id",
        r"(customer|client|user|contact|member|person|crm|loyalty)?[ _-]?(id|no|nr|number|key)|kundenr|rec.?id|unique.?id",
    ),
    ("email", r"e-?mail([ _-]?address)?|epost|e-post|mail"),
    ("phone", r"(mobile|phone|telephone|tel|mobil|telefon|cell)([ _-]?(number|no|nr))?|komórka"),
    ("given_name", r"(first|given|fore)[ _-]?name|fornavn|imi[ęe]|vorname|first"),
    ("family_name", r"(last|family|sur)[ _-]?name|etternavn|nazwisko|nachname|last|surname"),
    ("name", r"(full[ _-]?)?name|navn|nazwa"),
    ("language", r"language|lang|spr[åa]k|j[ęe]zyk|sprache|locale"),
    ("country", r"country|land|kraj"),
    ("city", r"city|town|place|sted|poststed|miasto|ort|suburb"),
    ("street", r"street|address([ _-]?1)?|adresse|ulica|stra(ss|ß)e"),
    ("postcode", r"(post|postal|zip)[ _-]?(code|nr|number)?|postnummer|kod pocztowy|plz"),
    ("customer_since", r"(customer|member)[ _-]?since|joined|registered"),
    ("interaction_id", r"(order|invoice|receipt|line)[ _-]?(id|no|number)|invoiceno"),
    ("at", r"date|time|at|when|timestamp|(invoice|order)[ _-]?date|invoicedate|dato|data"),
    ("quantity", r"quantity|qty|antall|ilo[śs][ćc]"),
    ("unit_price", r"unit[ _-]?price|price|pris|cena|unitprice"),
    ("value", r"amount|total|value|sum|bel[øo]p|kwota"),
    ("currency", r"currency|valuta|waluta"),
    ("sku", r"sku|article|stock[ _-]?code|product[ _-]?(id|code)|varenr|stockcode"),
    ("product_name", r"product([ _-]?name)?|description|title|varenavn"),
    ("kind", r"kind|type|event|activity"),
    ("category", r"category|kategori[ae]?"),
    ("brand", r"brand|merke|marka"),
    ("price", r"price|pris|cena"),
]


def guess(columns: Sequence[str], allowed: set[str]) -> dict[str, str]:
    """A first mapping by the usual names of columns, each target and column used once."""
    found: dict[str, str] = {}
    used: set[str] = set()
    for target, pattern in _GUESSES:
        if target not in allowed or target in found:
            continue
        for name in columns:
            if name not in used and re.fullmatch(pattern, name.strip().casefold().replace("customerid", "customer id")):
                found[target] = "{" + name + "}"
                used.add(name)
                break
    return found
