"""A conflict in plain words, from the facts that were stored with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core import clock

from ..models import Campaign, Conflict


def sentence(conflict: Conflict) -> str:
    """What collides, for whom, when: one plain sentence."""
    return _pattern(conflict) % _words(conflict)


def marked(conflict: Conflict) -> SafeString:
    """The same sentence with the campaigns and the number of people set off (everything inserted is escaped)."""
    words = {key: format_html("<strong>{}</strong>", value) if key in ("first", "second", "people", "message") else
             format_html("{}", value) for key, value in _words(conflict).items()}
    template = format_html("{}", _pattern(conflict))
    return SafeString(template % words)


def _pattern(conflict: Conflict) -> str:
    if conflict.people_count is None:
        return _early(conflict.rule)
    if conflict.rule == "offers":
        return _offers(conflict)
    if conflict.rule == "blackout":
        return ngettext(
            "%(message)s of %(first)s is planned for %(days)s, a day without messages (%(name)s), for %(people)s person.",
            "%(message)s of %(first)s is planned for %(days)s, a day without messages (%(name)s), for %(people)s people.",
            conflict.people_count,
        )
    return ngettext(
        "%(first)s (%(first_department)s, %(first_day)s) and %(second)s (%(second_department)s, %(second_day)s) both "
        "contact %(people)s person within %(apart)s.",
        "%(first)s (%(first_department)s, %(first_day)s) and %(second)s (%(second_department)s, %(second_day)s) both "
        "contact %(people)s people within %(apart)s.",
        conflict.people_count,
    )


def _offers(conflict: Conflict) -> str:
    return ngettext(
        "%(first)s (%(first_department)s, %(first_offer)s, from %(first_day)s) and %(second)s (%(second_department)s, "
        "%(second_offer)s, from %(second_day)s) say different things about %(goods)s to %(people)s same person within "
        "%(apart)s.",
        "%(first)s (%(first_department)s, %(first_offer)s, from %(first_day)s) and %(second)s (%(second_department)s, "
        "%(second_offer)s, from %(second_day)s) say different things about %(goods)s to %(people)s of the same people "
        "within %(apart)s.",
        conflict.people_count or 0,
    )


def _early(rule: str) -> str:
    if rule == "blackout":
        return _("%(message)s of %(first)s is planned for %(days)s, a day without messages (%(name)s).")
    if rule == "offers":
        return _(
            "%(first)s (%(first_department)s, %(first_offer)s) and %(second)s (%(second_department)s, %(second_offer)s) say "
            "different things about %(goods)s; the people in both are being counted."
        )
    return _("%(first)s and %(second)s come close to each other; the people in both are being counted.")


def _words(conflict: Conflict) -> dict[str, Any]:
    facts = conflict.facts
    words: dict[str, Any] = {
        "people": number_format(conflict.people_count or 0, force_grouping=True),
        "message": conflict.first_message.name if conflict.first_message else "",
        "name": facts.get("name", ""), "goods": facts.get("goods") or _("everything"),
        "days": ", ".join(_day(date.fromisoformat(day)) for day in facts.get("days", ())), "apart": apart(facts),
    }
    for side, campaign in (("first", conflict.first_campaign), ("second", conflict.second_campaign)):
        words |= _side(side, campaign, facts)
    return words


def _side(side: str, campaign: Campaign | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    if campaign is None:
        return {side: "", f"{side}_department": "", f"{side}_day": "", f"{side}_offer": ""}
    moment = facts.get(f"{side}_at")
    return {
        side: campaign.name, f"{side}_department": campaign.department.name,
        f"{side}_day": _day(clock.company_day(datetime.fromisoformat(moment))) if moment else "",
        f"{side}_offer": facts.get(f"{side}_offer", ""),
    }


def _day(day: date) -> str:
    return date_format(day, "j M")


def apart(facts: Mapping[str, Any]) -> str:
    """The distance of the nearest two contacts in words, rounded up to what it certainly lies within."""
    hours = max(1, facts.get("hours_apart", 0))
    if hours < 24:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    days = -(-hours // 24)
    return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def shares(conflict: Conflict) -> list[str]:
    """How large the common part is on each side, and of both together."""
    facts, both = conflict.facts, conflict.people_count
    sizes = [facts.get("first_audience"), facts.get("second_audience")]
    if not both or conflict.second_campaign is None or not all(sizes):
        return []
    names = [conflict.first_campaign.name, conflict.second_campaign.name]
    words = [
        _("%(share)s %% of %(campaign)s") % {"share": round(100 * both / size), "campaign": name}
        for size, name in zip(sizes, names, strict=True)
    ]
    union = sizes[0] + sizes[1] - both
    return [*words, _("%(share)s %% of everybody either reaches") % {"share": round(100 * both / union)}]
