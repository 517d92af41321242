"""Ways out of a conflict, each with its effect measured on the plan before anybody applies it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from pyroaring import BitMap

from apps.core import clock

from ..models import Conflict
from ..models.conflicts import ResolutionAction, Severity
from ..models.plan import CampaignStatus
from . import loading, registry, response
from .findings import Finding
from .passes import find
from .snapshot import Plan, PlannedCampaign, PlannedMessage

MOVABLE = (CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED)


@dataclass(frozen=True)
class WayOut:
    """One way out. ``still_both`` people remain in both; ``apart_days`` is how far the contacts then lie from each other.

    ``orders_lost`` is None where the past gives no basis. ``others`` counts conflicts of medium severity or more that the
    moved campaign then has with the rest of the plan.
    """

    action: str
    campaign_id: int | None = None
    days: int = 0
    starts_on: date | None = None
    still_both: int = 0
    apart_days: int | None = None
    people_lost: int = 0
    orders_lost: float | None = None
    others: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names this way out in a form: ``leave_out:12``, ``move:12:5``, ``accept``."""
        return ":".join([self.action, *(str(part) for part in (self.campaign_id, self.days) if part)])

    def measured(self) -> dict[str, Any]:
        """The effect as plain figures, to stand beside the proposal."""
        return {
            "still_both": self.still_both, "apart_days": self.apart_days, "people_lost": self.people_lost,
            "orders_lost": None if self.orders_lost is None else round(self.orders_lost, 1), "others": self.others,
        }


def ways_out(conflict: Conflict, *, now: datetime) -> list[WayOut]:
    """All ways out that can be taken now, measured on the plan as it stands."""
    sides = [pk for pk in (conflict.first_campaign_id, conflict.second_campaign_id) if pk]
    plan = loading.load(now=now, focus=sides)
    campaigns = [plan.campaigns[pk] for pk in sides if pk in plan.campaigns]
    if len(campaigns) != len(sides):
        return []
    _fetch_around(plan, campaigns)
    ways = [*_leave_outs(plan, campaigns, conflict, now)] if len(campaigns) == 2 else []
    for campaign in campaigns:
        ways += _moves(plan, campaign, conflict)
    return [*ways, WayOut(ResolutionAction.ACCEPT, still_both=conflict.people_count or 0)]


def _fetch_around(plan: Plan, campaigns: list[PlannedCampaign]) -> None:
    """The people of everything that any of the moves could come close to, in one query."""
    assert plan.people is not None
    near = timedelta(days=plan.parameters.move_days + max(plan.parameters.offer_days, plan.parameters.overlap_days))
    starts = [start for campaign in campaigns for message in campaign.messages for start, _end in message.windows]
    if starts:
        first, last = min(starts) - near, max(starts) + near
        plan.people.fetch(
            message for message in plan.messages.values()
            if any(end >= first and start <= last for start, end in message.windows)
        )


def way_out(conflict: Conflict, key: str, *, now: datetime) -> WayOut | None:
    """The one of that key, measured anew; None when it cannot be taken (any more). Any number of days may be asked for."""
    action, _separator, rest = key.partition(":")
    if action == ResolutionAction.MOVE:
        return _asked_move(conflict, rest, now)
    return next((way for way in ways_out(conflict, now=now) if way.key == key), None)


def _asked_move(conflict: Conflict, rest: str, now: datetime) -> WayOut | None:
    pk, _separator, days = rest.partition(":")
    sides = [side for side in (conflict.first_campaign_id, conflict.second_campaign_id) if side]
    if not pk.isdecimal() or int(pk) not in sides or not days.lstrip("-").isdecimal() or not -366 <= int(days) <= 366:
        return None
    plan = loading.load(now=now, focus=sides)
    campaign = plan.campaigns.get(int(pk))
    if campaign is None or not is_movable(plan, campaign, int(days)):
        return None
    return _measure_move(plan, campaign, conflict, int(days))


