"""Promotion on a public holiday where the people of the audience live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from apps.core import formats

from ...models.conflicts import Severity
from .. import days_off, places
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage

MOST = 4


class HolidayRule(Rule):
    __doc__ = gettext_noop(
        "Promotion is planned for a public holiday of the country in which people of its audience live, by the date there; "
        "holidays that only a part of a country has do not count. Whose time zone is not known is counted when it may be a holiday "
        "where they are. Shops, sites and adverts are open to everybody at all times and do not count; a campaign of calls does on "
        "every day it lasts. When it is sent these people wait until the holiday is over where they live, and get nothing if the "
        "deadline comes first; accepting the conflict sends it to them all the same. Administrators can switch the rule off, for "
        "everybody or for one department."
    )
    code = "holiday"
    title = _("On a public holiday")

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per message."""
        asked = [message for message in plan.messages.values() if plan.in_focus(message.campaign_id) and _takes_part(plan, message)]
        if plan.people is None:
            for message in asked:
                yield Finding(
                    self.code, (message.id,), (message.campaign_id, None), int(Severity.MEDIUM), (message.id, None),
                    at=_ahead(plan, message)[0],
                )
            return
        plan.people.fetch(asked)
        for message in asked:
            if found := self._judge(plan, message):
                yield found

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """On other holidays than agreed, or for clearly more people."""
        return not {tuple(each[:2]) for each in now["where"]} <= {tuple(each[:2]) for each in agreed["where"]} or grown(agreed, now)

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which message, whose holiday."""
        return ngettext(
            "%(message)s of %(first)s reaches %(people)s person on a public holiday: %(where)s.",
            "%(message)s of %(first)s reaches %(people)s people on a public holiday: %(where)s.",
            people or 0,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The holidays by country, most people first."""
        where = [
            gettext("%(holiday)s in %(country)s (%(day)s)") % {
                "holiday": days_off.name(country, date.fromisoformat(day)) or "–", "country": formats.country(country),
                "day": formats.day(date.fromisoformat(day), "day"),
            }
            for country, day, _people in facts.get("where", ())[:MOST]
        ]
        return {"where": ", ".join(where)}

    def _judge(self, plan: Plan, message: PlannedMessage) -> Finding | None:
        struck: dict[tuple[str, str], BitMap] = {}
        first: datetime | None = None
        for start in _ahead(plan, message):
            hit = False
            for (country, zone), people in places.strike(plan, message, start, _is_off).items():
                for day in sorted({clock.date() for clock in places.clocks(plan, message, start, country, zone)}):
                    if days_off.name(country, day):
                        key = (country, day.isoformat())
                        struck[key] = struck.get(key, BitMap()) | people
                        hit = True
            first = first or (start if hit else None)
        if first is None:
            return None
        everybody = BitMap.union(BitMap(), *struck.values())
        where = places.by_size(struck)
        facts = {"where": where, "people": len(everybody), "severity": int(Severity.MEDIUM)}
        return Finding(
            rule=self.code, subjects=(message.id,), campaigns=(message.campaign_id, None), severity=int(Severity.MEDIUM),
            messages=(message.id, None), people=everybody, at=first, facts=facts,
        )


def _is_off(country: str, clock: datetime) -> bool:
    return bool(days_off.name(country, clock.date()))


def _takes_part(plan: Plan, message: PlannedMessage) -> bool:
    if message.is_public or not days_off.concerns(message.channel, message.purpose_class):
        return False
    return bool(plan.parameters.of(plan.department_of(message)).holiday_check and _ahead(plan, message))


def _ahead(plan: Plan, message: PlannedMessage) -> list[datetime]:
    """Its moments from now on; every day of a stretch."""
    found = []
    for start, end in message.windows:
        day = 0
        while start + timedelta(days=day) <= end and day < 100:
            found.append(start + timedelta(days=day))
            day += 1
    return [moment for moment in found if moment >= plan.now]
