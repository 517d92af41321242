"""A conflict in plain words, from the facts that were stored with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import clock, formats

from ..models import Campaign, Conflict
from . import registry


def sentence(conflict: Conflict) -> str:
    """What collides, for whom, when: one plain sentence."""
    return _pattern(conflict) % _words(conflict)


def marked(conflict: Conflict) -> SafeString:
    """The same sentence with the campaigns and the number of people set off (everything inserted is escaped)."""
    template = format_html("{}", _pattern(conflict))
    return SafeString(template % {key: _escaped(key, value) for key, value in _words(conflict).items()})


def _escaped(key: str, value: Any) -> Any:
    """Numbers stay numbers: a rule's sentence may say how many with %d."""
    if key in ("first", "second", "people", "message"):
        return format_html("<strong>{}</strong>", value)
    return value if isinstance(value, (int, float)) else format_html("{}", value)


def _pattern(conflict: Conflict) -> str:
    return registry.rule(conflict.rule).pattern(conflict.facts, conflict.people_count)


def _words(conflict: Conflict) -> dict[str, Any]:
    facts = conflict.facts
    words: dict[str, Any] = {
        "people": formats.number(conflict.people_count or 0),
        "message": conflict.first_message.name if conflict.first_message else "",
        "second_message": conflict.second_message.name if conflict.second_message else "",
        "days": ", ".join(_day(date.fromisoformat(day)) for day in facts.get("days", ())), "apart": apart(facts),
    }
    for side, campaign in (("first", conflict.first_campaign), ("second", conflict.second_campaign)):
        words |= _side(side, campaign, facts)
    return words | registry.rule(conflict.rule).words(facts)


def _side(side: str, campaign: Campaign | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    if campaign is None:
        return {side: "", f"{side}_department": "", f"{side}_day": ""}
    moment = facts.get(f"{side}_at")
    return {
        side: campaign.name, f"{side}_department": campaign.department.name,
        f"{side}_day": _day(clock.company_day(datetime.fromisoformat(moment))) if moment else "",
    }


def _day(day: date) -> str:
    return formats.day(day, "day")


def apart(facts: Mapping[str, Any]) -> str:
    """The distance of the nearest two contacts in words, rounded up to what it certainly lies within."""
    hours = max(1, facts.get("hours_apart", 0))
    if hours < 24:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    days = -(-hours // 24)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def shares(conflict: Conflict) -> list[str]:
    """How large the common part is on each side, and of both together; nothing where a side is public and has no people."""
    facts, both = conflict.facts, conflict.people_count
    audiences = [facts.get("first_audience"), facts.get("second_audience")]
    if not both or conflict.second_campaign is None or not all(audiences):
        return []
    # beside a message that everybody may see the common part can be larger than the counted audience
    sizes = [max(size, both) for size in audiences]
    names = [conflict.first_campaign.name, conflict.second_campaign.name]
    words = [
        _("%(share)s %% of %(campaign)s") % {"share": round(100 * both / size), "campaign": name}
        for size, name in zip(sizes, names, strict=True)
    ]
    union = sizes[0] + sizes[1] - both
    return [*words, _("%(share)s %% of everybody either reaches") % {"share": round(100 * both / union)}]
