"""The components of every page. The living style page at /style/ shows each of them in every state.

Tags take plain values and make no query. Escaping is Django's: only the markup written here is trusted.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BaseForm, BoundField
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from apps.core import charts, clock, formats, navigation
from apps.core.icons import icon as draw_icon
from apps.core.icons import shape
from apps.core.vocabulary import BADGES, CHANNELS, LEVELS, SEVERITIES, WORDS

register = template.Library()

Number = int | float | Decimal


# --- figures, money, time ---------------------------------------------------------------------------


@register.simple_tag
def number(value: Number | None, places: int = 0) -> str:
    """A number with the language's separators; None is a dash."""
    return formats.number(value, places)


@register.simple_tag
def money(amount: Number | None, currency: str = "") -> str:
    """An amount with its currency: ``1,284 EUR``."""
    return formats.money(amount, currency)


@register.simple_tag
def percent(share: Number | None, places: int = 0) -> str:
    """A share of one in per cent: ``{% percent 0.41 %}`` is ``41 %``."""
    return formats.percent(share, places)


@register.simple_tag
def people(n: int | None, url: str = "") -> SafeString:
    """A number of people that opens to these people when it has an address."""
    if url and n is not None:
        return format_html('<a class="people" href="{}">{}</a>', url, formats.number(n))
    return format_html('<span class="people">{}</span>', formats.number(n))


@register.simple_tag
def when(value: datetime | date | None, zone: Any = None, style: str = "full") -> SafeString:
    """A moment in the viewer's zone (or `zone`), named. Styles: full, short, date, day, month, time. Days have no zone."""
    if not value:
        return SafeString(formats.DASH)
    words = formats.moment(value, zone, style) if isinstance(value, datetime) else formats.day(value, style)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), words)


@register.simple_tag
def ago(value: datetime | None) -> SafeString:
    """``3 minutes ago``, with the exact moment as tooltip."""
    if value is None:
        return SafeString(formats.DASH)
    words = formats.ago(value, clock.now())
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), formats.moment(value), words)


@register.simple_tag
def days(start: date | datetime, end: date | datetime) -> str:
    """A span of days: ``18–26 Nov 2026``; moments are shown as the viewer's days."""
    return formats.span(formats.viewer_day(start), formats.viewer_day(end))


@register.simple_tag
def duration(value: timedelta | Number) -> str:
    """A length of time in its largest unit; a number is seconds."""
    return formats.duration(value)


@register.simple_tag
def country(code: str) -> str:
    """A country by its ISO 3166 code, named in the viewer's language."""
    return str(formats.locale().territories.get(code, code))


# --- small marks ------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Lucide icon; give a label when no word stands beside it."""
    return draw_icon(str(name), str(label))


@register.simple_tag
def badge(status: Any, label: Any = "", tone: str = "") -> SafeString:
    """A state as word, tone and line pattern. `label` is its word when Concord's own list does not hold it."""
    code = str(getattr(status, "value", status) or "")
    colour, pattern = BADGES.get(code, ("", ""))
    words = label or getattr(status, "label", "") or WORDS.get(code) or code.replace("_", " ")
    return format_html('<span class="badge {} {}">{}</span>', tone or colour, pattern if not tone else "", words)


@register.simple_tag
def severity(level: Any, label: Any = "") -> SafeString:
    """A severity as shape and word: blocking, high, medium, low, ok."""
    code, outline, words = _severity(level)
    return format_html('<span class="severity {}">{}{}</span>', code, shape(outline), label or words)


@register.simple_tag
def severity_shape(level: Any) -> SafeString:
    """Only the shape, for places where the word stands elsewhere; screen readers still hear the word."""
    code, outline, words = _severity(level)
    return format_html(
        '<span class="c-{}">{}<span class="visually-hidden">{}</span></span>', code, shape(outline), words
    )


def _severity(level: Any) -> tuple[str, str, Any]:
    code = str(getattr(level, "value", level))
    code = LEVELS.get(code, code if code in SEVERITIES else "low")
    return code, *SEVERITIES[code]


