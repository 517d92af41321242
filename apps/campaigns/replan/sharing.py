"""Who gets what: for conflicts that dates do not solve, which campaign leaves the shared people to which.

A linear program over groups of people that are alike: who is lost by several ways out is lost once. Fairness is a condition,
not a wish: no department gives up more than its bounded share. What the limits of contact ask for beyond that is added
greedily, each step measured on the whole plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyroaring import BitMap

from ..conflicts import single
from ..conflicts.findings import Finding
from ..conflicts.snapshot import Plan, PlannedMessage
from ..models.conflicts import Severity
from ..models.scenarios import ChangeKind
from ..scenarios import measuring, trial
from ..scenarios.measuring import Ground
from ..scenarios.trial import DoesNotFit, Step
from . import milp
from .terms import Terms

MOST_KEEPERS = 8  # so many ways out of one message are told apart person by person


@dataclass(frozen=True)
class Way:
    """One side leaves the people of the other to it. ``lost``: message -> whom it would not contact any more."""

    step: Step
    lost: Mapping[int, BitMap]

    @property
    def sides(self) -> tuple[int, int]:
        """Who yields to whom."""
        return self.step.parameters["yielding"], self.step.parameters["keeping"]


@dataclass(frozen=True)
class Shares:
    """The ways taken. ``cost`` and ``bound`` are of the program: people still in conflicts and contacts given up, weighed."""

    ways: tuple[Way, ...] = ()
    cost: float = 0.0
    bound: float = 0.0


@dataclass
class _Table:
    """What the program is made of."""

    findings: list[Finding]
    ways: list[Way]
    columns: dict[int, int] = field(default_factory=dict)


def share(plan: Plan, grounds: Ground, terms: Terms) -> Shares:
    """The cheapest ways out of what is left between two campaigns, fair to the departments."""
    findings = [
        each for each in measuring.undecided(plan, grounds)
        if each.severity >= Severity.MEDIUM and each.campaigns[1] is not None and each.people
    ]
    table = _Table(findings, list(_ways(plan, findings, grounds, terms)))
    if not table.ways:
        cost = terms.weights.findings(findings)
        return Shares((), cost, cost)
    program = milp.Program()
    table.columns = {place: program.column(whole=True) for place in range(len(table.ways))}
    for one, two in _opposites(table.ways):
        program.row({table.columns[one]: 1.0, table.columns[two]: 1.0}, high=1.0)
    for finding in findings:
        _conflict(program, table, finding, terms)
    _losses(program, plan, table, grounds, terms)
    solved = milp.solve(program, seed=terms.seed)
    taken = tuple(way for place, way in enumerate(table.ways) if solved.values[table.columns[place]] > 0.5)
    return Shares(taken, solved.cost, solved.bound)


def _opposites(ways: list[Way]) -> Iterable[tuple[int, int]]:
    places = {way.sides: place for place, way in enumerate(ways)}
    return [(place, places[way.sides[::-1]]) for place, way in enumerate(ways) if place < places.get(way.sides[::-1], -1)]


def _ways(plan: Plan, findings: list[Finding], grounds: Ground, terms: Terms) -> Iterable[Way]:
    """Both directions of every pair, where somebody may yield and that leaves fewer people in what was found."""
    pairs = sorted({(each.campaigns[0], each.campaigns[1]) for each in findings})
    for one, two in pairs:
        mine = [each for each in findings if each.campaigns == (one, two)]
        only = [_only(mine, place) for place in (0, 1)]
        for yielding, keeping in ((0, 1), (1, 0)):
            ids = (one, two or 0)
            way = way_of(plan, ids[yielding], ids[keeping], only[yielding], only[keeping], terms)
            if way is not None and _helps(plan, way, mine, grounds):
                yield way


def _only(findings: list[Finding], place: int) -> int | None:
    messages = {each.messages[place] for each in findings}
    return messages.pop() if len(messages) == 1 else None


def way_of(
    plan: Plan, yielding: int, keeping: int, yielding_message: int | None, keeping_message: int | None, terms: Terms
) -> Way | None:
    """The way out in that direction; None when it cannot be taken, the yielding campaign must stay as it is, or nobody is lost."""
    if yielding not in plan.campaigns or terms.kept(plan, plan.campaigns[yielding]):
        return None
    sides = {
        "yielding": yielding, "keeping": keeping, "yielding_message": yielding_message, "keeping_message": keeping_message,
    }
    step = Step(ChangeKind.LEAVE_OUT, yielding, None, sides)
    try:
        then = plan.with_agreement(trial.agreement(plan, step))
    except DoesNotFit:
        return None
    assert plan.people is not None
    assert then.people is not None
    lost = {
        each.id: plan.people.of(each) - then.people.of(each)
        for each in trial.side(plan.campaigns[yielding], yielding_message) if trial.can_yield(plan, each)
    }
    lost = {pk: people for pk, people in lost.items() if people}
    return Way(step, lost) if lost else None


def _helps(plan: Plan, way: Way, findings: list[Finding], grounds: Ground) -> bool:
    then = plan.with_agreement(trial.agreement(plan, way.step)).focused(way.sides)
    after = {each.identity: each.count or 0 for each in measuring.undecided(then, grounds)}
    return any(after.get(each.identity, 0) < (each.count or 0) for each in findings)


def _conflict(program: milp.Program, table: _Table, finding: Finding, terms: Terms) -> None:
    """People of a finding cost its weight each, unless one of the ways that takes them out of either side is taken."""
    assert finding.people is not None
    weight = terms.weights.finding(finding) / len(finding.people)
    helping = {
        place: BitMap.union(BitMap(), *way.lost.values()) for place, way in enumerate(table.ways)
        if way.sides[0] in finding.campaigns
    }
    for group, ways in groups(finding.people, helping):
        left = program.column(weight * len(group))
        program.row({left: 1.0, **{table.columns[place]: 1.0 for place in ways}}, low=1.0)


def _losses(program: milp.Program, plan: Plan, table: _Table, grounds: Ground, terms: Terms) -> None:
    """Contacts and expected orders given up, each group once; and no department's contacts beyond its share."""
    given_up: dict[int, dict[int, float]] = {}
    for message in plan.messages.values():
        taking = {place: way.lost[message.id] for place, way in enumerate(table.ways) if message.id in way.lost}
        if not taking:
            continue
        price = price_of(plan, message, grounds, terms)
        for group, ways in groups(BitMap.union(BitMap(), *taking.values()), taking):
            lost = program.column(price * len(group))
            for place in ways:
                program.row({lost: 1.0, table.columns[place]: -1.0}, low=0.0)
            given_up.setdefault(plan.department_of(message), {})[lost] = float(len(group))
    for department, columns in given_up.items():
        program.row(columns, high=allowance(plan, department, terms))


