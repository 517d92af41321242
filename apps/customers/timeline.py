"""One timeline of everything that happened with one person, and what is planned."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import formats
from apps.customers import panels
from apps.customers.models import Customer, Interaction, MergeRecord
from apps.customers.models.people import InteractionKind
from apps.customers.panels import TimelineEntry

PAGE = 30
_SIGNS = {"visit": "web", "wish": "onsite", "cart": "onsite", "call": "call", "store_visit": "store", "ad_click": "ads"}
_PLACES = {
    "web": "web",
    "store": "store",
    "phone": "call",
    "mail": "letter",
    "app": "onsite",
    "email": "email",
    "sms": "sms",
}
_COLOURS = {"purchase": 2, "return": 2, "wish": 2, "cart": 2, "call": 4, "store_visit": 1, "visit": 3, "complaint": 5}


@dataclass(frozen=True)
class Page:
    """Entries, newest first; ``before`` is the moment at which the next page begins, None at the end."""

    entries: list[TimelineEntry]
    before: datetime | None


def page(customer: Customer, *, now: datetime, before: datetime | None = None, limit: int = PAGE) -> Page:
    """A page of the timeline; planned entries stand on the first page only."""
    entries = _interactions(customer, before, limit) + panels.entries(customer, now, before, limit)
    entries += _merges(customer, before)
    entries.sort(key=lambda entry: entry.at, reverse=True)
    shown = entries[:limit]
    return Page(shown, shown[-1].at if len(entries) > limit else None)


def _interactions(customer: Customer, before: datetime | None, limit: int) -> list[TimelineEntry]:
    found = customer.interactions.select_related("product", "source").order_by("-at", "-id")
    if before is not None:
        found = found.filter(at__lt=before)
    # An order has many lines of one moment: they are read in one go so that a page never cuts through an order.
    lines = list(found[: limit * 8])
    grouped = [list(group) for _key, group in groupby(lines, key=lambda one: (one.at, one.kind, one.source_id))]
    if len(lines) == limit * 8 and len(grouped) > 1:
        grouped.pop()
    return [_entry(group) for group in grouped[: limit + 1]]


def _entry(lines: list[Interaction]) -> TimelineEntry:
    first = lines[0]
    names = [one.product.name for one in lines if one.product]
    about = names[0] if len(lines) == 1 and names else ""
    if len(lines) > 1:
        about = ngettext("%(count)d article", "%(count)d articles", len(lines)) % {"count": len(lines)}
    value = sum((one.value for one in lines if one.value is not None), Decimal(0))
    if any(one.value is not None for one in lines):
        about = ", ".join(filter(None, [about, formats.money(value, first.currency)]))
    sign = _PLACES.get(first.channel) or _SIGNS.get(first.kind, "onsite")
    return TimelineEntry(
        at=first.at, channel=sign, title=title_of(first), about=about, detail=_detail(first, names),
        colour=_COLOURS.get(first.kind, 0),
    )  # fmt: skip


def title_of(one: Interaction) -> str:
    """What happened, as one would say it: bought in the store, called, saved a wish."""
    if one.kind == InteractionKind.PURCHASE:
        places = {"store": _("Bought in the store"), "web": _("Bought on the web"), "phone": _("Bought by phone")}
        return places.get(one.channel) or _("Bought")
    words = {
        InteractionKind.RETURN: _("Gave back"),
        InteractionKind.VISIT: _("Visited the web shop"),
        InteractionKind.CART: _("Put in the basket"),
        InteractionKind.WISH: _("Saved a wish"),
        InteractionKind.CALL: _("Call"),
        InteractionKind.STORE_VISIT: _("Was in the store"),
        InteractionKind.AD_CLICK: _("Clicked an ad"),
        InteractionKind.COMPLAINT: _("Complained"),
    }
    return words.get(InteractionKind(one.kind)) or str(InteractionKind(one.kind).label)


def _detail(first: Interaction, names: list[str]) -> str:
    parts = [str(first.source)]
    if len(names) > 1:
        parts.append(", ".join(names[:3]) + (" …" if len(names) > 3 else ""))
    elif first.quantity and abs(first.quantity) > 1:
        parts.append(f"{first.quantity} ×")
    parts += [
        str(value) for key, value in list(first.detail.items())[:4] if isinstance(value, str | int) and value != ""
    ]
    return " · ".join(parts)


def _merges(customer: Customer, before: datetime | None) -> list[TimelineEntry]:
    found = MergeRecord.objects.filter(survivor=customer)
    if before is not None:
        found = found.filter(merged_at__lt=before)
    return [
        TimelineEntry(
            at=one.merged_at, channel="people", title=_("Found to be one person"),
            about=_("with customer #%(id)d") % {"id": one.absorbed_id}, detail=rule_words(one.rule),
        )
        for one in found[:20]
    ]  # fmt: skip


def rule_words(rule: str) -> str:
    """By what two records were joined, in words."""
    words = {"email": _("same e-mail"), "phone": _("same phone"), "id": _("same id"), "by hand": _("joined by hand")}
    return words.get(rule, rule)


@dataclass(frozen=True)
class Summary:
    """The figures under the name: orders, money per currency, channels used."""

    orders: int
    money: list[tuple[Decimal, str]]
    channels: int
    wishes: list[Interaction] = field(default_factory=list)


def summary(customer: Customer) -> Summary:
    """What the person bought altogether. An order is all purchase lines of one moment."""
    bought = customer.interactions.filter(kind__in=[InteractionKind.PURCHASE, InteractionKind.RETURN])
    sums: Any = bought.exclude(value=None).values("currency").annotate(total=Sum("value")).order_by("-total")
    orders = customer.interactions.filter(kind=InteractionKind.PURCHASE).aggregate(n=Count("at", distinct=True))["n"]
    channels = customer.interactions.exclude(channel="").values("channel").distinct().count()
    return Summary(orders, [(row["total"], row["currency"]) for row in sums], channels, wishes(customer))


def wishes(customer: Customer, limit: int = 10) -> list[Interaction]:
    """Saved wishes, newest first, that the person has not bought since."""
    saved = customer.interactions.filter(kind=InteractionKind.WISH).select_related("product").order_by("-at")[:50]
    bought = {
        row["product_id"]: row["at"]
        for row in customer.interactions.filter(kind=InteractionKind.PURCHASE, product__isnull=False)
        .order_by("at")
        .values("product_id", "at")
    }
    still = [wish for wish in saved if wish.product_id is None or bought.get(wish.product_id, wish.at) <= wish.at]
    return still[:limit]
