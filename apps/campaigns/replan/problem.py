"""The choice of dates as a problem over days: what each campaign costs on each day, and what two of them cost together.

Only what two campaigns (or one) have against each other is in here, and only costs that further campaigns cannot lessen. So
the least cost of this problem is a bound: no choice of these days costs less. What only many campaigns together do (limits,
capacities) is not in it and is measured on the whole plan by ``search``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import combinations

from ..conflicts import loading, registry, resolve
from ..conflicts.findings import Finding
from ..conflicts.snapshot import Plan, PlannedCampaign
from ..scenarios.measuring import Ground
from .terms import Terms

# Rules whose findings stay whatever else is planned, by what decides them: the days themselves, or how far two are apart.
BY_DAY = {"blackout", "embargo", "exclusivity", "holiday", "quiet_hours", "service_first"}
BY_DISTANCE = {"overlap", "offers", "spacing"}
MOST_DAYS, FEW_CAMPAIGNS = 15, 14

Tick = Callable[[int, int], None]


@dataclass(frozen=True)
class Problem:
    """``alone``: campaign -> day offset -> cost; ``pairs``: two campaigns -> their offsets -> cost, only where there is one.

    ``staying`` says of each campaign that keeps its days why; ``fixed`` is what those cost among themselves.
    """

    alone: Mapping[int, Mapping[int, float]]
    pairs: Mapping[tuple[int, int], Mapping[tuple[int, int], float]] = field(default_factory=dict)
    staying: Mapping[int, str] = field(default_factory=dict)
    fixed: float = 0.0

    def cost(self, days: Mapping[int, int]) -> float:
        """What these days cost in this problem."""
        alone = sum(costs[days[pk]] for pk, costs in self.alone.items())
        return self.fixed + alone + sum(costs.get((days[one], days[two]), 0.0) for (one, two), costs in self.pairs.items())


def build(plan: Plan, grounds: Ground, terms: Terms, tick: Tick = lambda done, total: None) -> Problem:
    """Measures every campaign on every day it may have, and every two of them that could meet."""
    staying = {pk: why for pk, each in plan.campaigns.items() if (why := terms.stays(plan, each))}
    movable = [each for pk, each in sorted(plan.campaigns.items()) if pk not in staying]
    assert plan.people is not None
    plan.people.fetch(plan.messages.values())
    couples = [two for two in combinations(movable, 2) if _share_anybody(plan, *two)]
    total, fixed = len(movable) + len(couples), plan
    for each in movable:
        fixed = _hidden(fixed, each.id)
    alone = {}
    for done, each in enumerate(movable):
        tick(done, total)
        alone[each.id] = _alone(fixed, each, grounds, terms, many=len(movable) > FEW_CAMPAIGNS)
    pairs = {}
    for done, (one, two) in enumerate(couples, start=len(movable)):
        tick(done, total)
        costs = _together(plan, one, two, alone, grounds, terms)
        if costs:
            pairs[one.id, two.id] = costs
    return Problem(alone, pairs, staying, terms.weights.findings(_find(fixed, BY_DAY | BY_DISTANCE, grounds)))


def _hidden(plan: Plan, campaign_id: int) -> Plan:
    """Without the campaign's messages, under the agreements that stand."""
    return replace(plan, campaigns={pk: each for pk, each in plan.campaigns.items() if pk != campaign_id})


def _share_anybody(plan: Plan, one: PlannedCampaign, two: PlannedCampaign) -> bool:
    """Whether any rule could find the two together: people in common, or something public about goods."""
    public = any(message.is_public for campaign in (one, two) for message in campaign.messages)
    return public or bool(plan.audience(one.id) & plan.audience(two.id))


def offsets(plan: Plan, campaign: PlannedCampaign, terms: Terms) -> list[int]:
    """By how many days it may be moved: begins in the period, in time for its channels; not at all is always possible."""
    return [
        days for days in range(-terms.move_days, terms.move_days + 1)
        if days == 0 or (
            terms.first <= campaign.starts_on + timedelta(days=days) <= terms.last
            and resolve.is_movable(plan, campaign, days)
            and terms.in_time(plan, loading.moved(campaign, days, plan.zone))
        )
    ]


def _alone(fixed: Plan, campaign: PlannedCampaign, grounds: Ground, terms: Terms, *, many: bool) -> dict[int, float]:
    """Its cost beside what stays, for each day; with many campaigns only the best days of each are kept."""
    costs = {}
    for days in offsets(fixed, campaign, terms):
        there = fixed.with_campaign(loading.moved(campaign, days, fixed.zone)).focused([campaign.id])
        costs[days] = terms.weights.findings(_find(there, BY_DAY | BY_DISTANCE, grounds)) + terms.weights.move(days)
    best = sorted(costs, key=lambda days: (days != 0, costs[days], abs(days), days))
    return {days: costs[days] for days in sorted(best[: MOST_DAYS if many else None])}


def _find(plan: Plan, codes: Iterable[str], grounds: Ground) -> list[Finding]:
    wanted = set(codes)
    return [
        finding for rule in registry.RULES if rule.code in wanted for finding in rule.find(plan) if grounds.is_undecided(finding)
    ]


def _together(
    plan: Plan, one: PlannedCampaign, two: PlannedCampaign, alone: Mapping[int, Mapping[int, float]], grounds: Ground, terms: Terms,
) -> dict[tuple[int, int], float]:
    """What the two cost together. Their distance decides it (and the clocks being changed between), so few are measured."""
    known: dict[tuple, float] = {}
    costs: dict[tuple[int, int], float] = {}
    places = {each.id: {days: loading.moved(each, days, plan.zone) for days in alone[each.id]} for each in (one, two)}
    for first, here in places[one.id].items():
        for second, there in places[two.id].items():
            distance = (second - first, _offset(here, plan), _offset(there, plan))
            if distance not in known:
                both = replace(plan, campaigns={one.id: here, two.id: there}, focus=None)
                found = [each for each in _find(both, BY_DISTANCE, grounds) if None not in each.campaigns]
                known[distance] = terms.weights.findings(found)
            if known[distance]:
                costs[first, second] = known[distance]
    return costs


def _offset(campaign: PlannedCampaign, plan: Plan) -> tuple:
    return tuple(start.astimezone(plan.zone).utcoffset() for message in campaign.messages for start, _end in message.windows[:1])
