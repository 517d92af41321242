"""A plan with some changes tried on it. Pure: nothing is written, and the plan that came in stays as it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ..conflicts import loading, ordering, resolve, wayout
from ..conflicts.snapshot import Plan, PlannedAgreement, PlannedCampaign, PlannedMessage
from ..models.plan import MessageKind
from ..models.scenarios import ChangeKind


class DoesNotFit(Exception):
    """The change cannot be made to this plan; ``code`` says why (see ``words.misfit``)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Step:
    """One change. ``parameters`` by kind: move ``days`` (and ``from``, the first day it was moved from); leave_out
    ``yielding``, ``keeping`` and optionally ``yielding_message``, ``keeping_message``; channel ``channel`` (and ``account``, which
    carries it); priority ``priority``; cap, and leave_out where one campaign alone is concerned: the finding's ``identity`` and the
    ``messages`` that leave its people out (none where it is accepted); retime ``shift``, message -> minutes.
    """

    kind: str
    campaign_id: int
    message_id: int | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


def tried(plan: Plan, steps: Iterable[Step]) -> Plan:
    """The plan as it would be with all these changes. Raises DoesNotFit at the first one that cannot be made.

    Single messages are moved after their campaigns, people left out after all else, for who shares what with whom does not
    depend on days; then messages are given up and campaigns cancelled.
    """
    for step in sorted(steps, key=_turn):
        plan = _with(plan, step)
    return plan


def fitting(plan: Plan, steps: Iterable[Step]) -> tuple[Plan, dict[int, str]]:
    """The plan with every change that can be made, and the place of each of the others with the code why not."""
    misfits: dict[int, str] = {}
    numbered = sorted(enumerate(steps), key=lambda item: _turn(item[1]))
    for place, step in numbered:
        try:
            plan = _with(plan, step)
        except DoesNotFit as error:
            misfits[place] = error.code
    return plan, misfits


def _turn(step: Step) -> int:
    later = {ChangeKind.RETIME: 1, ChangeKind.LEAVE_OUT: 2, ChangeKind.STOP: 3, ChangeKind.CANCEL: 4}
    return later.get(ChangeKind(step.kind), 0)


def _with(plan: Plan, step: Step) -> Plan:
    campaign = plan.campaigns.get(step.campaign_id)
    if campaign is None:
        raise DoesNotFit("gone")
    if step.kind == ChangeKind.ACCEPT:
        return plan
    if "identity" in step.parameters:
        return _held(plan, campaign, step)
    if step.kind == ChangeKind.MOVE:
        return _moved(plan, campaign, step)
    if step.kind == ChangeKind.LEAVE_OUT:
        return plan.with_agreement(agreement(plan, step))
    if step.kind == ChangeKind.CANCEL:
        return without(plan, campaign.id)
    if step.kind == ChangeKind.PRIORITY:
        return _with_priority(plan, campaign, step)
    if step.kind == ChangeKind.RETIME:
        return _retimed(plan, campaign, step)
    if step.kind == ChangeKind.STOP:
        return _stopped(plan, campaign, step)
    return _on_channel(plan, campaign, step)


def _moved(plan: Plan, campaign: PlannedCampaign, step: Step) -> Plan:
    days = step.parameters["days"]
    if step.parameters.get("from", campaign.starts_on.isoformat()) != campaign.starts_on.isoformat():
        raise DoesNotFit("moved_meanwhile")
    if campaign.status not in wayout.MOVABLE:
        raise DoesNotFit("begun")
    if campaign.lock:
        raise DoesNotFit("locked")
    if days and not resolve.is_movable(plan, campaign, days):
        raise DoesNotFit("not_movable")
    return plan.with_campaign(loading.moved(campaign, days, plan.zone))


