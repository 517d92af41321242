"""A message tells of something before its embargo is lifted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from apps.core import clock, formats

from ...models.conflicts import Severity
from .. import goods
from ..circumstances import PlannedEmbargo
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage


class EmbargoRule(Rule):
    __doc__ = gettext_noop(
        "A message tells of a brand, a product or a category before the moment at which its embargo is lifted. Press, search and "
        "radio count as much as letters and e-mail, whoever plans them. Service and safety messages do not."
    )
    code = "embargo"
    title = _("Before the embargo is lifted")
    speaks_early = True

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per embargo and message."""
        struck = [
            (embargo, message, starts)
            for embargo in plan.circumstances.embargoes if embargo.lifts_at > plan.now
            for message in plan.messages.values()
            if plan.in_focus(message.campaign_id) and message.purpose_class == "promotion" and _tells_of(plan, embargo, message)
            and (starts := [start for start, end in message.windows if start < embargo.lifts_at and end >= plan.now])
        ]
        if plan.people is not None:
            plan.people.fetch(message for _embargo, message, _starts in struck)
        for embargo, message, starts in struck:
            yield self._judge(plan, embargo, message, starts)

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Another end of the embargo, an earlier message, or clearly more people."""
        return now["lifts_at"] != agreed["lifts_at"] or min(now["days"]) < min(agreed["days"]) or grown(agreed, now)

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which message, too early for what."""
        if not people:
            return gettext("%(message)s of %(first)s is planned for %(days)s; “%(name)s” may be told of from %(lifts)s on.")
        return ngettext(
            "%(message)s of %(first)s is planned for %(days)s, for %(people)s person; “%(name)s” may be told of from %(lifts)s on.",
            "%(message)s of %(first)s is planned for %(days)s, for %(people)s people; “%(name)s” may be told of from %(lifts)s on.",
            people,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The name of the embargo and when it ends, by the company's clock."""
        lifts = datetime.fromisoformat(facts["lifts_at"]).astimezone(clock.company_zone())
        return {"name": facts.get("name", ""), "lifts": f"{formats.day(lifts.date(), 'day')}, {lifts:%H:%M}"}

    def _judge(self, plan: Plan, embargo: PlannedEmbargo, message: PlannedMessage, starts: list[datetime]) -> Finding:
        people = plan.people.of(message) if plan.people is not None else None
        facts: dict[str, Any] = {
            "embargo": embargo.id, "name": embargo.name, "lifts_at": embargo.lifts_at.isoformat(),
            "days": sorted({start.astimezone(plan.zone).date().isoformat() for start in starts}),
        }
        if people is not None:
            facts |= {"people": len(people), "severity": int(Severity.BLOCK)}
        return Finding(
            rule=self.code, subjects=(embargo.id, message.id), campaigns=(message.campaign_id, None),
            severity=int(Severity.BLOCK), messages=(message.id, None), people=people, at=min(starts), facts=facts,
        )


def _tells_of(plan: Plan, embargo: PlannedEmbargo, message: PlannedMessage) -> bool:
    if not (embargo.brand or embargo.product_id or embargo.path):
        return False
    about = goods.of(plan, message)
    return about is not None and about.fits(
        brand=embargo.brand, product_id=embargo.product_id, path=embargo.path, path_of_product=embargo.product_path
    )