@register.simple_tag
def channel_mark(channel: Any, label: Any = False) -> SafeString:
    """The sign of a channel; with ``label=True`` its word beside it (or the label given)."""
    code = str(getattr(channel, "value", channel) or "")
    sign, name = CHANNELS.get(code, ("circle", code))
    words = name if label in (True, False, "") else label
    drawn = format_html('<span class="word" aria-hidden="true">{}</span>', sign) if sign.isupper() else draw_icon(sign)
    text = format_html('<span class="{}">{}</span>', "name" if label else "visually-hidden", words)
    return format_html('<span class="channel" title="{}">{}{}</span>', words, drawn, text)


@register.simple_tag
def department(dep: Any) -> SafeString:
    """A department by colour and name; None is a dash."""
    if dep is None:
        return SafeString(formats.DASH)
    return format_html('<span class="department d{}">{}</span>', dep.colour, dep)


@register.simple_tag
def chip(label: Any, value: Any = "", url: str = "", active: bool = False) -> SafeString:
    """A filter: what it filters, its value, and the address that changes it."""
    css = "chip active" if active else "chip"
    words = format_html("{} <b>{}</b>", label, value) if value not in ("", None) else format_html("{}", label)
    if not url:
        return format_html('<span class="{}">{}</span>', css, words)
    current = mark_safe(' aria-current="true"') if active else ""
    return format_html('<a class="{}" href="{}"{}>{}</a>', css, url, current, words)


@register.simple_tag
def place(x: Number, width: Number | None = None, row: int = 0) -> str:
    """Classes for a horizontal place (and width) in per cent to a tenth: ``class="bar {% place 12.3 30 row=1 %}"``.

    A strict Content-Security-Policy allows no style attribute, so the stylesheet holds one class per step.
    """
    return " ".join(
        filter(None, ["at", _steps("x", x), "wide " + _steps("w", width) if width is not None else "", f"row{row}"])
    )


def _steps(letter: str, value: Number) -> str:
    tenths = max(0, min(1000, round(float(value) * 10)))
    whole, rest = divmod(tenths, 10)
    return f"{letter}{whole}" + (f" {letter}f{rest}" if rest else "")


@register.simple_tag
def share_bar(part: Number, whole: Number, lost: Number = 0, final: bool = False) -> SafeString:
    """A waterfall's bar: what stays, what was lost at this step (striped), what was gone before."""
    return charts.track(part, whole, lost, "fill-strong" if final else "fill")


# --- parts of a page --------------------------------------------------------------------------------


@register.simple_block_tag
def page(content: str, title: Any, subtitle: Any = "", badge: Any = "", back: str = "", back_label: Any = "") -> str:
    """The page's heading; its content are the actions on the right. `badge` is ready markup beside the title."""
    return render_to_string(
        "components/page.html",
        {
            "title": title,
            "subtitle": subtitle,
            "badge": badge,
            "back": back,
            "back_label": back_label,
            "actions": content,
        },
    )


@register.simple_block_tag
def card(content: str, title: Any = "", id: str = "", css: str = "", aside: Any = "", level: int = 2) -> SafeString:
    """A sheet with a heading; `aside` stands at the right of the heading."""
    head: SafeString | str = ""
    if title or aside:
        head = format_html(
            '<div class="card-head"><h{0}>{1}</h{0}>{2}</div>',
            level, title, format_html('<div class="muted small">{}</div>', aside) if aside else "",
        ) if title else format_html('<div class="card-head">{}</div>', aside)  # fmt: skip
    name = format_html(' id="{}"', id) if id else ""
    return format_html(
        '<section class="card {}"{}>{}<div class="card-body">{}</div></section>', css, name, head, content
    )


@register.simple_block_tag
def confirm(content: str, label: Any, title: Any = "", css: str = "button danger") -> SafeString:
    """A dangerous act: the button unfolds what exactly will happen (its content, with the form that does it)."""
    heading = format_html("<h3>{}</h3>", title) if title else ""
    return format_html(
        '<details class="confirm"><summary class="{}">{}</summary><div class="panel">{}<div>{}</div></div></details>',
        css, label, heading, content,
    )  # fmt: skip


@register.simple_block_tag
def notice(content: str, tone: str = "") -> SafeString:
    """Words that stand out: tone warning, error, success, or plain."""
    role = mark_safe(' role="alert"') if tone == "error" else ""
    return format_html('<div class="notice {}"{}><div>{}</div></div>', tone, role, content)


