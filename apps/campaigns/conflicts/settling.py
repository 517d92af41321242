"""Carrying out what was decided, for every finding of the pair, and taking it back."""

from __future__ import annotations

from datetime import datetime

from apps.accounts import audit
from apps.accounts.models import User

from .. import changing, joint, webhooks
from ..models import Agreement, Campaign, Conflict, Resolution, ScenarioChange
from ..models.conflicts import ConflictState, EndCause, ResolutionAction, ResolutionState
from ..models.scenarios import ChangeState
from . import ending, pairs, passes, single, standing_in, valued
from .writing import AS_FOUND, UNDECIDED

# What becomes of a change of a what-if with the proposal made from it; one that was taken back can be tried again.
OF_CHANGES: dict[str, str] = {
    ResolutionState.APPLIED: ChangeState.APPLIED, ResolutionState.DECLINED: ChangeState.DECLINED,
    ResolutionState.OUTDATED: ChangeState.OUTDATED, ResolutionState.WITHDRAWN: ChangeState.TRIED,
}


def apply(resolution: Resolution, *, actor: User | None, now: datetime) -> None:
    """Carries it out. Every finding of the pair that it leaves nobody in is resolved by it, acceptance and a limit held to
    settle those they name as they are; what people are left in stays open. The caller holds the pair and the plan's number.
    """
    waiting = pairs.undecided(resolution.conflict) if resolution.conflict else []
    close(resolution, ResolutionState.APPLIED, now)
    if resolution.action in AS_FOUND:
        named = set(resolution.parameters.get("findings") or [row.pk for row in waiting])
        settled = [row for row in waiting if row.pk in named]
        is_accepted = resolution.action == ResolutionAction.ACCEPT
        _settle(settled, ConflictState.ACCEPTED if is_accepted else ConflictState.RESOLVED, resolution, now)
    else:
        _carry_out(resolution, actor, now)
        settled = _without_people(waiting)
        _settle(settled, ConflictState.RESOLVED, resolution, now)
    _outdate(resolution, {row.pk for row in settled}, now)
    for row in settled:
        audit.record(actor=actor, action="resolution.applied", subject=row, after={"resolution": resolution.pk}, now=now)
    is_accepted = resolution.action == ResolutionAction.ACCEPT
    webhooks.tell(webhooks.ACCEPTED if is_accepted else webhooks.RESOLVED, settled, now=now)


def close(resolution: Resolution, state: str, now: datetime) -> None:
    """Decides a proposal one way or the other; the what-if that it came from knows."""
    resolution.state, resolution.decided_at = state, now
    resolution.save(update_fields=["state", "decided_at"])
    if state in OF_CHANGES:
        ScenarioChange.objects.filter(resolution=resolution).update(state=OF_CHANGES[state])


def _carry_out(resolution: Resolution, actor: User | None, now: datetime) -> None:
    conflict, asked = resolution.conflict, resolution.parameters
    sides = pairs.sides(conflict) if conflict else [asked["campaign"]]
    if resolution.action == ResolutionAction.MOVE or ("step" in asked and resolution.action != ResolutionAction.CANCEL):
        assert actor is not None
        changing.make(
            asked.get("step", resolution.action), actor=actor, campaign=Campaign.objects.get(pk=asked["campaign"]),
            message_id=asked.get("message"), parameters=asked, is_signed=True, now=now,
        )
    elif resolution.action == ResolutionAction.MERGE:
        assert actor is not None
        chosen = {pk: Campaign.objects.select_related("department", "owner", "programme__offer").get(pk=pk) for pk in sides}
        leading, joining = (chosen[resolution.parameters[name]] for name in ("leading", "joining"))
        _replaced(sides, now)
        made = joint.make(leading=leading, joining=joining, resolution=resolution, actor=actor, now=now)
        sides = [*sides, made.pk]
        passes.plan_changed(campaign_ids=sides, now=now)
    elif conflict is None or conflict.second_campaign_id is None or resolution.action == ResolutionAction.CANCEL:
        assert actor is not None
        change = single.cancel if resolution.action == ResolutionAction.CANCEL else single.leave_out
        change(resolution, actor=actor, now=now)
        passes.plan_changed(campaign_ids=sides, now=now)
    else:
        agreement = _leave_out(resolution, now)
        if resolution.action == ResolutionAction.CHANNEL:
            assert actor is not None
            chosen = resolution.parameters
            standing_in.draft(
                agreement, channel=chosen["channel"], originals=chosen["messages"], kept=chosen["kept"], actor=actor, now=now
            )
        passes.plan_changed(campaign_ids=sides, now=now)
    passes.look_again(sides, now=now)


