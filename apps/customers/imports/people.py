"""The cells of a row that say who it is about, as one line of the staging table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.core import text
from apps.customers.models import Source

from . import columns, values
from .mapping import Getter, Mapping, getter

# Column, SQL type. ``emails`` and ``phones`` are normalised; ``others`` are "<source code>:<id>" of other sources.
COLUMNS: list[tuple[str, str]] = [
    ("row_no", "int"),
    ("external_id", "text"),
    ("emails", "text[]"),
    ("phones", "text[]"),
    ("others", "text[]"),
    ("postal", "text"),
    ("postal_detail", "jsonb"),
    ("name", "text"),
    ("given_name", "text"),
    ("family_name", "text"),
    ("sort_key", "text"),
    ("language", "text"),
    ("country", "text"),
    ("city", "text"),
    ("time_zone", "text"),
    ("is_business", "bool"),
    ("customer_since", "date"),
    ("attributes", "jsonb"),
    ("raw", "jsonb"),
    ("extra", "jsonb"),
]
_LIMITS = {"name": 200, "given_name": 100, "family_name": 100, "city": 100}
_POSTAL = ("street", "street_2", "postcode", "city", "region")
_SOFT = ("country", "language")


class RowRefused(Exception):
    """A row cannot be taken; ``problems`` say why, in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def key_of(*parts: str) -> str:
    """A made-up source id: the same parts give the same id, which tells nothing of them."""
    return "~" + hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()


