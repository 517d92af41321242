"""Ways out of a wrong order: the message goes to the nearest free slots after what it builds on, the two change places, or it
is given up. Moments are moved by minutes of the wall clock against where they stand, so that they still fit when the whole
campaign is moved too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from .. import schedule
from ..models.conflicts import ResolutionAction, Severity
from ..models.plan import MessageKind
from . import response
from .passes import find
from .snapshot import Absent, Plan, PlannedCampaign, PlannedMessage
from .wayout import MOVABLE, Pair, WayOut

DAY = 24 * 60
Shift = Mapping[int, int]  # message -> minutes of the wall clock


def builds_on(plan: Plan, message: PlannedMessage) -> list[PlannedMessage]:
    """The messages of the plan that it comes after."""
    ids = {message.follows_id, *message.triggers} - {None, message.id}
    return [plan.messages[pk] for pk in sorted(pk for pk in ids if pk is not None) if pk in plan.messages]


def shifts(plan: Plan, message: PlannedMessage) -> Iterator[Shift]:
    """Every way to put the message after all it builds on: whole days later, the nearest first; then changing places."""
    campaign, before = plan.campaigns[message.campaign_id], builds_on(plan, message)
    if not before or not message.windows:
        return
    latest = max(each.windows[0][0] for each in before if each.windows) if any(each.windows for each in before) else None
    if latest is None:
        return
    for days in range(1, plan.parameters.move_days + 1):
        shift = {message.id: days * DAY}
        if moment(message, shift, plan) > latest and fits(plan, campaign, shift):
            yield shift
    if len(before) == 1 and before[0].windows and before[0].campaign_id == campaign.id:
        minutes = _minutes_between(message.windows[0][0], before[0].windows[0][0], plan)
        shift = {message.id: minutes, before[0].id: -minutes}
        if minutes > 0 and fits(plan, campaign, shift):
            yield shift


def _minutes_between(first: datetime, second: datetime, plan: Plan) -> int:
    one, two = (each.astimezone(plan.zone).replace(tzinfo=None) for each in (first, second))
    return round((two - one) / timedelta(minutes=1))


def moment(message: PlannedMessage, shift: Shift, plan: Plan) -> datetime:
    """When the message would first go out."""
    return schedule.shifted(message.windows[0][0], shift.get(message.id, 0), plan.zone)


def fits(plan: Plan, campaign: PlannedCampaign, shift: Shift) -> bool:
    """Whether those messages can be moved so: nothing of them has begun, none repeats, and all of them still lie ahead then."""
    if campaign.status not in MOVABLE or campaign.lock:
        return False
    own = {message.id: message for message in campaign.messages}
    return set(shift) <= set(own) and all(
        not own[pk].is_safety and not own[pk].is_recurring and len(own[pk].windows) == 1
        and own[pk].windows[0][0] > plan.now and moment(own[pk], shift, plan) > plan.now
        for pk in shift
    )


def retimed(plan: Plan, campaign: PlannedCampaign, shift: Shift) -> PlannedCampaign:
    """The campaign with those messages moved; its days reach to its last message."""
    def at(message: PlannedMessage) -> PlannedMessage:
        minutes = shift.get(message.id, 0)
        windows = tuple(
            (schedule.shifted(start, minutes, plan.zone), schedule.shifted(end, minutes, plan.zone)) for start, end in message.windows
        )
        until = message.until and schedule.shifted(message.until, minutes, plan.zone)
        return replace(message, windows=windows, until=until) if minutes else message

    messages = tuple(at(message) for message in campaign.messages)
    days = [each.windows[0][0].astimezone(plan.zone).date() for each in messages if each.id in shift]
    return replace(
        campaign, messages=messages, starts_on=min([campaign.starts_on, *days]), ends_on=max([campaign.ends_on, *days])
    )


def without_message(plan: Plan, campaign: PlannedCampaign, message_id: int) -> Plan:
    """The plan with that message stopped: whatever builds on it waits in vain."""
    kept = tuple(message for message in campaign.messages if message.id != message_id)
    gone = next(message for message in campaign.messages if message.id == message_id)
    first = min((start for start, _end in gone.windows), default=plan.now)
    there = plan.with_campaign(replace(campaign, messages=kept))
    return replace(there, absent={**plan.absent, message_id: Absent(message_id, first, is_stopped=True)})


def of_weight(plan: Plan, campaign_ids: Iterable[int]) -> dict[str, int]:
    """identity -> people of every finding of weight that these campaigns are in."""
    found = find(plan.focused(campaign_ids))
    return {each.identity: each.count or 0 for each in found if each.severity >= Severity.MEDIUM}


def worse(plan: Plan, there: Plan, campaign_id: int) -> int:
    """How many conflicts of weight the campaign would have that it has not as bad already."""
    before, after = of_weight(plan, [campaign_id]), of_weight(there, [campaign_id])
    return sum(count > before.get(identity, -1) for identity, count in after.items())


def best(plan: Plan, message: PlannedMessage, most: int) -> list[tuple[Shift, int]]:
    """The nearest free slots and changing places, each with the conflicts it would bring; the nearest slot when none is free."""
    campaign = plan.campaigns[message.campaign_id]
    free: list[tuple[Shift, int]] = []
    nearest: tuple[Shift, int] | None = None
    for shift in shifts(plan, message):
        swaps = len(shift) > 1
        if len(free) >= most and not swaps:
            continue
        others = worse(plan, plan.with_campaign(retimed(plan, campaign, shift)), campaign.id)
        nearest = nearest or (shift, others)
        if not others or swaps:
            free.append((shift, others))
    return free or ([nearest] if nearest else [])


def ways(pair: Pair, now: datetime) -> Iterator[WayOut]:
    """All ways out of a wrong order, measured."""
    plan, message = pair.plan, pair.plan.messages.get(pair.conflict.first_message_id or 0)
    if message is None:
        return
    campaign = plan.campaigns[message.campaign_id]
    for shift, others in best(plan, message, plan.parameters.move_choices):
        yield _retiming(pair, campaign, message, shift, others)
    if message.kind == MessageKind.ADDRESSED and not message.is_safety and message.windows[0][0] > plan.now:
        yield _stopping(pair, campaign, message, now)


def parameters(plan: Plan, message: PlannedMessage, shift: Shift) -> dict:
    """The shift as stored: message -> minutes, the message that was wrong, and what it comes after."""
    return {
        "step": "retime", "campaign": message.campaign_id, "message": message.id,
        "shift": {str(pk): minutes for pk, minutes in shift.items()}, "after": [each.id for each in builds_on(plan, message)],
    }


def _retiming(pair: Pair, campaign: PlannedCampaign, message: PlannedMessage, shift: Shift, others: int) -> WayOut:
    there = pair.plan.with_campaign(retimed(pair.plan, campaign, shift)).focused([campaign.id])
    findings, own = find(there), {row.identity for row in pair.findings}
    still = any(each.identity in own for each in findings)
    return WayOut(
        ResolutionAction.RETIME, campaign.id, starts_on=moment(message, shift, pair.plan).astimezone(pair.plan.zone).date(),
        still_both=(pair.conflict.people_count or 0) if still else 0, others=others, effects=pair.effects(findings),
        spread=pair.spread(there), parameters=parameters(pair.plan, message, shift),
    )


def _stopping(pair: Pair, campaign: PlannedCampaign, message: PlannedMessage, now: datetime) -> WayOut:
    assert pair.plan.people is not None
    there, lost = without_message(pair.plan, campaign, message.id), len(pair.plan.people.of(message))
    return WayOut(
        ResolutionAction.STOP, campaign.id, people_lost=lost, orders_lost=response.past(now=now).orders(lost, {message.channel}),
        effects=pair.effects(find(there.focused([campaign.id]))), spread=pair.spread(there),
        parameters={"step": "stop", "campaign": campaign.id, "message": message.id},
    )
