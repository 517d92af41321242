"""A message pushes people over a contact limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext
from pyroaring import BitMap

from ...models.conflicts import Severity
from .. import arbitration
from ..arbitration import Refusal
from ..circumstances import PlannedPolicy
from ..crowd import crowd, crowd_words, span_words
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage


class PressureRule(Rule):
    __doc__ = gettext_noop(
        "A message would reach people who by then have had, or will have, as many contacts as a contact policy allows. Counted "
        "is over all departments and channels, in any stretch of the policy's length, what was sent (also by other tools) and "
        "what is planned, drafts too; a channel weighs as much as the policy says, so that a call may count as three e-mails. "
        "Where several messages share the room, the one of higher priority keeps it, then the earlier; the finding stands "
        "with the message that comes last, and names those before it. When sending, these very people are left out: so it "
        "keeps no campaign from being scheduled. It weighs less when only few of the message's people are concerned, when the "
        "message repeats, or when drafts alone fill the room."
    )
    code = "pressure"
    title = _("Over the contact limit")
    needs_people = True
    holds_up = False

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per policy and message whose own people are pushed over."""
        for policy in plan.circumstances.policies if plan.contacts else ():
            refused: dict[int, list[Refusal]] = defaultdict(list)
            for refusal in arbitration.refusals(plan, policy, plan.contacts, arbitration.by_priority):
                refused[refusal.contact.message_id].append(refusal)
            for message_id, refusals in sorted(refused.items()):
                message = plan.messages[message_id]
                if plan.in_focus(message.campaign_id) or any(refusal.is_for(plan.focus or ()) for refusal in refusals):
                    found = self._judge(plan, policy, message, refusals)
                    if found:
                        yield found

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """More people, a stricter limit, or more severe."""
        return grown(agreed, now) or now["limit"] < agreed["limit"] or now["severity"] > agreed["severity"]

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which message, which limit, how many people, who else writes to them."""
        if facts.get("crowd"):
            return ngettext(
                "%(message)s of %(first)s (%(days)s) would be one contact too many for %(people)s person under %(name)s (%(limit)s "
                "in %(span)s): %(crowd)s go before it.",
                "%(message)s of %(first)s (%(days)s) would be one contact too many for %(people)s people under %(name)s (%(limit)s "
                "in %(span)s): %(crowd)s go before it.",
                people or 0,
            )
        return ngettext(
            "%(message)s of %(first)s (%(days)s) alone weighs more than %(name)s allows (%(limit)s in %(span)s), for %(people)s person.",
            "%(message)s of %(first)s (%(days)s) alone weighs more than %(name)s allows (%(limit)s in %(span)s), for %(people)s people.",
            people or 0,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The policy and the messages before it."""
        return {
            "name": facts.get("name", ""), "limit": facts.get("limit", 0), "span": span_words(facts),
            "crowd": crowd_words(facts),
        }

    def _judge(self, plan: Plan, policy: PlannedPolicy, message: PlannedMessage, refusals: list[Refusal]) -> Finding | None:
        assert plan.people is not None
        people = BitMap.union(*(refusal.people for refusal in refusals))
        figures = plan.parameters.of(plan.department_of(message))
        if len(people) < figures.pressure_people:
            return None
        agreed = BitMap.union(*(refusal.still(lambda contact: contact.is_agreed) for refusal in refusals))
        audience = len(plan.people.of(message))
        is_high = not message.is_recurring and len(agreed) >= max(1, figures.pressure_high_share * audience)
        severity = int(Severity.HIGH if is_high else Severity.MEDIUM)
        moments = sorted(refusal.contact.at for refusal in refusals)
        facts = {
            "policy": policy.id, "name": policy.name, "limit": policy.limit, "hours": arbitration.hours(policy.window),
            "grouping": policy.grouping, "days": sorted({at.astimezone(plan.zone).date().isoformat() for at in moments})[:3],
            "times": len(moments), "people": len(people), "first_audience": audience, "severity": severity,
            "crowd": crowd(plan, refusals),
        }
        return Finding(
            rule=self.code, subjects=(policy.id, message.id), campaigns=(message.campaign_id, None), severity=severity,
            messages=(message.id, None), people=people, at=moments[0], facts=facts,
        )
