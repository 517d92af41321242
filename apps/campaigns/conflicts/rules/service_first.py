"""Promotion to people who are to be served first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext
from pyroaring import BitMap

from ...models.conflicts import Severity
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage


class ServiceFirstRule(Rule):
    __doc__ = gettext_noop(
        "Promotion is planned for people with whom something is open: a complaint, a recalled product, a bereavement, a wish to be "
        "erased. They are left out when it is sent, with that reason; accepting the conflict sends it to them all the same. What "
        "another tool sends cannot be held back here and weighs more. Service messages and safety notices reach everybody."
    )
    code = "service_first"
    title = _("Serve first, then advertise")

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per campaign."""
        asked: dict[int, list[PlannedMessage]] = defaultdict(list)
        for message in plan.messages.values():
            if plan.in_focus(message.campaign_id) and _takes_part(plan, message):
                asked[message.campaign_id].append(message)
        if plan.people is not None:
            plan.people.fetch(message for messages in asked.values() for message in messages)
        for campaign_id, messages in sorted(asked.items()):
            if found := self._judge(plan, campaign_id, messages):
                yield found

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Clearly more people than agreed, or now also by another tool."""
        return grown(agreed, now) or now["severity"] > agreed["severity"]

    def pattern(self, facts: Facts, people: int | None) -> str:
        """How many people, and what happens to them."""
        if facts.get("elsewhere"):
            return ngettext(
                "%(first)s (%(first_department)s) advertises to %(people)s person who is to be served first, partly through another "
                "tool that does not know it.",
                "%(first)s (%(first_department)s) advertises to %(people)s people who are to be served first, partly through another "
                "tool that does not know it.",
                people or 0,
            )
        return ngettext(
            "%(first)s (%(first_department)s) advertises to %(people)s person who is to be served first; they are left out unless this "
            "is accepted.",
            "%(first)s (%(first_department)s) advertises to %(people)s people who are to be served first; they are left out unless "
            "this is accepted.",
            people or 0,
        )

    def _judge(self, plan: Plan, campaign_id: int, messages: list[PlannedMessage]) -> Finding | None:
        moments = [start for message in messages for start, end in message.windows if end >= plan.now]
        people, facts = None, dict[str, Any]()
        severity = int(Severity.INFO)
        if plan.people is not None:
            struck = {message.id: _struck(plan, message) for message in messages}
            people = BitMap.union(BitMap(), *struck.values())
            if len(people) < max(1, plan.parameters.care_people):
                return None
            elsewhere = any(struck[message.id] for message in messages if message.kind == "elsewhere")
            severity = int(Severity.HIGH if elsewhere else Severity.INFO)
            facts = {"people": len(people), "severity": severity, "elsewhere": elsewhere}
        return Finding(
            rule=self.code, subjects=(campaign_id,), campaigns=(campaign_id, None), severity=severity,
            messages=(messages[0].id if len(messages) == 1 else None, None), people=people, at=min(moments), facts=facts,
        )


def _takes_part(plan: Plan, message: PlannedMessage) -> bool:
    is_ahead = any(end >= plan.now for _start, end in message.windows)
    return is_ahead and not message.is_public and message.purpose_class == "promotion"


def _struck(plan: Plan, message: PlannedMessage) -> BitMap:
    """Those of its people who will still have something open at one of its moments to come."""
    assert plan.people is not None
    first = min(max(start, plan.now) for start, end in message.windows if end >= plan.now)
    return plan.people.of(message) & plan.people.sources.to_be_served(first)
