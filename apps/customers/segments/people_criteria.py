"""Conditions on what is known of people: attributes, addresses, sources, other segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from apps.customers.models import AttributeDefinition, Segment, Source
from apps.customers.models.people import ContactKind

from .criteria import Criterion, Field, Moment, Params, in_reach

_CUSTOMER = "customers_customer"
_OPS: dict[str, list[str]] = {
    "text": ["is", "is_not", "contains", "starts", "in", "set", "not_set"],
    "choice": ["is", "is_not", "in", "set", "not_set"],
    "number": ["eq", "ne", "lt", "le", "gt", "ge", "set", "not_set"],
    "date": ["before", "after", "on", "days_less", "days_more", "set", "not_set"],
    "boolean": ["yes", "no", "set", "not_set"],
}
_NUMBER_SQL = {
    "eq": "=",
    "ne": "<>",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "before": "<",
    "after": ">",
    "on": "=",
}
_NO_VALUE = {"set", "not_set", "yes", "no"}


def op_labels() -> dict[str, str]:
    """Comparisons in words."""
    return {
        "is": _("is"), "is_not": _("is not"), "contains": _("contains"), "starts": _("begins with"),
        "in": _("is one of"), "set": _("is known"), "not_set": _("is not known"), "eq": "=", "ne": "≠", "lt": "<",
        "le": "≤", "gt": ">", "ge": "≥", "before": _("is before"), "after": _("is after"), "on": _("is on"),
        "days_less": _("is at most so many days ago"), "days_more": _("is more than so many days ago"),
        "yes": _("is yes"), "no": _("is no"),
    }  # fmt: skip


def _built_in() -> dict[str, tuple[str, str, str]]:
    """Field code -> (label, kind, SQL text expression)."""
    return {
        "country": (_("country"), "text", "c.country"),
        "language": (_("language"), "text", "c.language"),
        "city": (_("place"), "text", "c.city"),
        "name": (_("name"), "text", "c.name"),
        "time_zone": (_("time zone"), "text", "c.time_zone"),
        "is_business": (_("business contact"), "boolean", "c.is_business"),
        "customer_since": (_("customer since"), "date", "c.customer_since"),
        "first_seen": (_("first seen"), "date", "c.created_at::date"),
    }


class AttributeCriterion(Criterion):
    """A fact about the person: ``field`` (built in, or ``attribute:<key>``), ``op``, ``value``."""

    code = "attribute"
    tables = (_CUSTOMER,)

    @property
    def label(self) -> str:
        return _("What is known of the person")

    def _fields(self) -> dict[str, tuple[str, str, str]]:
        found = _built_in()
        for one in AttributeDefinition.objects.all():
            found[f"attribute:{one.key}"] = (one.label, one.kind, one.key)
        return found

    def fields(self, params: Params) -> list[Field]:
        known = self._fields()
        kind = known.get(params.get("field", ""), ("", "text", ""))[1]
        labels = op_labels()
        ops = [(op, labels[op]) for op in _OPS[kind]]
        asked = [
            Field(
                "field", _("fact"), "choice", [(code, label) for code, (label, _k, _e) in known.items()], required=True
            ),
            Field("op", _("comparison"), "choice", ops, required=True, default=_OPS[kind][0]),
        ]
        op = params.get("op") or _OPS[kind][0]
        if op not in _NO_VALUE:
            form = "number" if kind == "number" or op.startswith("days") else "date" if kind == "date" else "text"
            hint = _("Several, parted by commas.") if op == "in" else ""
            asked.append(Field("value", _("value"), form, self._choices(params), required=True, help=hint))
        return asked

    def _choices(self, params: Params) -> list[tuple[str, str]]:
        name = params.get("field", "")
        if not name.startswith("attribute:") or params.get("op") == "in":
            return []
        one = AttributeDefinition.objects.filter(key=name.partition(":")[2], kind="choice").first()
        return [(str(choice), str(choice)) for choice in one.choices] if one else []

    def problems(self, params: Params) -> list[str]:
        known = self._fields().get(str(params.get("field", "")))
        if not params.get("field"):
            return [_("Choose what should be compared.")]
        if known is None:
            return [_("There is no field called “%(name)s”.") % {"name": params["field"]}]
        label, kind, _expression = known
        op = params.get("op", "")
        if op not in _OPS[kind]:
            return [_("“%(field)s” cannot be compared that way.") % {"field": label}]
        if op not in _NO_VALUE and str(params.get("value", "")).strip() == "":
            return [_("Say what “%(field)s” should be compared with.") % {"field": label}]
        return self._value_problems(label, kind, op, str(params.get("value", "")))

    def _value_problems(self, label: str, kind: str, op: str, value: str) -> list[str]:
        if op in _NO_VALUE:
            return []
        try:
            if op.startswith("days"):
                if not 0 <= int(value) <= 36500:
                    raise ValueError
            elif kind == "number":
                if not in_reach(value):
                    raise ValueError
            elif kind == "date":
                date.fromisoformat(value)
        except ValueError:
            return [_("“%(value)s” does not fit “%(field)s”.") % {"value": value[:40], "field": label}]
        return []

    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        name, op = params["field"], params["op"]
        _label, kind, expression = self._fields()[name]
        before: list[Any] = []
        if name.startswith("attribute:"):
            key, expression = expression, f"({_json_expression(kind)})"
            before = [key] * expression.count("%s")
        test, after = _test(expression, kind, op, params.get("value"), moment)
        return f"SELECT c.id FROM {_CUSTOMER} c WHERE {test}", before + after

    def describe(self, params: Params) -> str:
        label = self._fields().get(params.get("field", ""), (params.get("field", "?"), "", ""))[0]
        op = params.get("op", "")
        value = "" if op in _NO_VALUE else f" {params.get('value', '')}"
        return f"{label} {op_labels().get(op, op)}{value}"


def _json_expression(kind: str) -> str:
    """The attribute as SQL of its kind; a value of another kind (the definition was changed) counts as unknown."""
    if kind == "number":
        return "CASE WHEN jsonb_typeof(c.attributes -> %s) = 'number' THEN (c.attributes ->> %s)::numeric END"
    if kind == "boolean":
        return "CASE WHEN jsonb_typeof(c.attributes -> %s) = 'boolean' THEN (c.attributes ->> %s)::bool END"
    if kind == "date":
        return r"CASE WHEN (c.attributes ->> %s) ~ '^\d{4}-\d\d-\d\d$' THEN (c.attributes ->> %s)::date END"
    return "(c.attributes ->> %s)"


def _test(expression: str, kind: str, op: str, value: Any, moment: Moment) -> tuple[str, list[Any]]:
    if op in ("set", "not_set"):
        empty = f"coalesce({expression}::text, '') = ''"
        return (f"NOT ({empty})" if op == "set" else empty), []
    if op in ("yes", "no"):
        return f"{expression} IS {'TRUE' if op == 'yes' else 'FALSE'}", []
    if kind == "date" and op.startswith("days"):
        sign = ">=" if op == "days_less" else "<"
        return f"{expression} {sign} %s", [moment.day - timedelta(days=int(value))]
    if kind == "number":
        return f"{expression} {_NUMBER_SQL[op]} %s", [Decimal(str(value))]
    if kind == "date":
        return f"{expression} {_NUMBER_SQL[op]} %s", [date.fromisoformat(str(value))]
    return _text_test(f"lower({expression})", op, str(value).strip().lower())


def _text_test(expression: str, op: str, value: str) -> tuple[str, list[Any]]:
    if op == "is":
        return f"{expression} = %s", [value]
    if op == "is_not":
        return f"coalesce({expression}, '') <> %s", [value]
    if op == "in":
        return f"{expression} = ANY(%s)", [[part.strip() for part in value.split(",") if part.strip()]]
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{expression} LIKE %s", [f"{escaped}%" if op == "starts" else f"%{escaped}%"]


class AddressCriterion(Criterion):
    """Has (or has not) an address of a kind: ``kind``, ``has`` yes or no."""

    code = "address"
    tables = (_CUSTOMER, "customers_contactpoint")

    @property
    def label(self) -> str:
        return _("Has an address")

    def fields(self, params: Params) -> list[Field]:
        return [Field("kind", _("kind"), "choice", ContactKind.choices, required=True, default="email")]

    def problems(self, params: Params) -> list[str]:
        return [] if params.get("kind") in ContactKind.values else [_("Choose the kind of address.")]

    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        return "SELECT customer_id FROM customers_contactpoint WHERE kind = %s AND valid_to IS NULL", [params["kind"]]

    def describe(self, params: Params) -> str:
        kind = dict(ContactKind.choices).get(params.get("kind", ""), "?")
        return _("has an address: %(kind)s") % {"kind": kind}


class SourceCriterion(Criterion):
    """Is known to a source: ``source`` is its code."""

    code = "source"
    tables = ("customers_sourcerecord",)

    @property
    def label(self) -> str:
        return _("Is known to a source")

    def fields(self, params: Params) -> list[Field]:
        choices = list(Source.objects.values_list("code", "name"))
        return [Field("source", _("source"), "choice", choices, required=True)]

    def problems(self, params: Params) -> list[str]:
        known = Source.objects.filter(code=params.get("source", "")).exists()
        return [] if known else [_("Choose a source.")]

    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        return (
            "SELECT r.customer_id FROM customers_sourcerecord r JOIN customers_source s ON s.id = r.source_id WHERE s.code = %s",
            [params["source"]],
        )

    def describe(self, params: Params) -> str:
        return _("known to %(source)s") % {"source": params.get("source", "?")}


class SegmentCriterion(Criterion):
    """Belongs to another segment or fixed list: ``id``."""

    code = "segment"

    @property
    def label(self) -> str:
        return _("Is in another segment")

    def fields(self, params: Params) -> list[Field]:
        choices = [(str(pk), name) for pk, name in Segment.objects.filter(archived_at=None).values_list("pk", "name")]
        return [Field("id", _("segment"), "choice", choices, required=True)]

    def problems(self, params: Params) -> list[str]:
        named = list(self.references(params))
        if not named:
            return [_("Choose a segment.")]
        there = Segment.objects.filter(pk__in=named).exists()
        return [] if there else [_("A segment that the rule names is not there any more.")]

    def references(self, params: Params) -> Iterable[int]:
        value = str(params.get("id", ""))
        return [int(value)] if value.isdecimal() and len(value) < 18 else []

    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        raise NotImplementedError("the tree asks the segment itself")

    def describe(self, params: Params) -> str:
        name = Segment.objects.filter(pk__in=list(self.references(params))).values_list("name", flat=True).first()
        return _("in “%(name)s”") % {"name": name or "?"}


class EveryoneCriterion(Criterion):
    """Everybody who lives in the database: not merged, not erased, not undone."""

    code = "everyone"
    tables = (_CUSTOMER,)

    @property
    def label(self) -> str:
        return _("Everybody")

    def fields(self, params: Params) -> list[Field]:
        return []

    def problems(self, params: Params) -> list[str]:
        return []

    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        return (
            f"SELECT id FROM {_CUSTOMER} WHERE merged_into_id IS NULL AND erased_at IS NULL AND undone_at IS NULL",
            [],
        )

    def describe(self, params: Params) -> str:
        return _("everybody")
