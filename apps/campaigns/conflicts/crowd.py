"""Who stands before a message in the windows of its people, for the facts and the sentences of findings about limits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from pyroaring import BitMap

from .arbitration import Refusal
from .findings import Facts
from .snapshot import Plan

MOST_NAMED, MOST_KEPT = 3, 20


def crowd(plan: Plan, refusals: Iterable[Refusal]) -> list[dict[str, Any]]:
    """The messages before it, those with the most of its refused people first, with how many people these are.

    What was sent by a campaign that is not in the plan any more has no name.
    """
    people: dict[tuple[int, int], BitMap] = {}
    for refusal in refusals:
        for each in refusal.near:
            key = (each.message_id, each.campaign_id)
            people[key] = people.get(key, BitMap()) | each.people
    names = {pk: campaign.name for pk, campaign in plan.campaigns.items()}
    rows: list[dict[str, Any]] = [
        {"message": message, "campaign": campaign, "name": names.get(campaign, ""), "people": len(who)}
        for (message, campaign), who in people.items()
    ]
    return sorted(rows, key=lambda row: (-row["people"], row["message"]))[:MOST_KEPT]


def crowd_words(facts: Facts) -> str:
    """The campaigns with the most people by name, the rest counted."""
    counts: dict[str, int] = {}
    for row in facts.get("crowd", ()):
        name = row["name"] or gettext("what was sent before")
        counts[name] = max(counts.get(name, 0), row["people"])
    named = [f"{name} ({number_format(people, force_grouping=True)})" for name, people in list(counts.items())[:MOST_NAMED]]
    rest = len(counts) - len(named)
    if rest:
        named.append(ngettext("%(n)d more", "%(n)d more", rest) % {"n": rest})
    return ", ".join(named)


def span_words(facts: Facts) -> str:
    """The policy's stretch of time in words."""
    hours = facts.get("hours", 0)
    days, odd = divmod(hours, 24)
    words = (
        ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours} if odd or not days else
        ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    )
    wider = {
        "week": gettext("widened to whole weeks"), "month": gettext("widened to whole months"),
        "quarter": gettext("widened to whole quarters"),
    }.get(facts.get("grouping", "none"))
    return f"{words}, {wider}" if wider else words
