"""People are contacted twice closer than the minimum gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext
from pyroaring import BitMap

from ...models.conflicts import Severity
from .. import arbitration
from ..circumstances import PlannedGap
from ..findings import Facts, Finding, grown
from ..pressure import Contact, counted
from ..rule import Rule
from ..snapshot import Plan


@dataclass
class _Close:
    """Everything of one pair of campaigns that lies closer than the gap."""

    people: BitMap = field(default_factory=BitMap)
    apart: timedelta = timedelta.max
    at: tuple[datetime, ...] = ()
    messages: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))


class SpacingRule(Rule):
    __doc__ = gettext_noop(
        "People are contacted twice closer together than a minimum gap allows, by two campaigns, twice by one, or shortly after "
        "something that was sent. Counted are promotion and safety notices on the channels of the gap; service messages "
        "neither count nor wait. When sending, whoever was contacted so shortly before is left out, and a message of "
        "higher priority that comes shortly after keeps its people."
    )
    code = "spacing"
    title = _("Too soon after each other")
    needs_people = True

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per gap and pair of campaigns."""
        for gap in plan.circumstances.gaps if plan.contacts else ():
            close: dict[tuple[int, int], _Close] = {}
            for earlier, later in self._pairs(plan, gap):
                both = earlier.people & later.people
                if both:
                    self._note(plan, close, earlier, later, both)
            told = {pair: found for pair, found in sorted(close.items()) if len(found.people) >= self._threshold(plan, pair)}
            sizes = plan.sizes(pk for pair in told for pk in pair if pk)
            for pair, found in told.items():
                yield self._finding(gap, pair, found, sizes)

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """More people, or clearly closer together."""
        return grown(agreed, now) or 2 * now["hours_apart"] < agreed["hours_apart"]

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Who follows whom how soon, and what was promised."""
        if facts.get("alone"):
            return ngettext(
                "%(first)s (%(first_department)s, %(first_day)s) contacts %(people)s person within %(apart)s of another contact; "
                "%(name)s promises %(gap)d hours.",
                "%(first)s (%(first_department)s, %(first_day)s) contacts %(people)s people within %(apart)s of another contact; "
                "%(name)s promises %(gap)d hours.",
                people or 0,
            )
        return ngettext(
            "%(first)s (%(first_department)s, %(first_day)s) and %(second)s (%(second_department)s, %(second_day)s) contact "
            "%(people)s person within %(apart)s; %(name)s promises %(gap)d hours.",
            "%(first)s (%(first_department)s, %(first_day)s) and %(second)s (%(second_department)s, %(second_day)s) contact "
            "%(people)s people within %(apart)s; %(name)s promises %(gap)d hours.",
            people or 0,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The gap."""
        return {"name": facts.get("name", ""), "gap": facts.get("gap_hours", 0)}

    def _pairs(self, plan: Plan, gap: PlannedGap) -> Iterator[tuple[Contact, Contact]]:
        """Contacts closer than the gap, of which at least one is to come and could be held back."""
        recent: list[Contact] = []
        for contact in sorted(counted(gap.cap, plan.contacts), key=lambda each: each.at):
            recent = [each for each in recent if contact.at - each.at < gap.gap]
            for earlier in recent:
                can_wait = any(not each.is_fixed and each.at >= plan.now for each in (earlier, contact))
                if can_wait and plan.in_focus(earlier.campaign_id, contact.campaign_id):
                    yield earlier, contact
            recent.append(contact)

    def _note(
        self, plan: Plan, close: dict[tuple[int, int], _Close], earlier: Contact, later: Contact, both: BitMap
    ) -> None:
        """Smaller campaign first; a campaign that is not in the plan any more, or is the same one, has no side."""
        sides = sorted((earlier, later), key=lambda contact: contact.campaign_id)
        known = [contact for contact in sides if contact.campaign_id in plan.campaigns]
        if len(known) == 2 and known[0].campaign_id == known[1].campaign_id:
            known = known[:1]
        pair = (known[0].campaign_id, known[1].campaign_id if len(known) == 2 else 0)
        found = close.setdefault(pair, _Close())
        found.people |= both
        for messages, contact in zip(found.messages, known, strict=False):
            messages.add(contact.message_id)
        if later.at - earlier.at < found.apart:
            found.apart, found.at = later.at - earlier.at, tuple(contact.at for contact in known)

    def _threshold(self, plan: Plan, pair: tuple[int, int]) -> int:
        return plan.parameters.of(*(plan.campaigns[pk].department_id for pk in pair if pk)).spacing_people

    def _finding(self, gap: PlannedGap, pair: tuple[int, int], found: _Close, sizes: dict[int, int]) -> Finding:
        facts: dict[str, Any] = {
            "gap": gap.id, "name": gap.name, "gap_hours": arbitration.hours(gap.gap), "people": len(found.people),
            "hours_apart": arbitration.hours(found.apart), "alone": not pair[1], "severity": int(Severity.MEDIUM),
            "first_audience": sizes[pair[0]], "second_audience": sizes.get(pair[1]),
        }
        facts |= {f"{side}_at": at.isoformat() for side, at in zip(("first", "second"), found.at, strict=False)}
        messages = [each.copy().pop() if len(each) == 1 else None for each in found.messages]
        return Finding(
            rule=self.code, subjects=(gap.id, *pair), campaigns=(pair[0], pair[1] or None), severity=int(Severity.MEDIUM),
            messages=(messages[0], messages[1]), people=found.people, at=min(found.at), facts=facts,
        )
