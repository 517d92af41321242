"""Ways out of a conflict, each with its effect measured on the plan before anybody applies it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, cast

from pyroaring import BitMap

from apps.core import clock

from ..models import Conflict
from ..models.conflicts import ResolutionAction, Severity
from ..models.plan import CampaignStatus
from . import loading, merging, ordering, pairs, rechannel, registry, response, sharing, single, valued
from .findings import Finding
from .passes import find
from .snapshot import Plan, PlannedAgreement, PlannedCampaign, PlannedMessage

MOVABLE = (CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED)


@dataclass(frozen=True)
class Effect:
    """What a way out does to one finding of the pair, in people; ``after`` 0 settles it."""

    finding: int
    rule: str
    before: int
    after: int


@dataclass(frozen=True)
class WayOut:
    """One way out of everything that a pair of campaigns has against each other, with its effect on every finding.

    ``still_both`` people remain in both audiences; ``apart_days`` is how far the contacts then lie from each other.

    ``orders_lost`` is None where the past gives no basis. ``others`` counts conflicts of medium severity or more that the
    moved campaign then has with the rest of the plan. ``spread``: people of the finding by their contacts in the fullest week
    then, see sharing.py. Over another ``channel``, ``reached`` people get it there; in a joint campaign they get one message and
    ``saved`` sends are not made. ``arising`` (rule, people) is found then and not now.
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
    effects: tuple[Effect, ...] = ()
    spread: tuple[int, ...] = ()
    channel: str = ""
    reached: int = 0
    saved: int = 0
    arising: tuple[tuple[str, int], ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names this way out in a form: ``leave_out:12``, ``move:12:5``, ``retime:12:41=1440``, ``channel:12:sms``, ``accept``."""
        shift = ",".join(f"{pk}={minutes}" for pk, minutes in sorted(self.parameters.get("shift", {}).items()))
        return ":".join([self.action, *(str(part) for part in (self.campaign_id, self.days, self.channel, shift) if part)])

    def measured(self) -> dict[str, Any]:
        """The effect as plain figures, to stand beside the proposal."""
        return {
            "still_both": self.still_both, "apart_days": self.apart_days, "people_lost": self.people_lost,
            "orders_lost": None if self.orders_lost is None else round(self.orders_lost, 1), "others": self.others,
            "effects": [asdict(effect) for effect in self.effects], "reached": self.reached, "saved": self.saved,
            "arising": [*self.arising],
        }


def ways_out(conflict: Conflict, *, now: datetime) -> list[WayOut]:
    """All ways out of what the pair has against each other that can be taken now, measured on the plan as it stands."""
    found = _Pair.load(conflict, now)
    if found is None:
        return []
    ways = [*found.leave_outs(now), *_caps(found, now)]
    if len(found.campaigns) == 2:
        ways += [*valued.split(found, now), *rechannel.ways(found, response.past(now=now))]
        ways += [*merging.ways(found, response.past(now=now)), *_cancels(found, now)]
    for campaign in found.campaigns:
        ways += _moves(found, campaign)
    if len(found.campaigns) == 1:
        ways += [*(ordering.ways(found, now) if conflict.rule == "sequence" else ()), *_alone(found, now)]
    return [*ways, _acceptance(found)]


def _alone(pair: _Pair, now: datetime) -> Iterator[WayOut]:
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
    found = _Pair.load(conflict, now)
    return [] if found is None else [*found.leave_outs(now)]


@dataclass(frozen=True)
class _Pair:
    """What is to be solved: the finding asked about, all undecided ones of the pair, and the plan around them."""

    conflict: Conflict
    findings: list[Conflict]
    plan: Plan
    campaigns: list[PlannedCampaign]

    @classmethod
    def load(cls, conflict: Conflict, now: datetime) -> _Pair | None:
        """None when a campaign of it is not in the plan any more."""
        ids = pairs.sides(conflict)
        plan = loading.load(now=now, focus=ids)
        campaigns = [plan.campaigns[pk] for pk in ids if pk in plan.campaigns]
        if len(campaigns) != len(ids):
            return None
        _fetch_around(plan, campaigns)
        return cls(conflict, pairs.undecided(conflict) or [conflict], plan, campaigns)

    def effects(self, findings: Iterable[Finding]) -> tuple[Effect, ...]:
        """How many people each finding would still touch, if those were what is found then."""
        after = {finding.identity: finding.count for finding in findings}
        return tuple(
            Effect(row.pk, row.rule, row.people_count or 0, (after[row.identity] or 0) if row.identity in after else 0)
            for row in self.findings
        )

    def spread(self, plan: Plan) -> tuple[int, ...]:
        """Contacts per person of the finding under that plan, in the fullest week near the campaigns, now and then."""
        moments = (
            start for each in (self.plan, plan) for campaign in self.campaigns if campaign.id in each.campaigns
            for message in each.campaigns[campaign.id].messages for start, _end in message.windows
        )
        return sharing.spread(plan, self._both, around=moments)

    @cached_property
    def _both(self) -> BitMap:
        return cast(BitMap, Conflict.objects.values_list("people_both", flat=True).get(pk=self.conflict.pk) or BitMap())

    def only(self) -> dict[int, int | None]:
        """The one message of each side that all findings are about; None where it is the campaign as a whole."""
        first = {row.first_message_id for row in self.findings}
        second = {row.second_message_id for row in self.findings}
        sides = zip(pairs.sides(self.conflict), (first, second), strict=False)
        return {pk: messages.pop() if len(messages) == 1 else None for pk, messages in sides}

    def leave_outs(self, now: datetime) -> Iterator[WayOut]:
        """Each side leaving the people of the other out, as far as there is anybody who can be left out."""
        if len(self.campaigns) == 2:
            past = response.past(now=now)
            for yielding, keeping in (self.campaigns, self.campaigns[::-1]):
                if way := _leave_out(self, yielding, keeping, past):
                    yield way


def _caps(pair: _Pair, now: datetime) -> Iterator[WayOut]:
    """Holding to the limit: whoever is over it is left out of this message when it is sent, and that is all right."""
    conflict, campaign = pair.conflict, pair.campaigns[0]
    message = pair.plan.messages.get(conflict.first_message_id or 0)
    if conflict.rule == "pressure" and message is not None and _can_yield(pair.plan, message):
        lost = conflict.people_count or 0
        yield WayOut(
            ResolutionAction.CAP, campaign.id, people_lost=lost, orders_lost=response.past(now=now).orders(lost, {message.channel}),
            effects=(Effect(conflict.pk, conflict.rule, lost, 0),), parameters={"campaign": campaign.id, "message": message.id},
        )


def _cancels(pair: _Pair, now: datetime) -> Iterator[WayOut]:
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


def _acceptance(pair: _Pair) -> WayOut:
    effects = tuple(Effect(row.pk, row.rule, row.people_count or 0, row.people_count or 0) for row in pair.findings)
    return WayOut(ResolutionAction.ACCEPT, still_both=pair.conflict.people_count or 0, effects=effects, spread=pair.spread(pair.plan))


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
    sides = pairs.sides(conflict)
    if not pk.isdecimal() or int(pk) not in sides or not days.lstrip("-").isdecimal() or not -366 <= int(days) <= 366:
        return None
    found = _Pair.load(conflict, now)
    campaign = found.plan.campaigns.get(int(pk)) if found else None
    if found is None or campaign is None or not is_movable(found.plan, campaign, int(days)):
        return None
    return _measure_move(found, campaign, int(days))


def _leave_out(pair: _Pair, yielding: PlannedCampaign, keeping: PlannedCampaign, past: response.Response) -> WayOut | None:
    """What is public has nobody to leave out, and leaves nobody to others."""
    plan, only = pair.plan, pair.only()
    ahead = [message for message in _side(yielding, only[yielding.id]) if _can_yield(plan, message)]
    kept = [message for message in _side(keeping, only[keeping.id]) if not message.is_public]
    if not ahead or not kept:
        return None
    agreement = PlannedAgreement(
        yielding.id, keeping.id, frozenset(message.id for message in kept), plan.now, only[yielding.id], only[keeping.id],
        yielding=frozenset(message.id for message in ahead),
    )
    before, then = _people(plan, ahead), plan.with_agreement(agreement)
    lost = before - _people(then, ahead)
    if not lost:
        return None
    return WayOut(
        ResolutionAction.LEAVE_OUT, yielding.id, people_lost=len(lost),
        orders_lost=past.orders(len(lost), {message.channel for message in ahead}),
        still_both=len(_people(then, ahead) & _people(then, kept)), effects=pair.effects(find(then)), spread=pair.spread(then),
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
    """Whether the whole campaign can go ``days`` later: nothing of it has begun, it is not locked and does not start in the past."""
    if campaign.status not in MOVABLE or campaign.lock or any(message.is_safety for message in campaign.messages):
        return False
    begun = any(start <= plan.now for message in campaign.messages for start, _end in message.windows)
    first = min((start for message in campaign.messages for start, _end in message.windows), default=None)
    today = clock.company_day(plan.now)
    starts_in_time = campaign.starts_on + timedelta(days=days) >= min(today, campaign.starts_on)
    return not begun and starts_in_time and (first is None or first + timedelta(days=days) > plan.now)


def _moves(pair: _Pair, campaign: PlannedCampaign) -> list[WayOut]:
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


def _standing(pair: _Pair, campaign: PlannedCampaign) -> dict[str, int]:
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


def _measure_move(pair: _Pair, campaign: PlannedCampaign, days: int) -> WayOut:
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