def _leave_out(resolution: Resolution, now: datetime) -> Agreement:
    sides = resolution.parameters
    swapped = valued.thawed(sides["swapped"]) if resolution.action == ResolutionAction.SPLIT else None
    since = datetime.fromisoformat(sides["since"]) if "since" in sides else now
    opposite = Agreement.objects.filter(
        yielding_campaign=sides["keeping"], keeping_campaign=sides["yielding"], ended_at=None
    )
    for agreement in opposite.select_related("resolution__conflict"):
        ending.end(agreement.resolution, cause=EndCause.REPLACED, now=now)
    return Agreement.objects.create(
        resolution=resolution, yielding_campaign_id=sides["yielding"], keeping_campaign_id=sides["keeping"],
        yielding_message_id=sides["yielding_message"], keeping_message_id=sides["keeping_message"], since=since,
        swapped=swapped, settled=valued.thawed(sides["settled"]) if swapped is not None else None, rates=sides.get("rates"),
    )


def _replaced(sides: list[int], now: datetime) -> None:
    """What the two had agreed with each other ends: their joint campaign takes its place."""
    between = Agreement.objects.filter(yielding_campaign__in=sides, keeping_campaign__in=sides, ended_at=None)
    for agreement in between.select_related("resolution__conflict"):
        ending.end(agreement.resolution, cause=EndCause.REPLACED, now=now)


def _without_people(waiting: list[Conflict]) -> list[Conflict]:
    """Those that were waiting and are not found any more."""
    left = Conflict.objects.filter(pk__in=[row.pk for row in waiting]).exclude(state__in=UNDECIDED)
    return list(left.defer("people_both"))


def _settle(rows: list[Conflict], state: str, resolution: Resolution, now: datetime) -> None:
    for row in rows:
        row.state, row.settled_by, row.updated_at = state, resolution, now
        # Only what was settled as it was found can be compared with what it becomes.
        row.agreed_facts = row.facts if resolution.action in AS_FOUND else None
    Conflict.objects.bulk_update(rows, ["state", "settled_by", "agreed_facts", "updated_at"])


def _outdate(resolution: Resolution, settled: set[int], now: datetime) -> None:
    """Other proposals that have nothing left to settle. A change out of a what-if may be wanted all the same."""
    if resolution.conflict is None:
        return
    nothing_left = not pairs.undecided(resolution.conflict)
    for other in pairs.resolutions(resolution.conflict).filter(state=ResolutionState.PROPOSED).exclude(pk=resolution.pk):
        if "change" in other.parameters:
            continue
        named = set(other.parameters.get("findings", ()))
        if nothing_left or other.conflict_id in settled or (named and named <= settled):
            close(other, ResolutionState.OUTDATED, now)


def take_back(resolution: Resolution, *, actor: User, note: str, now: datetime) -> None:
    """Ends it because a lead withdraws from it: what it settled is open again where it is still found."""
    settled = list(resolution.settles.defer("people_both"))
    ending.end(resolution, cause=EndCause.WITHDRAWN, actor=actor, note=note, now=now)
    assert resolution.conflict is not None
    sides = pairs.sides(resolution.conflict)
    if resolution.parameters.get("alone"):
        single.take_back(resolution, actor=actor, now=now)
    passes.plan_changed(campaign_ids=sides, now=now)
    passes.look_again(sides, now=now)
    Conflict.objects.filter(pk__in=[row.pk for row in settled], state=ConflictState.RESOLVED).update(
        state=ConflictState.OBSOLETE, updated_at=now
    )
