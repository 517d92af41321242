"""A message falls on a day on which nothing may be sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from apps.core.zones import countries, local_dates

from ...models.conflicts import Severity
from ...models.plan import MessageKind
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedBlackout, PlannedMessage

EARLIEST, LATEST = timedelta(hours=-12), timedelta(hours=14)


class BlackoutRule(Rule):
    __doc__ = gettext_noop(
        "A message is planned for a day on which nothing may be sent: on its channel, in the countries of the people who "
        "are in its audience, by the date where they live. Safety notices go out all the same; service messages do unless "
        "the blackout says otherwise. A message that repeats is held back on that day only."
    )
    code = "blackout"
    title = _("On a day without messages")
    speaks_early = True

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per message and blackout."""
        struck = [
            (blackout, message, hit)
            for blackout in plan.blackouts
            for message in plan.messages.values()
            if plan.in_focus(message.campaign_id) and self._applies(plan, blackout, message)
            and (hit := self._moments(plan, blackout, message))
        ]
        if plan.people is not None:
            plan.people.fetch(message for _blackout, message, _hit in struck)
        for blackout, message, hit in struck:
            found = self._judge(plan, blackout, message, hit)
            if found:
                yield found

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Other days than agreed, or more people."""
        return not set(now["days"]) <= set(agreed["days"]) or grown(agreed, now)

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which message, on which day."""
        if people is None:
            return gettext("%(message)s of %(first)s is planned for %(days)s, a day without messages (%(name)s).")
        return ngettext(
            "%(message)s of %(first)s is planned for %(days)s, a day without messages (%(name)s), for %(people)s person.",
            "%(message)s of %(first)s is planned for %(days)s, a day without messages (%(name)s), for %(people)s people.",
            people,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """What the day is called."""
        return {"name": facts.get("name", "")}

    def _applies(self, plan: Plan, blackout: PlannedBlackout, message: PlannedMessage) -> bool:
        if message.is_safety or (message.purpose_class == "service" and not blackout.includes_service):
            return False
        if blackout.department_id not in (None, plan.department_of(message)):
            return False
        return not blackout.channels or message.channel in blackout.channels

    def _moments(self, plan: Plan, blackout: PlannedBlackout, message: PlannedMessage) -> list[datetime]:
        return [start for start, end in message.windows if end >= plan.now and _may_touch(blackout, message, start, plan)]

    def _judge(
        self, plan: Plan, blackout: PlannedBlackout, message: PlannedMessage, hit: list[datetime]
    ) -> Finding | None:
        people: BitMap | None = None
        if plan.people is not None:
            reached = {start: self._people(plan, blackout, message, start) for start in hit}
            hit = [start for start in hit if reached[start] or message.kind != MessageKind.ADDRESSED]
            if not hit:
                return None
            people = BitMap.union(*reached.values())
        severity = int(Severity.MEDIUM if message.is_recurring else Severity.BLOCK)
        days = sorted({start.astimezone(plan.zone).date().isoformat() for start in hit})
        facts = {"blackout": blackout.id, "name": blackout.name, "days": days, "severity": severity}
        if people is not None:
            facts["people"] = len(people)
        return Finding(
            rule=self.code, subjects=(blackout.id, message.id), campaigns=(message.campaign_id, None), severity=severity,
            messages=(message.id, None), people=people, at=min(hit), facts=facts,
        )

    def _people(self, plan: Plan, blackout: PlannedBlackout, message: PlannedMessage, start: datetime) -> BitMap:
        """Those of the audience for whom the moment falls on a forbidden day, in any zone they may live in."""
        assert plan.people is not None
        audience = plan.people.of(message)
        if not blackout.countries:
            if message.is_local or _is_sure(blackout, start):
                return audience
            spared = {code for code in {"", *countries()} if not _strikes(blackout, local_dates(code, "", start))}
            return audience - plan.people.in_countries(frozenset(spared))
        local = {start.astimezone(plan.zone).date()} if message.is_local else None
        struck = {code for code in blackout.countries if _strikes(blackout, local or local_dates(code, "", start))}
        return audience & plan.people.in_countries(frozenset(struck))


def _inside(blackout: PlannedBlackout, day: date) -> bool:
    return blackout.starts_on <= day <= blackout.ends_on


def _strikes(blackout: PlannedBlackout, days: set[date]) -> bool:
    return any(_inside(blackout, day) for day in days)


def _world_days(start: datetime) -> tuple[date, date]:
    """The earliest and the latest date anywhere on earth at that moment."""
    moment = start.astimezone(UTC)
    return (moment + EARLIEST).date(), (moment + LATEST).date()


def _may_touch(blackout: PlannedBlackout, message: PlannedMessage, start: datetime, plan: Plan) -> bool:
    if message.is_local or plan.people is None:
        return _inside(blackout, start.astimezone(plan.zone).date())
    first, last = _world_days(start)
    return first <= blackout.ends_on and last >= blackout.starts_on


def _is_sure(blackout: PlannedBlackout, start: datetime) -> bool:
    first, last = _world_days(start)
    return _inside(blackout, first) and _inside(blackout, last)
