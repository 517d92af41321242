"""Tags of the calendar and the conflict pages. None of them makes a query."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import formats, navigation
from apps.core.vocabulary import LEVELS, SEVERITIES, SHAPES

from ..calendar.earlier import Change
from ..calendar.period import Period
from ..calendar.reading import Reading
from ..conflicts import registry
from ..conflicts.panels import Panel
from ..models import Campaign, Conflict
from ..venn import Venn, draw

register = template.Library()


@register.simple_tag
def venn(panel: Panel) -> Venn | None:
    """The drawing of the two audiences; None when there are not two, or they are not counted yet."""
    sides = panel.sides
    if len(sides) != 2 or panel.conflict.people_count is None:
        return None
    return draw(sides[0].people or 0, sides[1].people or 0, panel.conflict.people_count)


@register.filter
def unlocal(value: float) -> str:
    """A number as SVG and addresses want it, with a point whatever the language."""
    return f"{value:.10g}"


@register.simple_tag
def weekend(day: date) -> str:
    """The class of a Saturday or Sunday."""
    return " weekend" if day.weekday() >= 5 else ""


@register.simple_tag
def days_past(agenda: dict[date, Any], today: date) -> dict[date, Any]:
    """The days of an agenda that are over, to be folded away; none where nothing else would be left."""
    past = {day: rows for day, rows in agenda.items() if day < today}
    return past if len(past) < len(agenda) else {}


@register.simple_tag
def span_of_months(first: date, last: date) -> str:
    """``November – December 2026``: the months that the page shows."""
    if (first.year, first.month) == (last.year, last.month):
        return date_format(first, "F Y")
    opening = date_format(first, "F") if first.year == last.year else date_format(first, "F Y")
    return f"{opening} – {date_format(last, 'F Y')}"


@register.simple_tag
def period_url(period: Period, kept: str) -> str:
    """The address of another period with the same filters."""
    extra = f"&{kept}" if kept else ""
    return f"?from={period.first.isoformat()}&weeks={period.weeks}{extra}"


@register.simple_tag
def hours(count: int) -> str:
    """A policy's window in words: days when they are whole."""
    if count % 24 == 0:
        return ngettext("%(n)d day", "%(n)d days", count // 24) % {"n": count // 24}
    return ngettext("%(n)d hour", "%(n)d hours", count) % {"n": count}


@register.simple_tag
def level(conflict: Conflict) -> str:
    """The severity as the stylesheet names it."""
    return LEVELS.get(str(conflict.severity), "low")


@register.simple_tag
def outline(code: str) -> SafeString:
    """The shape of a severity, without its frame, to be put into a drawing."""
    return SafeString(SHAPES[SEVERITIES[code][0]])


@register.simple_tag
def rule_title(code: str) -> str:
    """What a kind of conflict is called; a rule that is no more keeps its code."""
    try:
        return str(registry.rule(code).title)
    except KeyError:
        return code


@register.simple_tag
def people_over(over: dict[date, int] | None, day: date) -> int:
    """How many people are over a contact limit on the day; 0 also where nobody counted."""
    return (over or {}).get(day, 0)


@register.simple_tag
def conflicts_of(reading: Reading, campaign_id: int) -> list[Conflict]:
    """Conflicts on this page that the campaign is part of."""
    return reading.conflicts_of(campaign_id)


@register.simple_tag
def moment(value: datetime) -> str:
    """A moment as plain words, for a tooltip."""
    return formats.moment(value, style="short")


@register.simple_tag
def step_words(step: int) -> str:
    """What a move button says."""
    words: dict[int, Any] = {
        -7: _("1 week earlier"), -1: _("1 day earlier"), 1: _("1 day later"), 7: _("1 week later"),
    }
    return str(words[step])


@register.simple_tag
def change_words(change: Change) -> str:
    """What has become of a campaign since then."""
    if change.kind == "moved":
        words = (
            ngettext("moved %(n)d day later", "moved %(n)d days later", change.days_apart) if change.days > 0 else
            ngettext("moved %(n)d day earlier", "moved %(n)d days earlier", change.days_apart)
        )
        return words % {"n": change.days_apart}
    said: dict[str, Any] = {
        "new": _("new"), "back": _("planned again"), "cancelled": _("cancelled since"), "resized": _("other days"),
    }
    return str(said[change.kind])


@register.simple_tag
def campaign_url(campaign: Campaign) -> str:
    """The campaign's own page, where this installation has one."""
    return f"/campaigns/{campaign.pk}/" if navigation.address("campaigns:list") else ""
