"""Making what-ifs: every act is its owner's alone and touches nothing of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.channels.kinds import Channel

from .. import changing
from ..conflicts import loading, pairs
from ..conflicts.passes import UNDECIDED
from ..models import Campaign, Scenario, ScenarioChange
from ..models.scenarios import ChangeKind, ChangeState
from . import words
from .trial import DoesNotFit, Step, tried

DOUBLE_CLICK = timedelta(seconds=20)
LONGEST_DAYS, MOST_CHANGES = 190, 100
PENDING = (ChangeState.TRIED, ChangeState.PROPOSED)


def check_period(first: date, last: date) -> None:
    """Raises ValidationError for a period that ends before it begins or is longer than the plan is looked ahead."""
    if last < first:
        raise ValidationError(_("The end is before the beginning."))
    if (last - first).days > LONGEST_DAYS:
        raise ValidationError(_("Choose at most %(n)d days.") % {"n": LONGEST_DAYS})


def create(*, actor: User, name: str, first: date, last: date, now: datetime, **values: Any) -> Scenario:
    """A new, empty what-if. The second click of a double click gets the first one's."""
    check_period(first, last)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=actor.pk)
        name = name.strip()[:120] or _("What if")
        twin = Scenario.objects.filter(
            owner=actor, name=name, starts_on=first, ends_on=last, closed_at=None, created_at__gt=now - DOUBLE_CLICK,
            origin=values.get("origin", "person"),
        ).first()
        return twin or Scenario.objects.create(
            name=name, owner=actor, starts_on=first, ends_on=last, created_at=now, updated_at=now, **values
        )


def mine(actor: User, pk: int, *, lock: bool = False) -> Scenario:
    """An open what-if of this person; Scenario.DoesNotExist for any other."""
    rows = Scenario.objects.filter(owner=actor, closed_at=None)
    return (rows.select_for_update() if lock else rows).get(pk=pk)


def step_of(change: ScenarioChange) -> Step:
    """The row as a change to be tried."""
    return Step(change.kind, change.campaign_id, change.message_id, change.parameters)


def pending(scenario: Scenario) -> list[ScenarioChange]:
    """Changes that are not part of the plan yet and may become so."""
    rows = scenario.changes.filter(state__in=PENDING).select_related("campaign__department", "message", "resolution")
    return list(rows.defer("message__plan_audience"))


@transaction.atomic
def put(
    *, actor: User, scenario: Scenario, kind: str, campaign: Campaign, message_id: int | None = None,
    parameters: Mapping[str, Any], now: datetime,
) -> ScenarioChange | None:
    """Tries a change; the same kind of change of the same thing replaces the earlier one, moving by 0 days takes it back.

    Raises ValidationError in words when it cannot be made to the plan as it stands.
    """
    scenario = mine(actor, scenario.pk, lock=True)
    same = scenario.changes.filter(kind=kind, campaign=campaign, message=message_id, state=ChangeState.TRIED)
    if kind == ChangeKind.LEAVE_OUT:
        same = same.filter(parameters__keeping=parameters["keeping"])
    row = same.first()
    if kind == ChangeKind.MOVE and not parameters["days"]:
        same.delete()
        _touch(scenario, now)
        return None
    step = _checked(Step(kind, campaign.pk, message_id, dict(parameters)), now)
    if row is None and scenario.changes.count() >= MOST_CHANGES:
        raise ValidationError(_("A what-if holds at most %(n)d changes.") % {"n": MOST_CHANGES})
    last = scenario.changes.aggregate(last=Max("position"))["last"] or 0
    row = row or ScenarioChange(scenario=scenario, kind=kind, campaign=campaign, message_id=message_id, position=last + 1)
    row.parameters = step.parameters
    row.save()
    _touch(scenario, now)
    return row


def _checked(step: Step, now: datetime) -> Step:
    """The change with what it starts from, so that it can be seen later whether that is still so."""
    plan = loading.load(now=now, also=[step.campaign_id])
    parameters = dict(step.parameters)
    campaign = plan.campaigns[step.campaign_id]
    if step.kind == ChangeKind.MOVE:
        parameters["from"] = campaign.starts_on.isoformat()
    if step.kind == ChangeKind.LEAVE_OUT:
        parameters |= _only(parameters["yielding"], parameters["keeping"])
    if step.kind == ChangeKind.CHANNEL:
        found = [message.channel for message in campaign.messages if message.id == step.message_id]
        if not found or parameters["channel"] not in Channel.values or parameters["channel"] == Channel.UNADDRESSED:
            raise ValidationError(_("Choose a message and a channel."))
        parameters |= {"from": found[0], "account": changing.accounts().get(parameters["channel"])}
    if step.kind == ChangeKind.PRIORITY:
        if not 0 <= parameters["priority"] <= 100:
            raise ValidationError(_("A priority is a whole number from 0 to 100."))
        parameters["from"] = campaign.priority
    checked = Step(step.kind, step.campaign_id, step.message_id, parameters)
    try:
        tried(plan, [checked])
    except DoesNotFit as error:
        raise ValidationError(words.misfit(error.code)) from error
    return checked


def _only(yielding: int, keeping: int) -> dict[str, int | None]:
    """The messages that the way out would be about, so that no more is tried than will be agreed."""
    conflict = pairs.between(yielding, keeping).filter(state__in=UNDECIDED).defer("people_both").first()
    only = pairs.only(conflict, pairs.undecided(conflict)) if conflict else {}
    return {"yielding_message": only.get(yielding), "keeping_message": only.get(keeping)}


@transaction.atomic
def take_back(*, actor: User, change: ScenarioChange, now: datetime) -> None:
    """Leaves the change out of the what-if; one that was proposed or applied stays as it is. Twice is harmless."""
    scenario = mine(actor, change.scenario_id, lock=True)
    scenario.changes.filter(pk=change.pk, state__in=[ChangeState.TRIED, ChangeState.OUTDATED]).delete()
    _touch(scenario, now)


@transaction.atomic
def answer(*, actor: User, change: ScenarioChange, accepts: bool, now: datetime) -> None:
    """Refuses a change of a proposal, or takes it up again, also one that the other department declined."""
    scenario = mine(actor, change.scenario_id, lock=True)
    if accepts:
        taken = scenario.changes.filter(pk=change.pk, state__in=[ChangeState.REFUSED, ChangeState.DECLINED])
        taken.update(state=ChangeState.TRIED, resolution=None)
    else:
        scenario.changes.filter(pk=change.pk, state=ChangeState.TRIED).update(state=ChangeState.REFUSED)
    _touch(scenario, now)


@transaction.atomic
def discard(*, actor: User, scenario: Scenario, now: datetime) -> None:
    """Closes the what-if; the plan stays as it is, what was proposed from it stays proposed."""
    Scenario.objects.filter(pk=scenario.pk, owner=actor, closed_at=None).update(closed_at=now, updated_at=now)


def _touch(scenario: Scenario, now: datetime) -> None:
    Scenario.objects.filter(pk=scenario.pk).update(updated_at=now)
