"""From what-if to plan: own changes that touch nobody else are made; everything else is proposed to whom it touches, to sign.

All are decided under the what-if's lock in one transaction: a second click or a second tab finds them decided. One that cannot
be made leaves the others as they are and says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import access
from apps.accounts.models import User

from .. import changing, holding, planning
from ..approval import NotReady
from ..conflicts import agree, loading, passes
from ..conflicts.passes import UNDECIDED
from ..models import Conflict, PlanVersion, Resolution, Scenario, ScenarioChange
from ..models.conflicts import ConflictState, ResolutionState
from ..models.scenarios import ChangeKind, ChangeState, ScenarioOrigin
from . import drafting, figures, measuring, proposing
from .trial import DoesNotFit, fitting, tried

# What holds only as a way out of a conflict.
BY_WAY = (ChangeKind.LEAVE_OUT, ChangeKind.CAP, ChangeKind.ACCEPT)
REFUSALS = (ValidationError, PermissionDenied, agree.AlreadyDecided, planning.EditedMeanwhile, NotReady)


def apply(*, actor: User, scenario: Scenario, change_ids: Iterable[int], now: datetime) -> list[ScenarioChange]:
    """Applies or proposes these changes of an own what-if, in an order in which they work; returns them with their new states.

    When the real plan has changed since the what-if was last measured, each is measured again first, and what no longer
    fits is marked outdated with its reason in ``measured``.
    """
    wanted = set(change_ids)
    with transaction.atomic():
        locked = drafting.mine(actor, scenario.pk, lock=True)
        holding.campaigns(_campaigns(ScenarioChange.objects.filter(scenario=scenario, pk__in=wanted)))
        _outdate(locked, wanted, now)
        _decide_all(actor, scenario, wanted, now)
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


def _decide_all(actor: User, scenario: Scenario, wanted: set[int], now: datetime) -> None:
    """Round after round while any could be made: some are possible, or have a finding to settle, only once others hold."""
    open_ones = ScenarioChange.objects.filter(scenario=scenario, pk__in=wanted, state=ChangeState.TRIED)
    waiting, before = list(open_ones), 0
    refused: dict[int, tuple[str, str]] = {}
    while waiting and len(waiting) != before:
        if before:
            passes.hold(now)
            passes.look_again(_campaigns(waiting), now=now)
        before = len(waiting)
        refused = {pk: why for pk in [change.pk for change in waiting] if (why := _attempt(actor, pk, now))}
        waiting = list(open_ones.filter(pk__in=refused))
    for change in waiting:
        code, text = refused[change.pk]
        if code == "not_yet":
            ScenarioChange.objects.filter(pk=change.pk).update(measured={**change.measured, "misfit": code})
        else:
            _close(change, code, text)


def _campaigns(changes: Iterable[ScenarioChange]) -> set[int]:
    """Every campaign that these changes are about."""
    changes = list(changes)
    named = {change.parameters.get(side) for change in changes for side in ("yielding", "keeping")}
    settled = Conflict.objects.filter(identity__in=[change.parameters.get("identity", "") for change in changes])
    opposite = {pk for sides in settled.values_list("first_campaign", "second_campaign") for pk in sides}
    return {pk for pk in named | opposite if pk} | {change.campaign_id for change in changes}


def _attempt(actor: User, change_id: int, now: datetime) -> tuple[str, str] | None:
    """Makes or proposes it; else the code and the words why it cannot be done, and nothing of it is."""
    rows = ScenarioChange.objects.select_for_update(of=("self",)).select_related("campaign__department")
    change = rows.get(pk=change_id)
    if change.state != ChangeState.TRIED:
        return None
    try:
        with transaction.atomic():
            _carry_out(actor, change, now)
    except DoesNotFit as error:
        return error.code, ""
    except REFUSALS as error:
        return "refused", " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
    return None


def _carry_out(actor: User, change: ScenarioChange, now: datetime) -> None:
    """Makes it, or proposes it to every department that it touches beside the actor's own."""
    plan, step = loading.load(now=now), drafting.step_of(change)
    if change.kind in BY_WAY:
        tried(plan, [step])
        conflict = conflict_of(change)
        if conflict is None:
            raise DoesNotFit("decided" if _was_there(change) else "not_yet")
        _propose(actor, change, conflict, now)
        return
    touched = proposing.touch(plan, step)
    own = change.campaign.department_id
    if access.can_edit(actor, own) and touched.departments <= {own}:
        changing.make(
            change.kind, actor=actor, campaign=change.campaign, message_id=change.message_id, parameters=change.parameters,
            is_signed=False, now=now,
        )
        _finish(change, ChangeState.APPLIED)
    else:
        _await(change, proposing.propose(actor=actor, change=change, step=step, touched=touched, now=now))


def conflict_of(change: ScenarioChange) -> Conflict | None:
    """The undecided conflict that people left out, a limit held to or an acceptance are a way out of."""
    rows = Conflict.objects.filter(state__in=UNDECIDED).defer("people_both").select_related("first_campaign", "second_campaign")
    if "identity" in change.parameters:
        return rows.filter(identity=change.parameters["identity"]).first()
    pair = sorted((change.parameters["yielding"], change.parameters["keeping"]))
    found = rows.filter(first_campaign=pair[0], second_campaign=pair[1])
    return min(found, key=lambda row: (-row.severity, -(row.people_count or 0), row.pk), default=None)


def _was_there(change: ScenarioChange) -> bool:
    """Whether the finding is known; one that only other changes bring about is not found before those hold."""
    rows, figures_of = Conflict.objects.exclude(state=ConflictState.OBSOLETE), change.parameters
    if "identity" in figures_of:
        return rows.filter(identity=figures_of["identity"]).exists()
    pair = sorted((figures_of["yielding"], figures_of["keeping"]))
    return change.scenario.origin != ScenarioOrigin.REPLAN or rows.filter(first_campaign=pair[0], second_campaign=pair[1]).exists()


def _propose(actor: User, change: ScenarioChange, conflict: Conflict, now: datetime) -> None:
    figures_of, values = change.parameters, dict[str, Any]()
    way = f"{change.kind}:{figures_of.get('yielding', change.campaign_id)}"
    if change.kind == ChangeKind.ACCEPT:
        way, until = "accept", date.fromisoformat(figures_of["until"])
        values = {"reason": _(figures_of["reason"]), "expires_on": until, "findings": [conflict.pk]}
    _await(change, agree.propose(actor=actor, conflict=conflict, way=way, is_of_what_if=True, now=now, **values))


def _await(change: ScenarioChange, made: Resolution) -> None:
    made = Resolution.objects.get(pk=made.pk)
    _finish(change, ChangeState.APPLIED if made.state == ResolutionState.APPLIED else ChangeState.PROPOSED, made)


def _finish(change: ScenarioChange, state: str, resolution: Resolution | None = None) -> None:
    change.state, change.resolution = state, resolution
    change.save(update_fields=["state", "resolution"])
