"""From what-if to plan: own changes that touch nobody else are made; everything else is proposed to whom it touches, to sign.

Each change is decided under the what-if's lock and in a transaction of its own: a second click or a second tab finds it
decided, and one that fails leaves the others as they are.
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

from .. import changing, planning
from ..approval import NotReady
from ..conflicts import agree, loading
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
            if error.code == "not_yet":
                ScenarioChange.objects.filter(pk=change.pk).update(measured={**change.measured, "misfit": error.code})
            else:
                _close(change, error.code)
        except REFUSALS as error:
            _close(change, "refused", " ".join(error.messages) if isinstance(error, ValidationError) else str(error))


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
