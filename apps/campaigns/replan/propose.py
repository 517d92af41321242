"""A proposal for a period: days and shares, measured on the whole plan, each change with what it is good for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..conflicts.findings import Finding
from ..conflicts.snapshot import Plan
from ..models.conflicts import Severity
from ..models.scenarios import ChangeKind
from ..scenarios import measuring
from ..scenarios.measuring import Ground, Measures
from ..scenarios.trial import DoesNotFit, Step, tried
from . import dates, last, problem, sharing
from .terms import Terms

MOST_ROUNDS, MOST_TRIES = 2, 8
SPLIT = (60, 10, 20, 10)  # how the work is told in per cent: measuring days, choosing, improving, sharing

Tick = Callable[[int], None]


@dataclass(frozen=True)
class Advised:
    """One change with its reasons as a code with figures."""

    step: Step
    why: dict[str, Any]


@dataclass(frozen=True)
class Proposal:
    """``gap_days`` and ``gap_people``: what is at most missing to the best possible, as shares of the cost (0: proven best).

    ``left``: findings of weight that nothing offered here solves. ``staying``: campaign -> why it keeps its days. ``planned`` and
    ``given_up``: contacts by department. ``kept``: campaign of which nothing may be changed -> why.
    """

    changes: tuple[Advised, ...]
    before: Measures
    after: Measures
    gap_days: float
    gap_people: float
    left: tuple[Finding, ...] = ()
    staying: Mapping[int, str] = field(default_factory=dict)
    given_up: Mapping[int, int] = field(default_factory=dict)
    planned: Mapping[int, int] = field(default_factory=dict)
    kept: Mapping[int, str] = field(default_factory=dict)


@dataclass
class _Search:
    plan: Plan
    grounds: Ground
    terms: Terms

    def moved(self, days: Mapping[int, int]) -> Plan:
        """The plan with these days."""
        return tried(self.plan, steps_of(self.plan, days))

    def cost(self, plan: Plan, days: Mapping[int, int]) -> float:
        """What a plan costs as a whole: findings, people over limits, moves; and what is given up against the real plan."""
        weights = self.terms.weights
        found = weights.findings(measuring.undecided(plan, self.grounds))
        over = weights.over * len(measuring.over_limit(plan, self.grounds))
        return found + over + sum(weights.move(each) for each in days.values()) + self.loss(plan)

    def whole(self, steps: Iterable[Step]) -> float:
        """What the plan with these changes costs; infinite when they do not fit together."""
        steps = list(steps)
        try:
            return self.cost(tried(self.plan, steps), _days(steps))
        except DoesNotFit:
            return float("inf")

    def loss(self, plan: Plan) -> float:
        """Contacts and expected orders that the plan gives up, weighed."""
        assert self.plan.people is not None
        assert plan.people is not None
        lost = 0.0
        for message in measuring.upcoming(self.plan):
            there = plan.messages.get(message.id)
            gone = len(self.plan.people.of(message)) - (len(plan.people.of(there)) if there else 0)
            if gone > 0:
                lost += gone * sharing.price_of(self.plan, message, self.grounds, self.terms)
        return lost


def steps_of(plan: Plan, days: Mapping[int, int]) -> list[Step]:
    """The moves among these days as changes."""
    return [
        Step(ChangeKind.MOVE, pk, None, {"days": offset, "from": plan.campaigns[pk].starts_on.isoformat()})
        for pk, offset in sorted(days.items()) if offset
    ]


def propose(plan: Plan, grounds: Ground, terms: Terms, tick: Tick = lambda percent: None) -> Proposal:
    """The proposal for the plan. ``tick`` hears the per cent done and may raise to give up. Deterministic for a seed."""
    search = _Search(plan, grounds, terms)
    asked = problem.build(plan, grounds, terms, lambda done, total: tick(SPLIT[0] * done // max(1, total)))
    chosen = dates.choose(asked, seed=terms.seed)
    tick(SPLIT[0] + SPLIT[1])
    days = _improved(search, asked, dict(chosen.days), tick)
    steps = steps_of(plan, days)
    steps += last.ordered(search, steps)
    shares = sharing.share(tried(plan, steps), grounds, terms)
    tick(sum(SPLIT[:3]))
    steps = _needed(search, [*steps, *(way.step for way in shares.ways)])
    steps += sharing.held(tried(plan, steps), grounds, terms, plan)
    steps += last.resorts(search, steps)
    after, held = tried(plan, steps), grounds.holding(steps)
    reached = asked.cost(days)
    tick(100)
    left = [each for each in measuring.undecided(after, held) if each.severity >= Severity.MEDIUM]
    kept = {pk: code for pk, each in plan.campaigns.items() if (code := terms.kept(plan, each))}
    return Proposal(
        tuple(Advised(step, why(search, steps, step)) for step in steps),
        measuring.measure(plan, grounds), measuring.measure(after, held),
        _gap(reached, chosen.bound), _gap(shares.cost, shares.bound), tuple(left), asked.staying,
        _given_up(plan, after, held), sharing.planned(plan), kept,
    )


def _given_up(plan: Plan, after: Plan, held: Ground) -> dict[int, int]:
    """Contacts given up by department, those of people left out for a finding of one campaign alone among them."""
    lost = sharing.given_up(plan, after)
    assert after.people is not None
    for message_id, people in measuring.refused(measuring.find(after), held).items():
        if message := after.messages.get(message_id):
            department = after.department_of(message)
            lost[department] = lost.get(department, 0) + len(people & after.people.of(message))
    return {department: count for department, count in lost.items() if count}


def _gap(cost: float, bound: float) -> float:
    return 0.0 if cost <= bound + 1e-6 else (cost - bound) / cost


def _days(steps: Iterable[Step]) -> dict[int, int]:
    return {step.campaign_id: step.parameters["days"] for step in steps if step.kind == ChangeKind.MOVE}


def _improved(search: _Search, asked: problem.Problem, days: dict[int, int], tick: Tick) -> dict[int, int]:
    """Looks again at campaigns that still are in something when everything counts, limits and capacities too."""
    plan = search.moved(days)
    cost = search.cost(plan, days)
    for round_number in range(MOST_ROUNDS):
        found = measuring.undecided(plan, search.grounds)
        serious = [each for each in found if each.severity >= Severity.MEDIUM]
        troubled = sorted({pk for each in serious for pk in each.campaigns if pk is not None and pk in asked.alone})
        better = False
        for place, pk in enumerate(troubled):
            tick(SPLIT[0] + SPLIT[1] + SPLIT[2] * (round_number * len(troubled) + place) // (MOST_ROUNDS * len(troubled)))
            for offset in _promising(asked, days, pk):
                other = {**days, pk: offset}
                there = search.moved(other)
                if (price := search.cost(there, other)) < cost - 1e-6:
                    cost, days, plan, better = price, other, there, True
        if not better:
            break
    return days


def _promising(asked: problem.Problem, days: Mapping[int, int], pk: int) -> list[int]:
    """The days of one campaign that cost least in the problem, the others standing."""
    offsets = sorted(asked.alone[pk], key=lambda offset: (asked.cost({**days, pk: offset}), abs(offset), offset))
    return [offset for offset in offsets if offset != days[pk]][:MOST_TRIES]


def _needed(search: _Search, steps: list[Step]) -> list[Step]:
    """Without the changes that are not worth it beside the others."""
    cost = search.whole(steps)
    for step in list(steps):
        fewer = [each for each in steps if each is not step]
        price = search.whole(fewer)
        if price <= cost + 1e-9:
            steps, cost = fewer, price
    return steps


def why(search: _Search, steps: list[Step], step: Step) -> dict[str, Any]:
    """What the change is good for beside all the others: findings that would be there without it, people, losses."""
    fewer = [each for each in steps if each is not step]
    plans = tried(search.plan, fewer), tried(search.plan, steps)
    grounds = search.grounds.holding(fewer), search.grounds.holding(steps)
    found, after = (measuring.undecided(*each) for each in zip(plans, grounds, strict=True))
    gone = {each.identity for each in found} - {each.identity for each in after}
    settles = [each for each in found if each.severity >= Severity.MEDIUM and each.identity in gone]
    measures = [measuring.measure(*each) for each in zip(plans, grounds, strict=True)]
    orders = [each.orders for each in measures]
    settles.sort(key=lambda each: (-each.severity, -(each.count or 0), each.identity))
    return {
        "settles": [
            {
                "identity": each.identity, "rule": each.rule, "severity": int(each.severity), "people": each.count,
                "campaigns": list(each.campaigns),
            }
            for each in settles
        ],
        "over": measures[0].over - measures[1].over, "contacts": measures[0].contacts - measures[1].contacts,
        "orders": None if None in orders else round(orders[0] - orders[1], 1),  # type: ignore[operator]
    }