def _leave_outs(
    plan: Plan, campaigns: list[PlannedCampaign], conflict: Conflict, now: datetime
) -> Iterator[WayOut]:
    past = response.past(now=now)
    only = {conflict.first_campaign_id: conflict.first_message_id, conflict.second_campaign_id: conflict.second_message_id}
    sides = {campaign.id: _side(campaign, only[campaign.id]) for campaign in campaigns}
    assert plan.people is not None
    plan.people.fetch(message for messages in sides.values() for message in messages)
    for yielding, keeping in (campaigns, campaigns[::-1]):
        ahead = [message for message in sides[yielding.id] if _can_yield(plan, message)]
        if not ahead or any(message.is_public for message in sides[keeping.id]):
            continue
        lost = _people(plan, ahead) & _people(plan, sides[keeping.id])
        yield WayOut(
            ResolutionAction.LEAVE_OUT, yielding.id, people_lost=len(lost),
            orders_lost=past.orders(len(lost), {message.channel for message in ahead}),
            parameters={
                "yielding": yielding.id, "keeping": keeping.id,
                "yielding_message": only[yielding.id], "keeping_message": only[keeping.id],
            },
        )


def _side(campaign: PlannedCampaign, only: int | None) -> list[PlannedMessage]:
    return [message for message in campaign.messages if only in (None, message.id)]


def _can_yield(plan: Plan, message: PlannedMessage) -> bool:
    """People can be left out of what is still to come and addressed; never out of a safety notice."""
    return (
        message.kind == "addressed" and not message.is_safety and any(end > plan.now for _start, end in message.windows)
    )


def _people(plan: Plan, messages: Iterable[PlannedMessage]) -> BitMap:
    assert plan.people is not None
    return BitMap.union(BitMap(), *(plan.people.of(message) for message in messages))


def is_movable(plan: Plan, campaign: PlannedCampaign, days: int) -> bool:
    """Whether the whole campaign can go ``days`` later: nothing of it has begun, and it does not start in the past."""
    if campaign.status not in MOVABLE or any(message.is_safety for message in campaign.messages):
        return False
    begun = any(start <= plan.now for message in campaign.messages for start, _end in message.windows)
    first = min((start for message in campaign.messages for start, _end in message.windows), default=None)
    today = clock.company_day(plan.now)
    starts_in_time = campaign.starts_on + timedelta(days=days) >= min(today, campaign.starts_on)
    return not begun and starts_in_time and (first is None or first + timedelta(days=days) > plan.now)


def _moves(plan: Plan, campaign: PlannedCampaign, conflict: Conflict) -> list[WayOut]:
    """The nearest days on which this conflict is gone and no other of weight has come instead."""
    found: list[WayOut] = []
    limit = plan.parameters.move_days
    for days in sorted((day for day in range(-limit, limit + 1) if day), key=lambda day: (abs(day), -day)):
        if not is_movable(plan, campaign, days):
            continue
        if _would_have(plan, campaign, days):
            continue
        found.append(_measure_move(plan, campaign, conflict, days))
        if len(found) == plan.parameters.move_choices:
            break
    return found


def shifted(plan: Plan, campaign: PlannedCampaign, days: int) -> Plan:
    """The plan as it would be with the campaign moved, asked about that campaign only."""
    return plan.with_campaign(loading.moved(campaign, days, plan.zone)).focused([campaign.id])


def _would_have(plan: Plan, campaign: PlannedCampaign, days: int) -> list[Finding]:
    """Conflicts of weight that the campaign would have, moved by so many days."""
    moved = shifted(plan, campaign, days)
    for rule in registry.RULES:
        serious = [finding for finding in rule.find(moved) if finding.severity >= Severity.MEDIUM]
        if serious:
            return serious
    return []


def _measure_move(plan: Plan, campaign: PlannedCampaign, conflict: Conflict, days: int) -> WayOut:
    moved = shifted(plan, campaign, days)
    findings = find(moved)
    still = next((finding for finding in findings if finding.identity == conflict.identity), None)
    others = [finding for finding in findings if finding.severity >= Severity.MEDIUM and finding is not still]
    return WayOut(
        ResolutionAction.MOVE, campaign.id, days=days, starts_on=campaign.starts_on + timedelta(days=days),
        still_both=(conflict.people_count or 0) if conflict.second_campaign_id or still else 0,
        apart_days=_apart(moved, conflict), others=len(others), parameters={"campaign": campaign.id, "days": days},
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
