"""The way out of one joint campaign: it holds the messages of both, and the shared people get those of the side that leads it.

Nothing may have begun. Measured is the plan with both campaigns in one and each message of the joining side leaving out whom the
messages of the leading side reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pyroaring import BitMap

from ..models.conflicts import ResolutionAction, Severity
from . import response
from .findings import Finding
from .passes import find
from .snapshot import Plan, PlannedAgreement, PlannedCampaign, PlannedMessage
from .wayout import Effect, Pair, WayOut, can_yield, people_of


def ways(pair: Pair, past: response.Response) -> Iterator[WayOut]:
    """Either side leading; nothing where one of them has begun or nobody is shared."""
    from .. import joint

    if joint.problem([campaign.id for campaign in pair.campaigns], now=pair.plan.now):
        return
    before = _weighty(find(pair.plan))
    for leading, joining in (pair.campaigns, pair.campaigns[::-1]):
        if way := _measured(pair, leading, joining, before, past):
            yield way


def _measured(
    pair: Pair, leading: PlannedCampaign, joining: PlannedCampaign, before: list[Finding], past: response.Response
) -> WayOut | None:

    plan = pair.plan
    ahead = [each for each in joining.messages if can_yield(plan, each)]
    kept = [each for each in leading.messages if not each.is_public]
    then = _joined(plan, leading, joining, ahead, kept)
    lost = [(each, people_of(plan, [each]) - people_of(then, [_of(then, each.id)])) for each in ahead]
    shared = BitMap.union(BitMap(), *(people for _message, people in lost))
    if not shared:
        return None
    findings = find(then.focused([leading.id]))
    arising = _arising(pair, findings, before, leading, joining)
    return WayOut(
        ResolutionAction.MERGE, leading.id, reached=len(shared), saved=sum(len(people) * _ahead(plan, each) for each, people in lost),
        orders_lost=past.orders(len(shared), {each.channel for each, people in lost if people}), others=len(arising),
        effects=tuple(Effect(row.pk, row.rule, row.people_count or 0, 0) for row in pair.findings),
        arising=tuple(arising), spread=pair.spread(then),
        parameters={
            "leading": leading.id, "joining": joining.id, "reached": len(shared),
            "programme": leading.programme_id or joining.programme_id,
        },
    )


def _joined(
    plan: Plan, leading: PlannedCampaign, joining: PlannedCampaign, ahead: list[PlannedMessage], kept: list[PlannedMessage]
) -> Plan:
    """Both in the leading campaign. What binds the joining one with others binds its messages there."""
    whole = replace(
        leading, starts_on=min(leading.starts_on, joining.starts_on), ends_on=max(leading.ends_on, joining.ends_on),
        messages=(*leading.messages, *(replace(each, campaign_id=leading.id) for each in joining.messages)),
    )
    pair = {leading.id, joining.id}
    standing = [each for each in plan.agreements if each.pair != pair]
    bound = [one for each in standing for one in _rehomed(each, leading, joining)]
    bound += [
        PlannedAgreement(leading.id, leading.id, frozenset({mine.id}), plan.now, each.id, mine.id) for each in ahead for mine in kept
    ]
    agreements = tuple(bound)
    assert plan.people is not None
    there = plan.with_campaign(whole.to_approve_anew()).without(joining.id)
    return replace(there, agreements=agreements, people=plan.people.under(agreements))


def _rehomed(agreement: PlannedAgreement, leading: PlannedCampaign, joining: PlannedCampaign) -> Iterator[PlannedAgreement]:
    """The same relation by single messages, so that it binds those of the side that agreed to it and no others."""
    sides: dict[str, list[int]] = {}
    for name in ("yielding", "keeping"):
        campaign = next((each for each in (leading, joining) if each.id == getattr(agreement, f"{name}_campaign")), None)
        if campaign is not None and getattr(agreement, f"{name}_message") is None:
            sides[name] = [message.id for message in campaign.messages]
        elif campaign is not None:
            sides[name] = [getattr(agreement, f"{name}_message")]
    if not sides:
        yield agreement
    for name, messages in sides.items():
        for pk in messages:
            moved = {f"{name}_campaign": leading.id, f"{name}_message": pk}
            yield replace(agreement, **moved, **({"keeping": agreement.keeping & {pk}} if name == "keeping" else {}))  # type: ignore[arg-type]


def _of(plan: Plan, pk: int) -> PlannedMessage:
    return plan.messages[pk]


def _ahead(plan: Plan, message: PlannedMessage) -> int:
    return sum(end > plan.now for _start, end in message.windows)


def _weighty(findings: Iterable[Finding]) -> list[Finding]:
    return [each for each in findings if each.severity >= Severity.MEDIUM]


def _arising(
    pair: Pair, findings: Iterable[Finding], before: Iterable[Finding], leading: PlannedCampaign, joining: PlannedCampaign
) -> list[tuple[str, int]]:
    """(rule, people) of what the joint campaign would have, more than its two parts have with others today."""
    own = {row.identity for row in pair.findings}
    standing: dict[tuple, int] = {}
    for each in before:
        if each.identity not in own:
            key = _key(each, leading, joining)
            standing[key] = standing.get(key, 0) + (each.count or 0)
    found: dict[tuple, int] = {}
    for each in _weighty(findings):
        key = _key(each, leading, joining)
        found[key] = found.get(key, 0) + (each.count or 0)
    return [(key[0], people) for key, people in found.items() if people > standing.get(key, -1)]


def _key(finding: Finding, leading: PlannedCampaign, joining: PlannedCampaign) -> tuple:
    sides = {leading.id if pk == joining.id else pk for pk in finding.campaigns if pk is not None}
    return finding.rule, frozenset(sides)
