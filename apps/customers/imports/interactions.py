"""From staged lines to interactions: who (through the same matching as customers), what, when, for how much."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from apps.customers import care
from apps.customers.models import ImportJob, Source
from apps.customers.models.people import InteractionKind

from . import people, values
from .care import complaint_source
from .customers import run, scalar
from .mapping import Getter, Mapping, getter
from .people import PersonParser, RowRefused, key_of

COLUMNS: list[tuple[str, str]] = [
    ("row_no", "int"),
    ("external_id", "text"),
    ("emails", "text[]"),
    ("phones", "text[]"),
    ("others", "text[]"),
    ("name", "text"),
    ("given_name", "text"),
    ("family_name", "text"),
    ("sort_key", "text"),
    ("country", "text"),
    ("raw", "jsonb"),
    ("event_id", "text"),
    ("kind", "text"),
    ("channel", "text"),
    ("at", "timestamptz"),
    ("value", "numeric"),
    ("currency", "text"),
    ("sku", "text"),
    ("product_name", "text"),
    ("quantity", "int"),
    ("detail", "jsonb"),
]
_PERSON = (
    "external_id", "emails", "phones", "others", "name", "given_name", "family_name", "sort_key", "country", "raw",
)  # fmt: skip
_PERSON_PLACES = [[name for name, _kind in people.COLUMNS].index(name) for name in _PERSON]
# People of earlier lines that are kept at hand: those of one order, or of one day's visits.
_PEOPLE_KEPT = 10_000
_KINDS = {
    "sale": "purchase", "order": "purchase", "buy": "purchase", "kjøp": "purchase", "zakup": "purchase",
    "refund": "return", "cancellation": "return", "retur": "return", "zwrot": "return", "page_view": "visit",
    "pageview": "visit", "web": "visit", "add_to_cart": "cart", "basket": "cart", "wishlist": "wish", "store visit": "store_visit",
    "phone": "call", "complaint": "complaint",
}  # fmt: skip
# Asked of every line; the enumeration would put this together anew each time.
_KNOWN_KINDS = frozenset(InteractionKind.values)
_MONEY = Decimal("0.01")
_BIGGEST = Decimal(10) ** 11


class InteractionParser:
    """Turns cells into a staging line of one event and the person it belongs to."""

    def __init__(self, mapping: Mapping, header: Sequence[str], source: Source) -> None:
        who = {target: text for target, text in mapping.targets.items() if target in _PERSON_TARGETS}
        persons = Mapping(who, mapping.options)
        self.person = PersonParser(persons, header, source)
        self.warnings = self.person.warnings
        self._places = None if persons.numbers_rows() else [place for place, name in enumerate(header) if name in persons.columns()]
        self._people: dict[tuple[str, ...], tuple[tuple[Any, ...], list[str]]] = {}
        self.get: dict[str, Getter] = {}
        self.details: list[tuple[str, Getter]] = []
        for target, template in mapping.targets.items():
            if target.startswith("detail:"):
                self.details.append((target.partition(":")[2], getter(template, header)))
            elif target not in _PERSON_TARGETS:
                self.get[target] = getter(template, header)
        self.decimal = str(mapping.options.get("decimal", ""))
        self.order = str(mapping.options.get("date_order", ""))
        self.zone = ZoneInfo(str(mapping.options.get("time_zone") or settings.COMPANY_TIME_ZONE))

    def text(self, target: str, cells: Sequence[str], row: int) -> str:
        get = self.get.get(target)
        return get(cells, row) if get else ""

    def parse(self, cells: Sequence[str], row: int) -> tuple[Any, ...]:
        """One staging line. Raises RowRefused."""
        who = self._person(cells, row)
        try:
            what = self._event(cells, row)
        except ValueError as error:
            raise RowRefused([str(error)]) from error
        given = self.text("interaction_id", cells, row)[:120]
        at = what[2]
        event = given or key_of(who[0], what[0], at.isoformat(), *(str(part) for part in what[3:6]))
        return (row, *who, event, *what, self._detail(cells, row))

    def _person(self, cells: Sequence[str], row: int) -> tuple[Any, ...]:
        """What the line says of the person, as in _PERSON; the same cells are read once. Raises RowRefused."""
        if self._places is None:
            return self._read_person(cells, row)
        said = tuple(cells[place] for place in self._places)
        found = self._people.get(said)
        if found is not None:
            for warned in found[1]:
                self.warnings[warned] += 1
            return found[0]
        before = dict(self.warnings)
        who = self._read_person(cells, row)
        if len(self._people) >= _PEOPLE_KEPT:
            self._people.clear()
        self._people[said] = who, [name for name, count in self.warnings.items() if count > before.get(name, 0)]
        return who

    def _read_person(self, cells: Sequence[str], row: int) -> tuple[Any, ...]:
        line = self.person.parse(cells, row)
        return tuple(line[place] for place in _PERSON_PLACES)

    def _event(self, cells: Sequence[str], row: int) -> tuple[Any, ...]:
        """kind, channel, at, value, currency, sku, product name, quantity. Raises ValueError in words."""
        raw_at = self.text("at", cells, row)
        if not raw_at:
            raise ValueError(_("Nothing says when this happened."))
        at = values.moment(raw_at, self.zone, self.order)
        quantity = self._number("quantity", cells, row)
        value = self._value(cells, row, quantity)
        kind = self._kind(self.text("kind", cells, row))
        if kind == InteractionKind.PURCHASE and ((quantity or 0) < 0 or (value or 0) < 0):
            kind = InteractionKind.RETURN
        currency = self.text("currency", cells, row).upper()[:3] if value is not None else ""
        sku = self.text("sku", cells, row)[:60]
        name = self.text("product_name", cells, row)[:200]
        count = int(quantity) if quantity is not None and abs(quantity) < 2**31 else None
        return (str(kind), self.text("channel", cells, row)[:20], at, value, currency, sku, name, count)

    def _number(self, target: str, cells: Sequence[str], row: int) -> Decimal | None:
        found = self.text(target, cells, row)
        return values.number(found, self.decimal) if found else None

    def _value(self, cells: Sequence[str], row: int, quantity: Decimal | None) -> Decimal | None:
        value = self._number("value", cells, row)
        if value is None:
            price = self._number("unit_price", cells, row)
            value = None if price is None else price * (1 if quantity is None else quantity)
        if value is not None and abs(value) >= _BIGGEST:
            raise ValueError(_("The value is larger than Concord keeps."))
        return None if value is None else value.quantize(_MONEY)

    def _kind(self, raw: str) -> str:
        word = raw.strip().casefold() or str(InteractionKind.OTHER)
        word = _KINDS.get(word, word.replace(" ", "_"))
        if word not in _KNOWN_KINDS:
            raise ValueError(_("“%(text)s” is not a kind of event that Concord knows.") % {"text": raw[:40]})
        return word

    def _detail(self, cells: Sequence[str], row: int) -> str:
        found = {key: text[:400] for key, get in self.details if (text := get(cells, row))}
        return json.dumps(found) if found else "{}"


_PERSON_TARGETS = {
    "source_id", "email", "email_2", "phone", "phone_2", "name", "given_name", "family_name", "country",
}  # fmt: skip


def stage_people(job: ImportJob, events: str, staging: str) -> None:
    """The people whom the events name, each once, into an empty people staging table.

    Somebody whom the source has described already keeps that description: an order line knows less.
    """
    run(
        f"""INSERT INTO {staging} (row_no, external_id, emails, phones, others, postal_detail, name, given_name, family_name,
                sort_key, language, country, city, time_zone, attributes, raw, extra)
            SELECT DISTINCT ON (e.external_id) e.row_no, e.external_id, e.emails, e.phones, e.others, '{{}}', e.name,
                e.given_name, e.family_name, e.sort_key, '', e.country, '', '', '{{}}', coalesce(r.raw, e.raw), '{{}}'
            FROM {events} e LEFT JOIN customers_sourcerecord r ON r.source_id = %s AND r.external_id = e.external_id
            ORDER BY e.external_id, e.row_no DESC""",
        [job.source_id],
    )


def number_repeats(events: str) -> None:
    """Equal lines get their number among equals, so that the same file again gives the same ids."""
    run(
        f"""UPDATE {events} e SET event_id = e.event_id || '.' || n.place FROM (
                SELECT row_no, row_number() OVER (PARTITION BY event_id ORDER BY row_no) AS place FROM {events}
                WHERE event_id LIKE '~%%') n
            WHERE n.row_no = e.row_no"""
    )
    run(f"CREATE INDEX ON {events} (external_id)")
    run(f"ANALYZE {events}")


def counts(job: ImportJob, events: str) -> dict[str, int]:
    """What the lines would do: new, known already, told twice under one id."""
    total = scalar(f"SELECT count(*) FROM {events}")
    different = scalar(f"SELECT count(DISTINCT event_id) FROM {events}")
    known = scalar(
        f"""SELECT count(DISTINCT e.event_id) FROM {events} e JOIN customers_interaction i
            ON i.source_id = %s AND i.external_id = e.event_id AND i.external_id <> ''""",
        [job.source_id],
    )
    return {"new_events": different - known, "known_events": known, "repeated_events": total - different}


def write(job: ImportJob, events: str, staging: str, now: datetime) -> dict[str, int]:
    """Writes products named for the first time and the events. Returns the numbers really written."""
    products = run(
        f"""INSERT INTO customers_product (sku, name, names, brand, url, image_url, is_active)
            SELECT sku, coalesce(max(nullif(product_name, '')), sku), '{{}}', '', '', '', true FROM {events}
            WHERE sku <> '' GROUP BY sku ON CONFLICT (sku) DO NOTHING"""
    )
    written = run(
        f"""INSERT INTO customers_interaction (customer_id, source_record_id, kind, channel, at, value, currency,
                product_id, quantity, external_id, source_id, detail, import_job_id, recorded_at)
            SELECT s.customer_id, s.source_record_id, e.kind, e.channel, e.at, e.value, e.currency, p.id, e.quantity,
                   e.event_id, %s, e.detail, %s, %s
            FROM {events} e JOIN {staging} s ON s.external_id = e.external_id
            LEFT JOIN customers_product p ON p.sku = e.sku AND e.sku <> ''
            ORDER BY e.at, e.row_no
            ON CONFLICT (source_id, external_id) WHERE NOT external_id = '' DO NOTHING""",
        [job.source_id, job.pk, now],
    )
    care.take_complaints("i.import_job_id = %s", [job.pk], now=now, source=complaint_source(job))
    return {"events_written": written, "new_products": products}