def agreement(plan: Plan, step: Step) -> PlannedAgreement:
    """What leaving people out would bind. Raises DoesNotFit where nobody can be left out (any more)."""
    sides = step.parameters
    yielding, keeping = plan.campaigns.get(sides["yielding"]), plan.campaigns.get(sides["keeping"])
    if yielding is None or keeping is None:
        raise DoesNotFit("gone")
    made = PlannedAgreement(
        yielding.id, keeping.id, frozenset(message.id for message in side(keeping, sides.get("keeping_message")) if not message.is_public),
        plan.now, sides.get("yielding_message"), sides.get("keeping_message"),
        yielding=frozenset(
            message.id for message in side(yielding, sides.get("yielding_message")) if can_yield(plan, message)
        ),
    )
    if not made.keeping or not any(can_yield(plan, each) for each in side(yielding, sides.get("yielding_message"))):
        raise DoesNotFit("nobody_to_leave_out")
    if any(made.pair == each.pair for each in plan.agreements):
        raise DoesNotFit("agreed_meanwhile")
    return made


def side(campaign: PlannedCampaign, only: int | None) -> list[PlannedMessage]:
    """The messages of one side: all of the campaign, or the only one that is meant."""
    return [message for message in campaign.messages if only in (None, message.id)]


def can_yield(plan: Plan, message: PlannedMessage) -> bool:
    """People can be left out of what is still to come and addressed; never out of a safety notice."""
    ahead = any(end > plan.now for _start, end in message.windows)
    return message.kind == MessageKind.ADDRESSED and not message.is_safety and ahead


def without(plan: Plan, campaign_id: int) -> Plan:
    """The plan without a campaign; nobody is left out for it any more."""
    kept = {pk: each for pk, each in plan.campaigns.items() if pk != campaign_id}
    agreements = tuple(each for each in plan.agreements if campaign_id not in each.pair)
    return replace(plan, campaigns=kept, agreements=agreements, people=plan.people and plan.people.under(agreements))


def _held(plan: Plan, campaign: PlannedCampaign, step: Step) -> Plan:
    """Whom one finding concerns is left out: the figures know (``measuring.Ground.holding``), the audience stays."""
    if not any(message.id in step.parameters["messages"] and can_yield(plan, message) for message in campaign.messages):
        raise DoesNotFit("begun")
    return plan


def _with_priority(plan: Plan, campaign: PlannedCampaign, step: Step) -> Plan:
    priority = step.parameters["priority"]
    messages = tuple(
        replace(message, priority=priority) if message.priority == campaign.priority else message for message in campaign.messages
    )
    return plan.with_campaign(replace(campaign, priority=priority, messages=messages))


def _on_channel(plan: Plan, campaign: PlannedCampaign, step: Step) -> Plan:
    """One message on another channel, to the same people; it has to be approved anew."""
    found = next((message for message in campaign.messages if message.id == step.message_id), None)
    if found is None:
        raise DoesNotFit("gone")
    if step.parameters.get("from", found.channel) != found.channel:
        raise DoesNotFit("channel_meanwhile")
    if not can_yield(plan, found):
        raise DoesNotFit("begun")
    other = found.over(step.parameters["channel"], step.parameters.get("account"))
    messages = tuple(other if message.id == found.id else message for message in campaign.messages)
    return plan.with_campaign(replace(campaign, messages=messages).to_approve_anew())


def _retimed(plan: Plan, campaign: PlannedCampaign, step: Step) -> Plan:
    shift = {int(pk): minutes for pk, minutes in step.parameters["shift"].items()}
    if not set(shift) <= {message.id for message in campaign.messages}:
        raise DoesNotFit("gone")
    if campaign.lock:
        raise DoesNotFit("locked")
    if not ordering.fits(plan, campaign, shift):
        raise DoesNotFit("begun")
    return plan.with_campaign(ordering.retimed(plan, campaign, shift))


def _stopped(plan: Plan, campaign: PlannedCampaign, step: Step) -> Plan:
    found = next((message for message in campaign.messages if message.id == step.message_id), None)
    if found is None:
        raise DoesNotFit("gone")
    if not can_yield(plan, found):
        raise DoesNotFit("begun")
    return ordering.without_message(plan, campaign, found.id)
