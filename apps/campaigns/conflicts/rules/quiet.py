"""A message falls into quiet hours where some of its people live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from apps.core import formats

from ...models.conflicts import Severity
from .. import places
from ..circumstances import PlannedQuiet
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage

MOST = 4


class QuietRule(Rule):
    __doc__ = gettext_noop(
        "A message comes at an hour at which people are left in peace, by the clock where they live: what is sent everywhere at one "
        "moment reaches some countries at night. Where the time zone is not known, every zone of the country is asked, and one quiet "
        "zone is enough. A quiet period over midnight belongs to the day on which it begins. It blocks where the law says so. "
        "Service messages come at any hour unless the quiet hours name them, safety notices always. When it is sent these people wait "
        "until it is allowed where they live, and get nothing if its deadline comes first; accepting the conflict sends it to them all "
        "the same, unless the law says so."
    )
    code = "quiet_hours"
    title = _("In quiet hours")

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per message."""
        asked = [
            (message, rules)
            for message in plan.messages.values() if plan.in_focus(message.campaign_id)
            if (rules := _rules(plan, message)) and _ahead(plan, message)
        ]
        if plan.people is None:
            for message, _rules_of_it in asked:
                yield Finding(
                    self.code, (message.id,), (message.campaign_id, None), int(Severity.MEDIUM), (message.id, None),
                    at=_ahead(plan, message)[0],
                )
            return
        plan.people.fetch(message for message, _rules_of_it in asked)
        for message, rules in asked:
            if found := self._judge(plan, message, rules):
                yield found

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Other quiet hours or places than agreed, more severe, or clearly more people."""
        return (
            not set(now["rules"]) <= set(agreed["rules"])
            or not {each[0] for each in now["where"]} <= {each[0] for each in agreed["where"]}
            or now["severity"] > agreed["severity"] or grown(agreed, now)
        )

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which message, at what hour where."""
        return ngettext(
            "%(message)s of %(first)s reaches %(people)s person in quiet hours (%(names)s): %(where)s.",
            "%(message)s of %(first)s reaches %(people)s people in quiet hours (%(names)s): %(where)s.",
            people or 0,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The names of the hours; country by country the hour there, most people first."""
        where = [
            gettext("%(hour)s in %(country)s") % {"hour": hour, "country": formats.country(country) or gettext("an unknown country")}
            for country, hour, _people in facts.get("where", ())[:MOST]
        ]
        return {"names": ", ".join(facts.get("names", ())), "where": ", ".join(where)}

    def _judge(self, plan: Plan, message: PlannedMessage, rules: list[PlannedQuiet]) -> Finding | None:
        broken: dict[int, PlannedQuiet] = {}
        struck: dict[tuple[str, str], BitMap] = {}
        first: datetime | None = None
        for start in _ahead(plan, message):
            for rule in rules:
                for (country, zone), people in places.strike(plan, message, start, partial(_holds, rule)).items():
                    quiet = min(clock for clock in places.clocks(plan, message, start, country, zone) if rule.holds(clock))
                    key = (country, f"{quiet:%H:%M}")
                    struck[key] = struck.get(key, BitMap()) | people
                    broken[rule.id] = rule
                    first = first or start
        if first is None:
            return None
        everybody = BitMap.union(BitMap(), *struck.values())
        severity = int(Severity.BLOCK if any(rule.is_law for rule in broken.values()) else Severity.MEDIUM)
        where = places.by_size(struck)
        facts = {
            "rules": sorted(broken), "names": sorted(rule.name for rule in broken.values()), "where": where,
            "people": len(everybody), "severity": severity,
        }
        return Finding(
            rule=self.code, subjects=(message.id,), campaigns=(message.campaign_id, None), severity=severity,
            messages=(message.id, None), people=everybody, at=first, facts=facts,
        )


def _holds(rule: PlannedQuiet, country: str, clock: datetime) -> bool:
    return (not rule.countries or country in rule.countries) and rule.holds(clock)


def _rules(plan: Plan, message: PlannedMessage) -> list[PlannedQuiet]:
    """The quiet hours that this message has to keep."""
    if message.is_public or message.is_safety or not plan.parameters.of(plan.department_of(message)).quiet_check:
        return []
    return [
        rule for rule in plan.circumstances.quiet
        if rule.concerns(message.channel, message.purpose_class, plan.department_of(message))
    ]


def _ahead(plan: Plan, message: PlannedMessage) -> list[datetime]:
    """Its moments from now on. A stretch (calls over some days) finds its own hours and is not asked."""
    return [start for start, end in message.windows if start >= plan.now and end == start]
