"""A what-if measured against the real plan, change by change. Counted once for a state of both, and kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeVar

from django.core.cache import cache
from django.db.models import Max

from apps.core import clock

from ..conflicts import loading
from ..conflicts.findings import Finding
from ..conflicts.snapshot import Plan
from ..models import Conflict, PlanVersion, Scenario, ScenarioChange
from ..models.conflicts import Severity
from ..models.scenarios import ChangeState
from . import drafting, measuring
from .measuring import Ground, Measures
from .trial import Step, fitting

KEPT = 3600
Counted = TypeVar("Counted")
AFTERMATH = timedelta(days=14)  # so long after the period its messages still count towards limits


@dataclass(frozen=True)
class Figures:
    """``rows``: change -> the figures with it and all before it. ``misfits``: change -> why it cannot be made any more.

    ``after``: with all that fit, or with those ``ticked`` alone. ``unfit``: how many of the ticked do not fit without others.
    ``over``: people over a limit per day with all changes, ``reach`` people per campaign.
    """

    before: Measures
    after: Measures
    rows: Mapping[int, Measures]
    misfits: Mapping[int, str]
    over: Mapping[date, int]
    reach: Mapping[int, int]
    findings: Sequence[Finding]
    left: Mapping[int, int]
    unfit: int = 0

    @property
    def contacts_lost(self) -> int:
        """Planned contacts that the real plan has and the what-if has not."""
        return self.before.contacts - self.after.contacts

    @property
    def orders_lost(self) -> float | None:
        """Expected orders that the what-if gives up; None without a basis."""
        if self.before.orders is None or self.after.orders is None:
            return None
        return self.before.orders - self.after.orders


def of(scenario: Scenario, *, now: datetime) -> Figures:
    """The figures of the what-if as it stands, against the plan as it stands."""
    return _kept(_key(scenario, now), lambda: count(scenario, now=now))


def ticked(scenario: Scenario, chosen: Collection[int], *, now: datetime) -> Figures:
    """The same, but ``after`` is the plan with these changes and those that are proposed already, and without any other."""
    every = of(scenario, now=now)
    changes = [
        change for change in drafting.pending(scenario)
        if change.pk not in every.misfits and (change.pk in chosen or change.state == ChangeState.PROPOSED)
    ]
    if {change.pk for change in changes} == every.rows.keys():
        return every
    key = f"{_key(scenario, now)}:{'.'.join(str(change.pk) for change in changes)}"
    after, unfit = _kept(key, lambda: _with(scenario, [drafting.step_of(change) for change in changes], now))
    return replace(every, after=after, unfit=unfit)


def _with(scenario: Scenario, steps: list[Step], now: datetime) -> tuple[Measures, int]:
    plan = loading.load(now=now)
    there, misfits = fitting(plan, steps)
    fits = [step for place, step in enumerate(steps) if place not in misfits]
    return measuring.measure(there, ground_of(scenario, plan).holding(fits)), len(misfits)


def _key(scenario: Scenario, now: datetime) -> str:
    """One state of the what-if against one state of the plan and of what was decided about it."""
    version = PlanVersion.objects.first()
    state = f"{version.number}.{version.people_pass_number}" if version else "0"
    states = "".join(state[:2] for state in scenario.changes.order_by("pk").values_list("state", flat=True))
    last = Conflict.objects.exclude(settled_by=None).aggregate(last=Max("updated_at"))["last"]
    decided = last.timestamp() if last else 0
    return f"what-if:{scenario.pk}:{scenario.updated_at.timestamp()}:{states}:{state}:{decided}:{clock.company_day(now)}"


def _kept(key: str, counted: Callable[[], Counted]) -> Counted:
    kept: Counted | None = cache.get(key)
    if kept is None:
        kept = counted()
        cache.set(key, kept, KEPT)
    return kept


def ground_of(scenario: Scenario, plan: Plan) -> Ground:
    """What the what-if's figures rest on: its period and the fortnight after it."""
    return measuring.ground(plan, first=scenario.starts_on, last=scenario.ends_on + AFTERMATH)


def count(scenario: Scenario, *, now: datetime) -> Figures:
    """Counted from scratch."""
    plan = loading.load(now=now)
    grounds = ground_of(scenario, plan)
    changes = drafting.pending(scenario)
    there, misfits = fitting(plan, [drafting.step_of(change) for change in changes])
    fits = [change for place, change in enumerate(changes) if place not in misfits]
    rows = _one_by_one(plan, grounds, fits)
    held = grounds.holding(drafting.step_of(change) for change in fits)
    found = measuring.undecided(there, held)
    assert there.people is not None
    before = measuring.measure(plan, grounds)
    return Figures(
        before, rows[fits[-1].pk] if fits else before, rows, {changes[place].pk: code for place, code in misfits.items()},
        {day: len(people) for day, people in measuring.over_by_day(there, grounds).items()},
        {pk: there.size(pk) for pk in there.campaigns}, found, left_by(found),
    )


def _one_by_one(plan: Plan, grounds: Ground, changes: list[ScenarioChange]) -> dict[int, Measures]:
    """The figures after the first change, after the first two, and so on; the last are those of all of them."""
    steps, rows = [], {}
    for change in changes:
        steps.append(drafting.step_of(change))
        there, _misfits = fitting(plan, steps)
        rows[change.pk] = measuring.measure(there, grounds.holding(steps))
    return rows


def left_by(findings: Sequence[Finding]) -> dict[int, int]:
    """Undecided conflicts of weight by campaign."""
    left: dict[int, int] = {}
    for finding in findings:
        for pk in finding.campaigns:
            if pk is not None and finding.severity >= Severity.MEDIUM:
                left[pk] = left.get(pk, 0) + 1
    return left


def plan_with(scenario: Scenario, *, now: datetime, apart_from: int | None = None) -> Plan:
    """The real plan with what fits of the what-if; without its move of one campaign when asked."""
    changes = [each for each in drafting.pending(scenario) if not (each.kind == "move" and each.campaign_id == apart_from)]
    plan = loading.load(now=now, also=[apart_from] if apart_from else [])
    return fitting(plan, [drafting.step_of(change) for change in changes])[0]


