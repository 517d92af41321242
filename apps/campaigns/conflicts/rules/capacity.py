"""More is planned for a channel or account on a day than it can take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from ...models.conflicts import Severity
from ..circumstances import PlannedCapacity
from ..findings import Facts, Finding
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage


@dataclass
class _Surplus:
    """What of one message does not fit: people (as many as do not), contacts, days, and the worst of these days."""

    people: BitMap = field(default_factory=BitMap)
    contacts: int = 0
    volume: int = 0
    possible: int = 0
    days: list[date] = field(default_factory=list)


class CapacityRule(Rule):
    __doc__ = gettext_noop(
        "More contacts are planned for a channel or one of its accounts on a day than it can take: seats in the call centre, the "
        "print run, the staff of the stores, what the provider lets through in a day, or the warm-up of a new sender. Counted "
        "are the people of each message who have an address and agreed, on the day it goes out; calls and whatever else "
        "lasts fill the days they have, one after the other. The message of lower priority does not fit, then the later. "
        "It blocks where the capacity cannot be exceeded: then sending and the permissions given to other tools keep to it, whoever "
        "finds no room waits for the next day in that same order, and gets nothing if the message's end comes first."
    )
    code = "capacity"
    title = _("More than the channel can take")
    needs_people = True

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per capacity and message that does not fit into it."""
        if plan.people is None:
            return
        for line in plan.circumstances.capacities:
            mine = [message for message in plan.messages.values() if _uses(line, message) and _ahead(plan, message)]
            in_focus = plan.in_focus(*(message.campaign_id for message in mine))
            if not in_focus or not self._may_be_full(plan, line, mine):
                continue
            plan.people.fetch(mine)
            plan.people.ask_reachable(mine, plan.now)
            for message, surplus in self._fill(plan, line, mine):
                if plan.in_focus(message.campaign_id):
                    yield self._finding(plan, line, message, surplus)

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Clearly more that does not fit, or other days."""
        return now["surplus"] > 1.2 * agreed["surplus"] or not set(now["days"]) <= set(agreed["days"])

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which message, which day, how much is too much."""
        return gettext(
            "%(message)s of %(first)s does not fit on %(days)s: %(name)s takes %(possible)s contacts, %(volume)s are planned, "
            "%(surplus)s of this message are too many."
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The figures of the worst day."""
        figures = {key: number_format(facts.get(key, 0), force_grouping=True) for key in ("possible", "volume", "surplus")}
        return {"name": facts.get("name", ""), **figures}

    def _may_be_full(self, plan: Plan, line: PlannedCapacity, mine: list[PlannedMessage]) -> bool:
        """Whether some day would be over with the whole audiences: only then is asked who can be reached at all."""
        assert plan.people is not None
        gross = {message.id: message.reach or 0 if message.is_public else plan.people.at_most(message) for message in mine}
        load: dict[date, int] = defaultdict(int)
        for message in mine:
            for days in _windows(plan, message):
                for day in days:
                    load[day] += gross[message.id]
        return any((possible := line.on(day)) is not None and volume > possible for day, volume in load.items())

    def _fill(
        self, plan: Plan, line: PlannedCapacity, mine: list[PlannedMessage]
    ) -> Iterator[tuple[PlannedMessage, _Surplus]]:
        """Fills the days in order of priority, then of time, and tells what does not fit."""
        used: dict[date, int] = defaultdict(int)
        found: dict[int, _Surplus] = {}
        windows = [(message, days) for message in mine for days in _windows(plan, message)]
        for message, days in sorted(windows, key=lambda each: (-each[0].priority, each[1][0], each[0].id)):
            volume = _volume(plan, message)
            left = volume
            for day in days:
                possible = line.on(day)
                fits = left if possible is None else min(left, max(0, possible - used[day]))
                used[day] += left if len(days) == 1 else fits
                left -= fits
            if left:
                surplus = found.setdefault(message.id, _Surplus())
                surplus.days.append(days[-1])
                if left > surplus.contacts:
                    lasts = len(days) > 1
                    surplus.contacts, surplus.people = left, _last(plan, message, left)
                    surplus.volume = sum(used[day] for day in days) + (left if lasts else 0)
                    surplus.possible = sum(line.on(day) or 0 for day in days)
        yield from ((message, found[message.id]) for message in mine if message.id in found)

    def _finding(self, plan: Plan, line: PlannedCapacity, message: PlannedMessage, surplus: _Surplus) -> Finding:
        severity = int(Severity.BLOCK if line.is_hard else Severity.MEDIUM)
        days = sorted({day.isoformat() for day in surplus.days})
        first = min(start for start, end in message.windows if end >= plan.now)
        facts = {
            "capacity": line.id, "account": line.account_id, "name": line.name, "days": days[:3], "times": len(days),
            "possible": surplus.possible, "volume": surplus.volume, "surplus": surplus.contacts, "severity": severity,
            "people": len(surplus.people),
        }
        return Finding(
            rule=self.code, subjects=(line.id, line.account_id or 0, message.id), campaigns=(message.campaign_id, None),
            severity=severity, messages=(message.id, None), people=surplus.people, at=first, facts=facts,
        )


def _uses(line: PlannedCapacity, message: PlannedMessage) -> bool:
    if message.channel != line.channel:
        return False
    return line.account_id is None or message.account_id == line.account_id


def _ahead(plan: Plan, message: PlannedMessage) -> bool:
    return any(end >= plan.now for _start, end in message.windows)


def _windows(plan: Plan, message: PlannedMessage) -> Iterator[list[date]]:
    """The days of each window that is not over: one for what goes out at a moment, all of it for what lasts."""
    for start, end in message.windows:
        if end >= plan.now:
            first, last = max(start, plan.now if start != end else start).astimezone(plan.zone).date(), end.astimezone(plan.zone).date()
            yield [first + timedelta(days=place) for place in range((last - first).days + 1)]


def _volume(plan: Plan, message: PlannedMessage) -> int:
    return message.reach or 0 if message.is_public else len(_people(plan, message))


def _people(plan: Plan, message: PlannedMessage) -> BitMap:
    """Whom it would reach as things stand; another tool that does not ask reaches everybody."""
    assert plan.people is not None
    return plan.people.of(message) if message.kind == "elsewhere" else plan.people.reachable(message)


def _last(plan: Plan, message: PlannedMessage, count: int) -> BitMap:
    """Those who would be left waiting: the claim goes by ascending ids."""
    people = BitMap() if message.is_public else _people(plan, message)
    return people[-count:] if people else BitMap()