@register.simple_tag
def empty(title: Any, text: Any = "", action_url: str = "", action_label: Any = "", icon: str = "leaf") -> str:
    """What belongs here, and the one button that starts it."""
    return render_to_string(
        "components/empty.html",
        {"title": title, "text": text, "action_url": action_url, "action_label": action_label, "icon": icon},
    )


@register.simple_tag
def figure(label: Any, value: Any, note: Any = "", url: str = "") -> SafeString:
    """One large figure with its name under it and a note."""
    shown = format_html('<a class="people" href="{}">{}</a>', url, value) if url else value
    foot = format_html('<div class="muted small">{}</div>', note) if note else ""
    return format_html(
        '<div class="card figure-card"><div class="muted small">{}</div><div class="figure">{}</div>{}</div>',
        label, shown, foot,
    )  # fmt: skip


@register.simple_tag
def tabs(items: Iterable[Any], current: str = "", label: Any = "") -> str:
    """Tabs from (code, words, address[, state]) tuples or mappings with these keys; state is "done" or a severity."""
    rows = [_tab(item) for item in items]
    return render_to_string(
        "components/tabs.html", {"items": rows, "current": str(current), "label": label or _("Parts of this page")}
    )


def _tab(item: Any) -> dict[str, Any]:
    if isinstance(item, Mapping):
        row = {
            "code": item.get("code", item.get("key", "")),
            "label": item["label"],
            "url": item["url"],
            "state": item.get("state", ""),
        }
    else:
        row = dict(zip(("code", "label", "url", "state"), (*item, ""), strict=False))
    state = "ok" if row["state"] == "done" else LEVELS.get(row["state"], row["state"])
    return row | {"code": str(row["code"]), "mark": severity_shape(state) if state in SEVERITIES else ""}


@register.simple_tag
def progress(done: int, total: int, rate: Any = None, left: Any = None, label: Any = "") -> str:
    """Work under way: done of total, the rate per second, the time left (seconds, a duration, or words)."""
    return render_to_string(
        "components/progress.html",
        {
            "done": done,
            "total": total,
            "share": formats.percent(done / total) if total else formats.DASH,
            "rate": formats.number(rate) if isinstance(rate, Number) else rate,
            "left": formats.duration(left) if isinstance(left, (int, float, timedelta)) else left,
            "label": label or _("Progress"),
        },
    )


@register.simple_tag(takes_context=True)
def pager(context: template.Context, page: Any, name: str = "page") -> str:
    """Earlier and next page of a Django page object, keeping the other parameters of the address."""
    request = context.get("request")
    kept = [(k, v) for k, values in (request.GET.lists() if request else ()) for v in values if k != name]

    def address(to: int) -> str:
        return "?" + urlencode([*kept, (name, to)])

    return render_to_string(
        "components/pager.html",
        {
            "page": page,
            "before": address(page.previous_page_number()) if page.has_previous() else "",
            "after": address(page.next_page_number()) if page.has_next() else "",
        },
    )


# --- forms ------------------------------------------------------------------------------------------


@register.simple_tag
def field(bound: BoundField) -> str:
    """A field with label, help, errors and all that ties them together."""
    return bound.as_field_group() if not bound.is_hidden else str(bound)


@register.simple_tag
def form_fields(form: BaseForm) -> SafeString:
    """All fields of a form, its own errors first."""
    return format_html('<div class="form">{}</div>', form.render("components/form.html"))


@register.filter(is_safe=True)
def named_headers(table: str) -> SafeString:
    """The administration's table of lines within a page, with a word in the header that Django leaves empty."""
    word = format_html('<th class="original"><span class="visually-hidden">{}</span></th>', _("Entry"))
    return mark_safe(str(table).replace('<th class="original"></th>', word))


# --- frame ------------------------------------------------------------------------------------------


@register.inclusion_tag("components/navigation.html", takes_context=True)
def main_navigation(context: template.Context) -> dict[str, Any]:
    """The main navigation for this visitor."""
    request = context["request"]
    if "_navigation" not in request.__dict__:  # shown twice, as sidebar and as the narrow menu: counted once
        request._navigation = {
            "main": navigation.entries(request, navigation.MAIN),
            "more": navigation.entries(request, navigation.MORE),
        }
    return dict(request._navigation)


@register.simple_tag
def address_of(name: str) -> str:
    """The address of a page by its URL name, or nothing when there is no such page."""
    return navigation.address(name)
