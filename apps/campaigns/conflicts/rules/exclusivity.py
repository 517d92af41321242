"""A message uses what is reserved for another department or campaign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from apps.core import formats

from ...models.conflicts import Severity
from .. import goods
from ..circumstances import PlannedExclusivity
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage

MOST_DAYS = 5


class ExclusivityRule(Rule):
    __doc__ = gettext_noop(
        "A brand, a product, a category with all below it, or a surface such as one sender or the shop window is reserved for "
        "one department or campaign for some days, and a message of somebody else uses it then. An offer on a category uses "
        "every product in it. What stands in one reservation must all fit. Service and safety messages may always be sent. "
        "The department that holds the right takes part in the decision."
    )
    code = "exclusivity"
    title = _("Reserved for somebody else")
    speaks_early = True

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per exclusive right and campaign that uses it."""
        used: dict[tuple[int, int], list[PlannedMessage]] = defaultdict(list)
        rights = {right.id: right for right in plan.circumstances.exclusivities if _stands(plan, right)}
        for message in plan.messages.values():
            if plan.in_focus(message.campaign_id) and message.purpose_class == "promotion":
                for right in rights.values():
                    if not _owns(plan, right, message) and _days(plan, right, message) and _uses(plan, right, message):
                        used[right.id, message.campaign_id].append(message)
        if plan.people is not None:
            plan.people.fetch(message for messages in used.values() for message in messages)
        for (right_id, campaign_id), messages in sorted(used.items()):
            yield self._judge(plan, rights[right_id], campaign_id, messages)

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """On other days or in other messages than agreed, or for clearly more people."""
        return (
            not set(now["days"]) <= set(agreed["days"]) or not set(now["messages"]) <= set(agreed["messages"])
            or grown(agreed, now)
        )

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Who uses whose right, when."""
        if not people:
            return gettext("%(first)s (%(first_department)s) uses on %(days)s what is reserved: “%(name)s”, from %(from)s to %(to)s.")
        return ngettext(
            "%(first)s (%(first_department)s) uses on %(days)s, for %(people)s person, what is reserved: “%(name)s”, from %(from)s to "
            "%(to)s.",
            "%(first)s (%(first_department)s) uses on %(days)s, for %(people)s people, what is reserved: “%(name)s”, from %(from)s to "
            "%(to)s.",
            people,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The name and the days of the right."""
        first, last = (formats.day(date.fromisoformat(facts[key]), "day") for key in ("from", "to"))
        return {"name": facts.get("name", ""), "from": first, "to": last}

    def _judge(self, plan: Plan, right: PlannedExclusivity, campaign_id: int, messages: list[PlannedMessage]) -> Finding:
        days = sorted({day for message in messages for day in _days(plan, right, message)})
        holder = plan.campaigns.get(right.campaign_id or 0)
        owner = holder.department_id if holder else right.department_id
        facts = {
            "right": right.id, "name": right.name, "from": right.starts_on.isoformat(), "to": right.ends_on.isoformat(),
            "days": [day.isoformat() for day in days[:MOST_DAYS]], "messages": sorted(message.id for message in messages),
            "departments": [owner] if owner else [],
        }
        people = None
        if plan.people is not None:
            people = BitMap.union(BitMap(), *(plan.people.of(message) for message in messages))
            facts |= {"people": len(people), "severity": int(Severity.MEDIUM)}
        return Finding(
            rule=self.code, subjects=(right.id, campaign_id), campaigns=(campaign_id, None), severity=int(Severity.MEDIUM),
            messages=(messages[0].id if len(messages) == 1 else None, None), people=people,
            at=min(start for message in messages for start, end in message.windows if end >= plan.now), facts=facts,
        )


def _stands(plan: Plan, right: PlannedExclusivity) -> bool:
    """A right of a campaign that is not planned any more has gone with it."""
    return right.department_id is not None or right.campaign_id in plan.campaigns


def _owns(plan: Plan, right: PlannedExclusivity, message: PlannedMessage) -> bool:
    return right.campaign_id == message.campaign_id or right.department_id == plan.department_of(message)


def _days(plan: Plan, right: PlannedExclusivity, message: PlannedMessage) -> list[date]:
    """The days, in the company's zone, on which the message falls into the reserved time, from today on."""
    found: list[date] = []
    for start, end in message.windows:
        if end < plan.now:
            continue
        day, last = start.astimezone(plan.zone).date(), end.astimezone(plan.zone).date()
        day, last = max(day, right.starts_on), min(last, right.ends_on)
        while day <= last and len(found) <= MOST_DAYS:
            found.append(day)
            day += timedelta(days=1)
    return found


def _uses(plan: Plan, right: PlannedExclusivity, message: PlannedMessage) -> bool:
    if right.account_id is not None and message.account_id != right.account_id:
        return False
    if not (right.brand or right.product_id or right.path):
        return right.account_id is not None
    about = goods.of(plan, message)
    return about is not None and about.fits(
        brand=right.brand, product_id=right.product_id, path=right.path, path_of_product=right.product_path
    )
