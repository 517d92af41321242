"""A message of lower priority takes the place of one of higher priority."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext
from pyroaring import BitMap

from ...models.conflicts import Severity
from .. import arbitration
from ..arbitration import Named, Refusal
from ..findings import Facts, Finding, grown
from ..pressure import Contact
from ..rule import Rule
from ..snapshot import Plan


@dataclass
class _Taken:
    """What one campaign takes from another."""

    people: BitMap = field(default_factory=BitMap)
    low: dict[int, datetime] = field(default_factory=dict)
    high: dict[int, datetime] = field(default_factory=dict)


class InversionRule(Rule):
    __doc__ = gettext_noop(
        "A message of lower priority takes the place under a contact limit, or within a minimum gap, that a message of higher "
        "priority needs for the same people. Concord keeps places only for campaigns that are scheduled. So it happens when "
        "the less important message has been sent, is sent by another tool, or is further along than the more important "
        "one, which is still a draft, under review, approved or paused. Two campaigns that are equally far along are "
        "no inversion: there the higher priority keeps its people."
    )
    code = "inversion"
    title = _("The less important goes first")
    needs_people = True

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per limit and pair of campaigns."""
        for named in arbitration.limits(plan) if _may_invert(plan.contacts) else ():
            taken: dict[tuple[int, int], _Taken] = {}
            for refusal in arbitration.refusals(plan, named.cap, plan.contacts, arbitration.as_agreed):
                _note(plan, taken, refusal)
            sizes = plan.sizes(pk for pair in taken for pk in pair)
            for (low, high), found in sorted(taken.items()):
                departments = [plan.campaigns[pk].department_id for pk in (low, high)]
                enough = len(found.people) >= plan.parameters.of(*departments).inversion_people
                if enough and plan.in_focus(low, high):
                    yield self._finding(plan, named, (low, high), found, sizes)

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """More people, or a greater distance between the two priorities."""
        return grown(agreed, now) or now["high_priority"] - now["low_priority"] > agreed["high_priority"] - agreed["low_priority"]

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Who takes whose place, for how many people."""
        words = ngettext(
            "%(low)s (%(low_department)s, %(low_day)s, priority %(low_priority)d) takes the place that %(high)s "
            "(%(high_department)s, %(high_day)s, priority %(high_priority)d) needs under %(name)s, for %(people)s person.",
            "%(low)s (%(low_department)s, %(low_day)s, priority %(low_priority)d) takes the place that %(high)s "
            "(%(high_department)s, %(high_day)s, priority %(high_priority)d) needs under %(name)s, for %(people)s people.",
            people or 0,
        )
        low, high = ("first", "second") if facts.get("low_is_first") else ("second", "first")
        for side in ("", "_department", "_day"):
            words = words.replace(f"%(low{side})s", f"%({low}{side})s").replace(f"%(high{side})s", f"%({high}{side})s")
        return words

    def words(self, facts: Facts) -> dict[str, Any]:
        """The limit and both priorities."""
        return {
            "name": facts.get("name", ""), "low_priority": facts.get("low_priority", 0),
            "high_priority": facts.get("high_priority", 0),
        }

    def _finding(
        self, plan: Plan, named: Named, pair: tuple[int, int], found: _Taken, sizes: dict[int, int]
    ) -> Finding:
        low, high = pair
        sides = sorted(((low, found.low), (high, found.high)))
        only = [next(iter(messages)) if len(messages) == 1 else None for _pk, messages in sides]
        facts = {
            "cap": named.code, "name": named.cap.name, "people": len(found.people), "severity": int(Severity.MEDIUM),
            "low_is_first": low < high, "low_priority": max(plan.messages[pk].priority for pk in found.low if pk in plan.messages),
            "first_audience": sizes[sides[0][0]], "second_audience": sizes[sides[1][0]],
            "high_priority": min(plan.messages[pk].priority for pk in found.high),
            "first_at": min(sides[0][1].values()).isoformat(), "second_at": min(sides[1][1].values()).isoformat(),
        }
        return Finding(
            rule=self.code, subjects=(*named.subject, low, high), campaigns=(sides[0][0], sides[1][0]),
            severity=int(Severity.MEDIUM), messages=(only[0], only[1]), people=found.people,
            at=min(found.high.values()), facts=facts,
        )


def _note(plan: Plan, taken: dict[tuple[int, int], _Taken], refusal: Refusal) -> None:
    before = [each for each in refusal.within if _goes_before(each, refusal.contact) and _is_planned(plan, each)]
    lower = [cut for each in before if (cut := each.among(refusal.people)).people]
    if not lower:
        return
    people = refusal.people - refusal.still(lambda contact: not _goes_before(contact, refusal.contact))
    for each in lower:
        if each.campaign_id != refusal.contact.campaign_id and (both := each.people & people):
            found = taken.setdefault((each.campaign_id, refusal.contact.campaign_id), _Taken())
            found.people |= both
            for moments, contact in ((found.low, each), (found.high, refusal.contact)):
                moments[contact.message_id] = min(contact.at, moments.get(contact.message_id, contact.at))


def _may_invert(contacts: Sequence[Contact]) -> bool:
    """Whether any promotion has a lower priority than something that can be held back."""
    lowest = min((each.priority for each in contacts if each.purpose_class == "promotion"), default=0)
    return any(each.priority > lowest and not each.is_fixed for each in contacts)


def _goes_before(contact: Contact, higher: Contact) -> bool:
    """Whether it has the lower priority and yet comes first, or cannot be held back."""
    is_lower = contact.purpose_class == "promotion" and contact.priority < higher.priority
    return is_lower and (contact.is_fixed or contact.at <= higher.at)


def _is_planned(plan: Plan, contact: Contact) -> bool:
    return contact.campaign_id in plan.campaigns and contact.message_id in plan.messages
