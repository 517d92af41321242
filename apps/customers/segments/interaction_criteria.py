"""Conditions on what people did: kind, how often, how recently, for how much, with what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from apps.core import clock
from apps.customers.models import Category, Interaction, Product
from apps.customers.models.people import InteractionKind

from .criteria import Criterion, Field, Moment, Params, in_reach

_COUNT_SQL = {"ge": ">=", "eq": "=", "le": "<="}


def day_start(moment: Moment, days_back: int) -> datetime:
    """The first instant of the company-zone day so many days before the moment's day."""
    return datetime.combine(moment.day - timedelta(days=days_back), time.min, clock.company_zone())


class InteractionCriterion(Criterion):
    """Did something: ``kind``, ``op`` + ``count``, and when and what.

    ``days`` N: today or one of the N whole company-zone days before it. ``days_ago`` N: exactly on the day N days ago
    (1 is yesterday). ``before_days`` N: longer ago than N days. ``value_min`` is of all matching events together.
    """

    code = "interaction"
    tables = ("customers_interaction", "customers_customer", "customers_product", "customers_category")

    @property
    def label(self) -> str:
        return _("What the person did")

    def fields(self, params: Params) -> list[Field]:
        operators = [("ge", _("at least")), ("eq", _("exactly")), ("le", _("at most"))]
        whens = [("", _("ever")), ("days", _("in the last days")), ("days_ago", _("exactly so many days ago")),
                 ("before_days", _("longer ago than"))]  # fmt: skip
        asked = [
            Field("kind", _("event"), "choice", InteractionKind.choices, required=True, default="purchase"),
            Field("op", _("how often"), "choice", operators, default="ge"),
            Field("count", _("times"), "number", default="1"),
            Field("when", _("when"), "choice", whens),
        ]
        when = self._when(params)
        if when:
            asked.append(Field(when, _("days"), "number", required=True, default="30"))
        categories = [("", _("any category")), *((one.code, one.name) for one in Category.objects.all())]
        return [
            *asked,
            Field("category", _("category"), "choice", categories, more=True),
            Field("product", _("article number"), "text", more=True),
            Field("channel", _("where"), "choice", [("", _("anywhere")), *_channels()], more=True),
            Field("value_min", _("worth together at least"), "number", more=True),
        ]

    def _when(self, params: Params) -> str:
        chosen = params.get("when")
        if chosen is None:
            return next(
                (name for name in ("days", "days_ago", "before_days") if params.get(name) not in (None, "")), ""
            )
        return chosen if chosen in ("days", "days_ago", "before_days") else ""

    def problems(self, params: Params) -> list[str]:
        found = []
        if params.get("kind") not in InteractionKind.values:
            found.append(_("Choose what the person did."))
        if params.get("op", "ge") not in _COUNT_SQL:
            found.append(_("Say how often: at least, exactly or at most."))
        when = self._when(params)
        for name in ("count", "days", "days_ago", "before_days"):
            said = params.get(name)
            if not _is_whole(said) or (name == when and str(said if said is not None else "").strip() == ""):
                found.append(_("“%(value)s” is no number of times or days.") % {"value": str(said or "")[:40]})
        if not _is_amount(params.get("value_min")):
            found.append(_("“%(value)s” is no amount.") % {"value": str(params["value_min"])[:40]})
        if params.get("category") and not Category.objects.filter(code=params["category"]).exists():
            found.append(_("There is no category “%(name)s”.") % {"name": params["category"]})
        if params.get("product") and not Product.objects.filter(sku=params["product"]).exists():
            found.append(_("There is no article “%(name)s”.") % {"name": params["product"]})
        return found

    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        where, values = self._where(params, moment)
        op, times = params.get("op") or "ge", _times(params)
        having, bounds = [f"count(*) {_COUNT_SQL[op]} %s"], [times]
        if params.get("value_min"):
            having.append("coalesce(sum(i.value), 0) >= %s")
            bounds.append(Decimal(str(params["value_min"])))  # type: ignore[arg-type]
        if op == "ge" and times == 1 and len(having) == 1:
            return f"SELECT DISTINCT i.customer_id FROM customers_interaction i WHERE {where}", values
        grouped = (
            f"SELECT i.customer_id FROM customers_interaction i WHERE {where} GROUP BY 1 HAVING {' AND '.join(having)}"
        )
        if op in ("le", "eq") and (times == 0 or op == "le") and not params.get("value_min"):
            return self._none_too(where, values, op, times)
        return grouped, [*values, *bounds]

    def _none_too(self, where: str, values: list[Any], op: str, times: int) -> tuple[str, list[Any]]:
        """Never counts as "at most": everybody except those who did it more often."""
        return (
            f"""SELECT c.id FROM customers_customer c WHERE c.merged_into_id IS NULL AND c.id NOT IN (
                SELECT i.customer_id FROM customers_interaction i WHERE {where} GROUP BY 1 HAVING count(*) > %s)""",
            [*values, times],
        )

    def _where(self, params: Params, moment: Moment) -> tuple[str, list[Any]]:
        tests, values = ["i.kind = %s"], [params["kind"]]
        when = self._when(params)
        if when == "days":
            tests.append("i.at >= %s AND i.at < %s")
            values += [day_start(moment, int(params["days"])), day_start(moment, -1)]
        elif when == "days_ago":
            tests.append("i.at >= %s AND i.at < %s")
            values += [day_start(moment, int(params["days_ago"])), day_start(moment, int(params["days_ago"]) - 1)]
        elif when == "before_days":
            tests.append("i.at < %s")
            values.append(day_start(moment, int(params["before_days"])))
        if params.get("channel"):
            tests.append("i.channel = %s")
            values.append(str(params["channel"]))
        if params.get("product"):
            tests.append("i.product_id = (SELECT id FROM customers_product WHERE sku = %s)")
            values.append(str(params["product"]))
        if params.get("category"):
            tests.append(
                """i.product_id IN (SELECT p.id FROM customers_product p JOIN customers_category c ON c.id = p.category_id
                   WHERE c.path LIKE (SELECT path || '%%' FROM customers_category WHERE code = %s))"""
            )
            values.append(str(params["category"]))
        return " AND ".join(tests), values

    def describe(self, params: Params) -> str:
        labels: dict[str, Any] = dict(InteractionKind.choices)
        operators = {"ge": _("at least"), "eq": _("exactly"), "le": _("at most")}
        parts = [str(labels.get(params.get("kind", ""), "?"))]
        times = _said(params)
        if (params.get("op") or "ge", times) != ("ge", "1"):
            parts.append(f"{operators.get(params.get('op') or 'ge', '')} {times}×")
        when = self._when(params)
        phrases = {
            "days": _("in the last %(n)s days"),
            "days_ago": _("%(n)s days ago"),
            "before_days": _("longer than %(n)s days ago"),
        }
        if when:
            parts.append(phrases[when] % {"n": params.get(when)})
        if params.get("category"):
            name = Category.objects.filter(code=params["category"]).values_list("name", flat=True).first()
            parts.append(_("of %(category)s") % {"category": name or params["category"]})
        if params.get("product"):
            parts.append(_("of article %(sku)s") % {"sku": params["product"]})
        if params.get("channel"):
            parts.append(_("on %(place)s") % {"place": params["channel"]})
        if params.get("value_min"):
            parts.append(_("for at least %(amount)s") % {"amount": params["value_min"]})
        return " ".join(parts)


def _channels() -> list[tuple[str, str]]:
    """The places that interactions really name; there are few, found by skipping through the distinct values."""
    found = Interaction.objects.exclude(channel="").values_list("channel", flat=True)[:2000]
    usual = {"web", "store", "phone", "mail", "app"}
    return [(one, one) for one in sorted(usual | set(found))]


def _times(params: Params) -> int:
    """How often; once when nothing is said. Nought is a number too."""
    return int(_said(params))


def _said(params: Params) -> str:
    """How often, as it was typed: it is described before it is checked."""
    return str(params.get("count", "") if params.get("count") is not None else "").strip() or "1"


def _is_whole(value: Any) -> bool:
    text = str(value if value is not None else "").strip()
    return text == "" or (text.isdecimal() and len(text) <= 5 and int(text) <= 36500)


def _is_amount(value: Any) -> bool:
    if value in (None, ""):
        return True
    return in_reach(value)