class PersonParser:
    """Turns cells into a staging line by a mapping. Words in ``warnings`` count what was left out of a taken row."""

    def __init__(self, mapping: Mapping, header: Sequence[str], source: Source) -> None:
        self.source = source
        self.header = list(header)
        self.decimal = str(mapping.options.get("decimal", ""))
        self.order = str(mapping.options.get("date_order", ""))
        self.get: dict[str, Getter] = {}
        self.attributes: list[tuple[str, str, Getter]] = []
        self.others: list[tuple[str, Getter]] = []
        self.extra: list[tuple[str, Getter, Callable[[str, str], Any]]] = []
        self.warnings: dict[str, int] = {}
        for target, template in mapping.targets.items():
            self._take(target, getter(template, header))
        read = mapping.columns()
        self.kept = [(place, name) for place, name in enumerate(self.header) if name in read]

    def _take(self, target: str, get: Getter) -> None:
        family, _colon, rest = target.partition(":")
        handler = columns.handler_of(target)
        if handler is not None:
            self.extra.append((target, get, handler.parse))
        elif family == "attribute":
            key, _colon, kind = rest.partition(":")
            self.attributes.append((key, kind or "text", get))
        elif family == "id":
            self.others.append((rest, get))
        else:
            self.get[target] = get

    def text(self, target: str, cells: Sequence[str], row: int) -> str:
        """The text of a target, empty when it is not mapped."""
        get = self.get.get(target)
        return get(cells, row) if get else ""

    def parse(self, cells: Sequence[str], row: int) -> tuple[Any, ...]:
        """One staging line. Raises RowRefused."""
        problems: list[str] = []
        country = self._soft("country", cells, row, values.country)
        emails = self._addresses(("email", "email_2"), cells, row, text.normalise_email, problems)
        home = country or self.source.default_country
        phones = self._addresses(
            ("phone", "phone_2"), cells, row, lambda raw: text.normalise_phone(raw, home), problems
        )
        others = [f"{code}:{found}" for code, get in self.others if (found := get(cells, row))]
        external = self.text("source_id", cells, row)[:120] or self._made_up(emails, phones, others)
        if not external and not problems:
            problems.append(_("Nothing says who this is: no id, no e-mail address, no phone number."))
        language = self._soft("language", cells, row, values.language)
        facts = self._facts(cells, row, problems)
        attributes = self._attributes(cells, row, problems)
        extra = self._extra(cells, row, problems)
        if problems:
            raise RowRefused(problems)
        postal, detail = self._postal(cells, row, country)
        name, given, family, key = self._names(cells, row)
        return (
            row, external, emails, phones, others, postal, detail, name, given, family, key, language, country,
            self.text("city", cells, row)[:100], *facts, attributes, self._raw(cells), extra,
        )  # fmt: skip

    def _made_up(self, emails: list[str], phones: list[str], others: list[str]) -> str:
        first = emails[:1] or phones[:1] or others[:1]
        return key_of(*first) if first else ""

    def _soft(self, target: str, cells: Sequence[str], row: int, parse: Callable[[str], str]) -> str:
        """A value that is left out, and counted, when it cannot be understood: it must not cost the whole row."""
        found = self.text(target, cells, row)
        if not found:
            return ""
        try:
            return parse(found)
        except ValueError:
            self.warnings[target] = self.warnings.get(target, 0) + 1
            return ""

    def _addresses(
        self,
        targets: tuple[str, ...],
        cells: Sequence[str],
        row: int,
        normalise: Callable[[str], str],
        problems: list[str],
    ) -> list[str]:
        found: list[str] = []
        for target in targets:
            raw = self.text(target, cells, row)
            if not raw:
                continue
            try:
                value = normalise(raw)
            except text.InvalidAddress as error:
                problems.append(f"{raw[:60]}: {error}")
                continue
            if value not in found:
                found.append(value)
        return found

    def _facts(self, cells: Sequence[str], row: int, problems: list[str]) -> tuple[Any, ...]:
        zone = self._checked("time_zone", cells, row, values.time_zone, problems) or ""
        business = self._checked("is_business", cells, row, values.yes_or_no, problems)
        since = self._checked("customer_since", cells, row, lambda raw: values.day(raw, self.order), problems)
        return zone, business, since

    def _checked(
        self, target: str, cells: Sequence[str], row: int, parse: Callable[[str], Any], problems: list[str]
    ) -> Any:
        found = self.text(target, cells, row)
        if not found:
            return None
        try:
            return parse(found)
        except ValueError as error:
            problems.append(str(error))
            return None

    def _attributes(self, cells: Sequence[str], row: int, problems: list[str]) -> str:
        found: dict[str, Any] = {}
        for key, kind, get in self.attributes:
            raw = get(cells, row)
            if not raw:
                continue
            try:
                found[key] = typed(raw, kind, self.decimal, self.order)
            except ValueError as error:
                problems.append(f"{key}: {error}")
        return json.dumps(found) if found else "{}"

    def _extra(self, cells: Sequence[str], row: int, problems: list[str]) -> str:
        found: dict[str, Any] = {}
        for target, get, parse in self.extra:
            raw = get(cells, row)
            if not raw:
                continue
            try:
                found[target] = parse(target, raw)
            except ValueError as error:
                problems.append(str(error))
        return json.dumps(found) if found else "{}"

    def _names(self, cells: Sequence[str], row: int) -> tuple[str, str, str, str]:
        given = self.text("given_name", cells, row)[: _LIMITS["given_name"]]
        family = self.text("family_name", cells, row)[: _LIMITS["family_name"]]
        name = (self.text("name", cells, row) or f"{given} {family}".strip())[: _LIMITS["name"]]
        if name and not family:
            given, _space, family = name.rpartition(" ")
            given, family = given[:100], family[:100]
        key = text.sort_key(f"{family} {given}".strip() or name)[:200] if name else ""
        return name, given, family, key

    def _postal(self, cells: Sequence[str], row: int, country: str) -> tuple[str | None, str]:
        parts = {part: self.text(part, cells, row)[:120] for part in _POSTAL if part in self.get}
        if not parts.get("street") or not (parts.get("city") or parts.get("postcode")):
            return None, "{}"
        parts["country"] = country
        place = f"{parts.get('postcode', '')} {parts.get('city', '')}".strip()
        line = ", ".join(filter(None, [parts["street"], parts.get("street_2"), place, parts.get("region"), country]))
        return line[:400], json.dumps({part: value for part, value in parts.items() if value})

    def _raw(self, cells: Sequence[str]) -> str:
        return json.dumps({name: cells[place] for place, name in self.kept if cells[place]})


def typed(raw: str, kind: str, decimal: str = "", order: str = "") -> Any:
    """An attribute's JSON value by its kind. Raises ValueError in words."""
    if kind == "number":
        found = values.number(raw, decimal)
        return int(found) if found == found.to_integral_value() and abs(found) < 10**15 else float(found)
    if kind == "date":
        return values.day(raw, order).isoformat()
    if kind == "boolean":
        return values.yes_or_no(raw)
    return raw[:1000]
