"""From what-if to plan: own changes that touch nobody else are made; everything else is proposed to whom it touches.

Each change is decided under the what-if's lock and in a transaction of its own: a second click or a second tab finds it
decided, and one that fails leaves the others as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_noop

from apps.accounts import access, notifications
from apps.accounts.models import User
from apps.channels.models import ChannelAccount

from .. import launch, moving, planning
from ..approval import NotReady
from ..conflicts import agree, loading
from ..conflicts.passes import UNDECIDED, find
from ..conflicts.snapshot import Plan
from ..models import Campaign, Conflict, Message, PlanVersion, Resolution, Scenario, ScenarioChange
from ..models.conflicts import ResolutionState, Severity
from ..models.scenarios import ChangeKind, ChangeState
from . import drafting, figures, measuring
from .trial import DoesNotFit, fitting, tried

# What holds only as a way out of a conflict.
SIGNED = (ChangeKind.LEAVE_OUT, ChangeKind.CAP)
REFUSALS = (ValidationError, PermissionDenied, agree.AlreadyDecided, planning.EditedMeanwhile, NotReady)


def apply(*, actor: User, scenario: Scenario, change_ids: Iterable[int], now: datetime) -> list[ScenarioChange]:
    """Applies or proposes these changes of an own what-if, in their order; returns them with their new states.

    When the real plan has changed since the what-if was last measured, each is measured again first, and what no longer
    fits is marked outdated with its reason in ``measured``.
    """
    wanted = set(change_ids)
    with transaction.atomic():
        locked = drafting.mine(actor, scenario.pk, lock=True)
        _outdate(locked, wanted, now)
    rows = list(ScenarioChange.objects.filter(scenario=scenario, pk__in=wanted, state=ChangeState.TRIED).values_list("pk", flat=True))
    for pk in rows:
        _decide(actor, scenario, pk, now)
    with transaction.atomic():
        locked = drafting.mine(actor, scenario.pk, lock=True)
        stand(locked, now)
    return list(ScenarioChange.objects.filter(pk__in=wanted, scenario=scenario).select_related("campaign", "resolution"))


def stand(scenario: Scenario, now: datetime) -> None:
    """Notes against which plan the what-if is measured, and how many conflicts each of its campaigns is left with."""
    changes = drafting.pending(scenario)
    plan = loading.load(now=now)
    there, _misfits = fitting(plan, [drafting.step_of(change) for change in changes])
    grounds = figures.ground_of(scenario, plan).holding(drafting.step_of(change) for change in changes)
    left = figures.left_by(measuring.undecided(there, grounds))
    for change in changes:
        change.measured = {**change.measured, "left": left.get(change.campaign_id, 0)}
    ScenarioChange.objects.bulk_update(changes, ["measured"])
    Scenario.objects.filter(pk=scenario.pk).update(plan_number=plan.number, updated_at=now)


def _outdate(scenario: Scenario, wanted: set[int], now: datetime) -> None:
    changes = [change for change in drafting.pending(scenario) if change.state == ChangeState.TRIED]
    chosen = [change for change in changes if change.pk in wanted]
    plan = loading.load(now=now)
    there, misfits = fitting(plan, [drafting.step_of(change) for change in chosen])
    for place, code in misfits.items():
        _close(chosen[place], code)
    if _number() == scenario.plan_number or not scenario.plan_number:
        return
    grounds = figures.ground_of(scenario, plan).holding(drafting.step_of(change) for change in chosen)
    left = figures.left_by(measuring.undecided(there, grounds))
    for place, change in enumerate(chosen):
        if place not in misfits and left.get(change.campaign_id, 0) > change.measured.get("left", 0):
            _close(change, "worse")


def _number() -> int:
    return PlanVersion.objects.values_list("number", flat=True).first() or 0


def _close(change: ScenarioChange, code: str, text: str = "") -> None:
    change.state = ChangeState.OUTDATED
    change.measured = {**change.measured, "misfit": code, **({"text": text} if text else {})}
    change.save(update_fields=["state", "measured"])


def _decide(actor: User, scenario: Scenario, change_id: int, now: datetime) -> None:
    with transaction.atomic():
        drafting.mine(actor, scenario.pk, lock=True)
        rows = ScenarioChange.objects.select_for_update(of=("self",)).select_related("campaign__department")
        change = rows.get(pk=change_id)
        if change.state != ChangeState.TRIED:
            return
        try:
            with transaction.atomic():
                _carry_out(actor, change, now)
        except DoesNotFit as error:
            _close(change, error.code)
        except REFUSALS as error:
            _close(change, "refused", " ".join(error.messages) if isinstance(error, ValidationError) else str(error))


def _carry_out(actor: User, change: ScenarioChange, now: datetime) -> None:
    plan = loading.load(now=now)
    step = drafting.step_of(change)
    tried(plan, [step])
    is_own = access.can_edit(actor, change.campaign.department_id)
    if change.kind in SIGNED or not is_own or touches_others(plan, change.campaign):
        conflict = conflict_of(change, actor)
        if conflict is not None and change.kind in (ChangeKind.MOVE, *SIGNED):
            _propose(actor, change, conflict, now)
            return
        if change.kind in SIGNED:
            raise DoesNotFit("decided")
    if is_own:
        _do(actor, change, now)
    else:
        _ask(actor, change, now)


def touches_others(plan: Plan, campaign: Campaign) -> bool:
    """Whether the campaign is in a finding of weight with another department's."""
    focused = plan.focused([campaign.pk])
    return any(
        pk is not None and pk in plan.campaigns and plan.campaigns[pk].department_id != campaign.department_id
        for finding in find(focused) if finding.severity >= Severity.MEDIUM for pk in finding.campaigns
    )


