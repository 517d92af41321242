"""The charts and tables of the reports, each with a title that says what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.core import charts, formats
from apps.core.charts import Bar, Series

from .funnel import Line
from .scope import Scope
from .sums import Row

FUNNEL = ("sent", "arrived", "opened", "clicked")


def people_url(scope: Scope, step: str, reason: str = "", **changes: Any) -> str:
    """The page of the people behind a number."""
    return f"{reverse('reporting:people')}?{scope.query(step, reason, **changes)}"


def funnel(line: Line, scope: Scope) -> SafeString:
    """From sent to clicked, each bar with its share of the step before."""
    names = {"sent": _("Sent"), "arrived": _("Arrived"), "opened": _("Opened"), "clicked": _("Clicked")}
    rates = {"arrived": line.arrival_rate, "opened": line.open_rate, "clicked": line.click_rate}
    steps = [Bar(names[step], line[step], people_url(scope, step), _note(step, rates.get(step))) for step in FUNNEL]
    rate = formats.percent(line.click_rate, 1) if line.click_rate is not None else formats.DASH
    return charts.funnel(_("%(rate)s of those whom it reached clicked") % {"rate": rate}, steps)


def _note(step: str, rate: float | None) -> str:
    """A rate with its denominator named: clicks are of the arrived, for people click without a known opening."""
    if rate is None:
        return ""
    words = _("%(rate)s of the sent") if step == "arrived" else _("%(rate)s of the arrived")
    return words % {"rate": formats.percent(rate, 1)}


def sent_per_day(sent: Mapping[Any, list[int]], departments: Mapping[Any, Department], days: list[Any]) -> SafeString:
    """Messages sent per day, stacked, each department in its own colour."""
    whole = sum(sum(values) for values in sent.values())
    title = _("%(n)s messages were sent in %(days)s days") % {"n": formats.number(whole), "days": len(days)}
    labels = [formats.day(day, "day") for day in days]
    found = [(departments.get(key), key, values) for key, values in sent.items()]
    series = [
        Series(department.name if department else str(key), values, department.colour if department else 0)
        for department, key, values in found
    ]
    return charts.stacked(title, labels, series)


def credit_bars(title: str, rows: Mapping[str, Mapping[str, Decimal]], currency: str) -> SafeString:
    """The same revenue as each model credits it: one bar per name for the linear model, all models in the table."""
    ordered = sorted(rows.items(), key=lambda item: -item[1].get("linear", Decimal(0)))[:12]
    bars = [Bar(name, amounts.get("linear", Decimal(0))) for name, amounts in ordered]
    return charts.bars(title, bars, show=lambda amount: formats.money(amount, currency), measure=_("Revenue"))


def purse(amounts: Mapping[str, Decimal]) -> str:
    """Amounts of several currencies in one line, never added up."""
    shown = [_breakable(formats.money(amount, currency)) for currency, amount in sorted(amounts.items()) if amount]
    return " · ".join(shown) or formats.DASH


def _breakable(words: str) -> str:
    """Lets a narrow screen break between an amount and its currency."""
    return " ".join(words.rsplit("\xa0", 1))


def export_rows(rows: list[Row], names: Mapping[Any, str]) -> list[list[object]]:
    """Lines of a CSV file: the name, the counts, the money by currency."""
    return [
        [
            names.get(row.key, str(row.key)), row["sent"], row.arrived, row["bounced"], row["opened"], row["clicked"],
            row["unsubscribed"], row["refused"], row["held_out"], row["failed"], row["unknown"], round(float(row.orders), 4),
            *(" ".join(f"{amount} {currency}" for currency, amount in sorted(money.items())) for money in (row.revenue, row.cost)),
        ]
        for row in rows
    ]  # fmt: skip


EXPORT_HEAD = (
    "name", "sent", "arrived", "bounced", "opened", "clicked", "unsubscribed", "not_sent", "control_group", "failed",
    "unknown", "purchases_linear", "revenue_linear", "cost",
)  # fmt: skip
