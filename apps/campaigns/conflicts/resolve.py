"""Ways out of a conflict, each with its effect measured on the plan before anybody applies it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from apps.core import clock

from ..models import Conflict
from ..models.conflicts import ResolutionAction, Severity
from . import loading, merging, ordering, pairs, rechannel, registry, response, single, splitting, why_not
from .findings import Finding
from .passes import find
from .snapshot import Plan, PlannedAgreement, PlannedCampaign
from .wayout import MOVABLE, Effect, Pair, WayOut, can_yield, of_side, people_of

ASKED_MOVE = re.compile(r"[0-9]{1,18}:-?[0-9]{1,4}")


def ways_out(conflict: Conflict, *, now: datetime) -> list[WayOut]:
    """All ways out of what the pair has against each other that can be taken now, measured on the plan as it stands."""
    found = Pair.load(conflict, now)
    return [] if found is None else _ways(found, now)


def ways_and_missing(conflict: Conflict, *, now: datetime) -> tuple[list[WayOut], list[why_not.Missing]]:
    """The same, and why what is not among them is not."""
    found = Pair.load(conflict, now)
    if found is None:
        return [], []
    ways = _ways(found, now)
    return ways, why_not.missing(found, ways)


def _ways(found: Pair, now: datetime) -> list[WayOut]:
    ways = [*_leave_outs(found, now), *_caps(found, now)]
    if len(found.campaigns) == 2:
        ways += [*splitting.split(found, now), *rechannel.ways(found, response.past(now=now))]
        ways += [*merging.ways(found, response.past(now=now)), *_cancels(found, now)]
    for campaign in found.campaigns:
        ways += _moves(found, campaign)
    if len(found.campaigns) == 1:
        ways += [*(ordering.ways(found, now) if found.conflict.rule == "sequence" else ()), *_alone(found, now)]
    return [*ways, _acceptance(found)]


def _alone(pair: Pair, now: datetime) -> Iterator[WayOut]:
    """Out of what one campaign has against itself or the calendar: leaving the people of the finding out, or cancelling."""
    plan, campaign, past = pair.plan, pair.campaigns[0], response.past(now=now)
    settled = tuple(Effect(row.pk, row.rule, row.people_count or 0, 0) for row in pair.findings)
    messages, lost = single.to_leave_out(plan, campaign, pair.conflict)
    if lost:
        yield WayOut(
            ResolutionAction.LEAVE_OUT, campaign.id, people_lost=len(lost), effects=settled,
            orders_lost=past.orders(len(lost), {message.channel for message in messages}),
            parameters={"campaign": campaign.id, "messages": [message.id for message in messages], "alone": True},
        )
    everybody = plan.audience(campaign.id)
    yield WayOut(
        ResolutionAction.CANCEL, campaign.id, people_lost=len(everybody), effects=settled,
        orders_lost=past.orders(len(everybody), {message.channel for message in campaign.messages}),
        parameters={"campaign": campaign.id},
    )


def leave_outs(conflict: Conflict, *, now: datetime) -> list[WayOut]:
    """Only the ways that leave people out of one side."""
    found = Pair.load(conflict, now)
    return [] if found is None else [*_leave_outs(found, now)]


def _leave_outs(pair: Pair, now: datetime) -> Iterator[WayOut]:
    """Each side leaving the people of the other out, as far as there is anybody who can be left out."""
    if len(pair.campaigns) == 2:
        past = response.past(now=now)
        for yielding, keeping in (pair.campaigns, pair.campaigns[::-1]):
            if way := _leave_out(pair, yielding, keeping, past):
                yield way


def _caps(pair: Pair, now: datetime) -> Iterator[WayOut]:
    """Holding to the limit: whoever is over it is left out of this message when it is sent, and that is all right."""
    conflict, campaign = pair.conflict, pair.campaigns[0]
    message = pair.plan.messages.get(conflict.first_message_id or 0)
    if conflict.rule == "pressure" and message is not None and can_yield(pair.plan, message):
        lost = conflict.people_count or 0
        yield WayOut(
            ResolutionAction.CAP, campaign.id, people_lost=lost, orders_lost=response.past(now=now).orders(lost, {message.channel}),
            effects=(Effect(conflict.pk, conflict.rule, lost, 0),), parameters={"campaign": campaign.id, "message": message.id},
        )


def _cancels(pair: Pair, now: datetime) -> Iterator[WayOut]:
    """Giving one of the two up for good: all of its people lose it."""
    past = response.past(now=now)
    for campaign in pair.campaigns:
        if campaign.status in MOVABLE and not any(message.is_safety for message in campaign.messages):
            lost = pair.plan.size(campaign.id)
            yield WayOut(
                ResolutionAction.CANCEL, campaign.id, people_lost=lost,
                orders_lost=past.orders(lost, {message.channel for message in campaign.messages}),
                effects=tuple(Effect(row.pk, row.rule, row.people_count or 0, 0) for row in pair.findings),
                spread=pair.spread(pair.plan.without(campaign.id)), parameters={"campaign": campaign.id},
            )


def _acceptance(pair: Pair) -> WayOut:
    effects = tuple(Effect(row.pk, row.rule, row.people_count or 0, row.people_count or 0) for row in pair.findings)
    return WayOut(ResolutionAction.ACCEPT, still_both=pair.conflict.people_count or 0, effects=effects, spread=pair.spread(pair.plan))


def way_out(conflict: Conflict, key: str, *, now: datetime) -> WayOut | None:
    """The one of that key, measured anew; None when it cannot be taken (any more). Any number of days may be asked for."""
    action, _separator, rest = key.partition(":")
    if action == ResolutionAction.MOVE:
        return _asked_move(conflict, rest, now)
    return next((way for way in ways_out(conflict, now=now) if way.key == key), None)


def _asked_move(conflict: Conflict, rest: str, now: datetime) -> WayOut | None:
    pk, _separator, days = rest.partition(":")
    sides = pairs.sides(conflict)
    if not ASKED_MOVE.fullmatch(rest) or int(pk) not in sides or not -366 <= int(days) <= 366:
        return None
    found = Pair.load(conflict, now)
    campaign = found.plan.campaigns.get(int(pk)) if found else None
    if found is None or campaign is None or not is_movable(found.plan, campaign, int(days)):
        return None
    return _measure_move(found, campaign, int(days))


def _leave_out(pair: Pair, yielding: PlannedCampaign, keeping: PlannedCampaign, past: response.Response) -> WayOut | None:
    """What is public has nobody to leave out, and leaves nobody to others."""
    plan, only = pair.plan, pair.only()
    ahead = [message for message in of_side(yielding, only[yielding.id]) if can_yield(plan, message)]
    kept = [message for message in of_side(keeping, only[keeping.id]) if not message.is_public]
    if not ahead or not kept:
        return None
    agreement = PlannedAgreement(
        yielding.id, keeping.id, frozenset(message.id for message in kept), plan.now, only[yielding.id], only[keeping.id],
        yielding=frozenset(message.id for message in ahead),
    )
    before, then = people_of(plan, ahead), plan.with_agreement(agreement)
    lost = before - people_of(then, ahead)
    if not lost:
        return None
    return WayOut(
        ResolutionAction.LEAVE_OUT, yielding.id, people_lost=len(lost),
        orders_lost=past.orders(len(lost), {message.channel for message in ahead}),
        still_both=len(people_of(then, ahead) & people_of(then, kept)), effects=pair.effects(find(then)), spread=pair.spread(then),
        parameters={
            "yielding": yielding.id, "keeping": keeping.id,
            "yielding_message": only[yielding.id], "keeping_message": only[keeping.id],
        },
    )


def is_movable(plan: Plan, campaign: PlannedCampaign, days: int) -> bool:
    """Whether the whole campaign can go ``days`` later: nothing of it has begun, it is not locked and does not start in the past."""
    if campaign.status not in MOVABLE or campaign.lock or any(message.is_safety for message in campaign.messages):
        return False
    begun = any(start <= plan.now for message in campaign.messages for start, _end in message.windows)
    first = min((start for message in campaign.messages for start, _end in message.windows), default=None)
    today = clock.company_day(plan.now)
    starts_in_time = campaign.starts_on + timedelta(days=days) >= min(today, campaign.starts_on)
    return not begun and starts_in_time and (first is None or first + timedelta(days=days) > plan.now)


def _moves(pair: Pair, campaign: PlannedCampaign) -> list[WayOut]:
    """The nearest days on which nothing of the pair is left and no other conflict of weight has come instead."""
    found: list[WayOut] = []
    limit, standing = pair.plan.parameters.move_days, _standing(pair, campaign)
    for days in sorted((day for day in range(-limit, limit + 1) if day), key=lambda day: (abs(day), -day)):
        if not is_movable(pair.plan, campaign, days):
            continue
        if _would_have(pair.plan, campaign, days, standing):
            continue
        found.append(_measure_move(pair, campaign, days))
        if len(found) == pair.plan.parameters.move_choices:
            break
    return found


def shifted(plan: Plan, campaign: PlannedCampaign, days: int) -> Plan:
    """The plan as it would be with the campaign moved, asked about that campaign only."""
    return plan.with_campaign(loading.moved(campaign, days, plan.zone)).focused([campaign.id])


def _standing(pair: Pair, campaign: PlannedCampaign) -> dict[str, int]:
    """identity -> people of what the campaign has against itself or the calendar already, beside what is to be solved: no move
    is to blame for that.
    """
    own = {row.identity for row in pair.findings}
    findings = find(pair.plan.focused([campaign.id]))
    return {each.identity: each.count or 0 for each in findings if each.campaigns[1] is None and each.identity not in own}


def _would_have(plan: Plan, campaign: PlannedCampaign, days: int, standing: Mapping[str, int]) -> list[Finding]:
    """Conflicts of weight that the campaign would have, moved by so many days, and has not as bad already."""
    moved = shifted(plan, campaign, days)
    for rule in registry.RULES:
        serious = [
            finding for finding in rule.find(moved)
            if finding.severity >= Severity.MEDIUM and (finding.count or 0) > standing.get(finding.identity, -1)
        ]
        if serious:
            return serious
    return []


def _measure_move(pair: Pair, campaign: PlannedCampaign, days: int) -> WayOut:
    moved = shifted(pair.plan, campaign, days)
    findings, conflict = find(moved), pair.conflict
    own = {row.identity for row in pair.findings}
    others = [finding for finding in findings if finding.severity >= Severity.MEDIUM and finding.identity not in own]
    still = any(finding.identity in own for finding in findings)
    return WayOut(
        ResolutionAction.MOVE, campaign.id, days=days, starts_on=campaign.starts_on + timedelta(days=days),
        still_both=(conflict.people_count or 0) if conflict.second_campaign_id or still else 0,
        apart_days=_apart(moved, conflict), others=len(others), effects=pair.effects(findings), spread=pair.spread(moved),
        parameters={"campaign": campaign.id, "days": days},
    )


def _apart(plan: Plan, conflict: Conflict) -> int | None:
    """Whole days between the nearest contacts of the two sides."""
    if conflict.second_campaign_id is None:
        return None
    stretches = [
        [window for message in plan.campaigns[pk].messages for window in message.windows]
        for pk in (conflict.first_campaign_id, conflict.second_campaign_id)
    ]
    gaps = [max(one[0] - two[1], two[0] - one[1], timedelta(0)) for one in stretches[0] for two in stretches[1]]
    return min(gaps).days if gaps else None