def conflict_of(change: ScenarioChange, actor: User) -> Conflict | None:
    """The undecided conflict under which the change can be proposed: the weightiest of its campaign, the actor's own first."""
    rows = Conflict.objects.filter(state__in=UNDECIDED).defer("people_both").select_related("first_campaign", "second_campaign")
    if "identity" in change.parameters:
        rows = rows.filter(identity=change.parameters["identity"])
    elif change.kind == ChangeKind.LEAVE_OUT:
        pair = sorted((change.parameters["yielding"], change.parameters["keeping"]))
        rows = rows.filter(first_campaign=pair[0], second_campaign=pair[1])
    else:
        rows = rows.filter(Q(first_campaign=change.campaign_id) | Q(second_campaign=change.campaign_id), severity__gte=Severity.MEDIUM)
    own = [row for row in rows if agree.may_propose(actor, row)]
    foreign = [row for row in own if len(agree.departments(row)) > 1]
    ranked = sorted(foreign or own, key=lambda row: (-row.severity, -(row.people_count or 0), row.pk))
    return ranked[0] if ranked else None


def _propose(actor: User, change: ScenarioChange, conflict: Conflict, now: datetime) -> None:
    figures_of = change.parameters
    way = f"move:{change.campaign_id}:{figures_of.get('days')}"
    if change.kind == ChangeKind.LEAVE_OUT:
        way = f"leave_out:{figures_of.get('yielding', change.campaign_id)}"
    elif change.kind == ChangeKind.CAP:
        way = f"cap:{change.campaign_id}"
    resolution = agree.propose(actor=actor, conflict=conflict, way=way, now=now)
    resolution = Resolution.objects.get(pk=resolution.pk)
    _finish(change, ChangeState.APPLIED if resolution.state == ResolutionState.APPLIED else ChangeState.PROPOSED, resolution)


def _finish(change: ScenarioChange, state: str, resolution: Resolution | None = None) -> None:
    change.state, change.resolution = state, resolution
    change.save(update_fields=["state", "resolution"])


def _do(actor: User, change: ScenarioChange, now: datetime) -> None:
    """An own change. A lead's is their signature too; a marketer's asks for approval again, as any change does."""
    campaign, figures_of = change.campaign, change.parameters
    if change.kind == ChangeKind.MOVE and access.can_approve(actor, campaign.department_id):
        moving.move_as_agreed(actor=actor, campaign=campaign, days=figures_of["days"], now=now)
    elif change.kind == ChangeKind.MOVE:
        moving.move_campaign(actor=actor, campaign=campaign, days=figures_of["days"], expected_version=campaign.version, now=now)
    elif change.kind == ChangeKind.PRIORITY:
        values = {"priority": figures_of["priority"]}
        planning.change_campaign(actor=actor, campaign=campaign, values=values, expected_version=campaign.version, now=now)
    elif change.kind == ChangeKind.CHANNEL:
        _switch(actor, change, now)
    else:
        launch.cancel(actor=actor, campaign=campaign, now=now)
    _finish(change, ChangeState.APPLIED)


def _switch(actor: User, change: ScenarioChange, now: datetime) -> None:
    message = Message.objects.defer("plan_audience").get(pk=change.message_id or 0)
    channel = change.parameters["channel"]
    account = ChannelAccount.objects.filter(channel=channel, is_active=True).order_by("pk").first()
    values = {"channel": channel, "account": account}
    planning.change_message(actor=actor, message=message, values=values, expected_version=message.version, now=now)


def _ask(actor: User, change: ScenarioChange, now: datetime) -> None:
    """Another department's campaign, in no conflict that could be signed: its leads are shown what is wished."""
    campaign = change.campaign
    address = reverse("campaigns:calendar-move", args=[campaign.pk])
    if change.kind == ChangeKind.MOVE:
        address += f"?days={change.parameters['days']}"
    notifications.notify_leads(
        departments=[campaign.department_id], code="resolution.wished", text=gettext_noop("%(who)s proposes a change of %(campaign)s"),
        params={"who": str(actor), "campaign": campaign.name}, url=address, now=now,
    )
    _finish(change, ChangeState.PROPOSED)