def price_of(plan: Plan, message: PlannedMessage, grounds: Ground, terms: Terms) -> float:
    """What one contact of the message given up costs: itself, and the orders that its audience's past lets expect."""
    assert plan.people is not None
    rate = grounds.past.rate_among(plan.people.of(message), message.channel) or 0.0
    return terms.weights.contact + terms.weights.order * rate


def allowance(plan: Plan, department: int, terms: Terms) -> float:
    """How many of its planned contacts a department may be asked to give up."""
    return terms.fair_share * planned(plan).get(department, 0)


def planned(plan: Plan) -> dict[int, int]:
    """Contacts ahead, by department."""
    assert plan.people is not None
    found: dict[int, int] = {}
    for message in measuring.upcoming(plan):
        department = plan.department_of(message)
        found[department] = found.get(department, 0) + len(plan.people.of(message))
    return found


def groups(people: BitMap, sets: Mapping[int, BitMap]) -> list[tuple[BitMap, tuple[int, ...]]]:
    """The people split into those who are in the same sets. Beyond the first few sets they are not told apart any further."""
    parts: list[tuple[BitMap, tuple[int, ...]]] = [(people, ())]
    for place, other in sorted(sets.items(), key=lambda item: -len(item[1]))[:MOST_KEEPERS]:
        split = [
            part for group, ways in parts for part in ((group & other, (*ways, place)), (group - other, ways))
        ]
        parts = [(group, ways) for group, ways in split if group]
    return parts


def given_up(before: Plan, after: Plan) -> dict[int, int]:
    """Contacts given up, by department, from one plan to the other (messages that are in both)."""
    assert before.people is not None
    assert after.people is not None
    lost: dict[int, int] = {}
    for message in measuring.upcoming(before):
        now_there = after.messages.get(message.id)
        count = len(before.people.of(message)) - (len(after.people.of(now_there)) if now_there else 0)
        if count:
            department = before.department_of(message)
            lost[department] = lost.get(department, 0) + count
    return lost


def is_fair(before: Plan, after: Plan, terms: Terms) -> bool:
    """Whether no department gives up more than its share."""
    return all(count <= allowance(before, department, terms) for department, count in given_up(before, after).items())


def held(plan: Plan, grounds: Ground, terms: Terms, before: Plan) -> list[Step]:
    """What one campaign alone is left in: whom a limit still presses (the limits choose by priority, person by person, which
    gives up the least), and whom another rule concerns, are left out, as long as it is fair.
    """
    lost, steps = given_up(before, plan), []
    for finding in measuring.undecided(plan, grounds):
        ids = _messages(plan, finding)
        if finding.severity < Severity.MEDIUM or finding.campaigns[1] is not None or not finding.people or not ids:
            continue
        campaign = plan.campaigns[finding.campaigns[0]]
        is_limit = finding.rule == measuring.LIMIT
        if campaign.id in terms.locked or (not is_limit and (finding.rule not in single.ABOUT_PEOPLE or terms.kept(plan, campaign))):
            continue
        count = lost.get(campaign.department_id, 0) + len(finding.people) * len(ids)
        if count <= allowance(before, campaign.department_id, terms):
            lost[campaign.department_id] = count
            figures = {"identity": finding.identity, "rule": finding.rule, "messages": ids, "people": len(finding.people)}
            kind = ChangeKind.CAP if is_limit else ChangeKind.LEAVE_OUT
            steps.append(Step(kind, campaign.id, ids[0] if is_limit else None, figures))
    return steps


def _messages(plan: Plan, finding: Finding) -> list[int]:
    """The messages that can leave the finding's people out; none where nobody else would be left."""
    named = {finding.messages[0]} if finding.messages[0] else set(finding.facts.get("messages", ()))
    own = plan.campaigns[finding.campaigns[0]].messages if finding.campaigns[0] in plan.campaigns else ()
    found = [each for each in own if trial.can_yield(plan, each) and (not named or each.id in named)]
    assert plan.people is not None
    people = BitMap.union(BitMap(), *(plan.people.of(each) for each in found))
    return [each.id for each in found] if finding.rule == measuring.LIMIT or people - (finding.people or people) else []
