"""What people decide about a conflict: seen, proposed, signed, declined, withdrawn, applied.

A way out that touches two departments is proposed and applied only when both leads have signed. Rows are locked in the
order conflict, resolution; so of two people at once one comes second and is told so, and a double click changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.accounts import access, audit, deputies, notifications
from apps.accounts.models import Role, User
from apps.core import clock

from .. import holding, joint, partners
from ..models import Campaign, Conflict, Resolution, Signature
from ..models.conflicts import ConflictState, ResolutionAction, ResolutionState
from . import news, pairs, passes, registry, resolve, settling
from .passes import UNDECIDED

LONGEST_ACCEPTANCE = timedelta(days=366)
FOR_GOOD = (ResolutionAction.MOVE, ResolutionAction.CANCEL, ResolutionAction.MERGE)


class AlreadyDecided(Exception):
    """Somebody else decided first, or the plan moved on; nothing was changed. The message says what happened."""


def departments(conflict: Conflict) -> list[int]:
    """The departments whose leads must agree: of a joint campaign all that plan it."""
    # A right or a measurement of another department may be touched without one of its campaigns standing opposite.
    others = conflict.facts.get("departments", ())
    return sorted(partners.departments(conflict.first_campaign, conflict.second_campaign) | set(others))


def may_propose(user: User, conflict: Conflict) -> bool:
    """Whoever plans for one of the touched departments may propose."""
    return any(access.can_edit(user, department) for department in departments(conflict))


def may_sign(user: User, resolution: Resolution, *, now: datetime) -> bool:
    """Whether there is a department that this person may sign for now."""
    return signing_for(user, resolution, now=now) is not None


def signing_for(user: User, resolution: Resolution, *, now: datetime) -> int | None:
    """The department for which this person would sign: a lead's own; one whose lead they stand in for; or, once nobody has
    answered in time, a missing one for an administrator. Whoever proposed it or signed already never signs for others.
    """
    signatures = list(resolution.signatures.all())
    missing = {department.pk for department in resolution.needs_departments.all()} - {each.department_id for each in signatures}
    if user.role == Role.LEAD and user.department_id in missing:
        return user.department_id
    if not missing or resolution.proposed_by_id == user.pk or any(each.user_id == user.pk for each in signatures):
        return None
    stands_in = deputies.departments(user, now=now) & missing
    escalated = resolution.conflict is not None and resolution.conflict.escalated_at is not None
    if not stands_in and access.is_administrator(user) and escalated:
        stands_in = missing
    return min(stands_in, default=None)


@transaction.atomic
def acknowledge(*, actor: User, conflict: Conflict, now: datetime) -> Conflict:
    """Say that it was seen; it stays undecided."""
    conflict = locked(conflict, now)
    access.require(may_propose(actor, conflict))
    if conflict.state == ConflictState.OPEN:
        conflict.state, conflict.updated_at = ConflictState.ACKNOWLEDGED, now
        conflict.save(update_fields=["state", "updated_at"])
        audit.record(actor=actor, action="conflict.seen", subject=conflict, now=now)
    return conflict


@transaction.atomic
def propose(
    *, actor: User, conflict: Conflict, way: str, reason: str = "", expires_on: date | None = None,
    findings: Iterable[int] = (), is_of_what_if: bool = False, now: datetime,
) -> Resolution:
    """Propose a way out of all that the pair has against each other, by its key, measured anew. Acceptance settles the
    ``findings`` it names (all of the pair without any). A lead's proposal carries their signature; alone it is applied at once.
    Out of a what-if (``is_of_what_if``) whoever plans may propose it, also of other departments.

    Raises AlreadyDecided when the conflict is settled, ValidationError for an impossible way or a missing reason.
    """
    conflict = locked(conflict, now)
    is_allowed = is_of_what_if or may_propose(actor, conflict)
    access.require(is_allowed, _("Only the departments of these campaigns can propose a way out."))
    parameters = _parameters(way, conflict, findings)
    twin = _twin(actor, conflict, parameters)
    if twin is not None:
        return twin
    if conflict.state not in UNDECIDED:
        raise AlreadyDecided(_("This conflict has been decided meanwhile."))
    _check(way, reason, expires_on, now)
    measured = resolve.way_out(conflict, way, now=now)
    if measured is None:
        if way.startswith(ResolutionAction.MERGE) and (words := joint.problem(pairs.sides(conflict), now=now)):
            raise ValidationError(words)
        raise ValidationError(_("This way out is not there any more: the plan has changed. Choose again."))
    resolution = Resolution.objects.create(
        conflict=conflict, action=measured.action, parameters={**measured.parameters, **parameters},
        measured={**measured.measured(), "findings": {row.identity: row.facts for row in pairs.undecided(conflict)}},
        reason=reason.strip(), proposed_by=actor, proposed_at=now, expires_on=expires_on,
    )
    resolution.needs_departments.set(departments(conflict))
    audit.record(
        actor=actor, action="resolution.proposed", subject=conflict, department=actor.department_id,
        after={"resolution": resolution.pk, "way": way, **measured.measured()}, now=now,
    )
    submit(resolution, actor, now)
    return resolution


def submit(resolution: Resolution, actor: User, now: datetime) -> None:
    """The proposer's own signature, where they may give one, and the question to everybody else."""
    if (department := signing_for(actor, resolution, now=now)) is not None:
        _sign(resolution, actor, department, agrees=True, note="", now=now)
    if resolution.state == ResolutionState.PROPOSED:
        _ask_others(resolution, actor, now)


def _parameters(way: str, conflict: Conflict, findings: Iterable[int]) -> dict[str, Any]:
    if way != ResolutionAction.ACCEPT:
        return {"key": way}
    known, asked = [row.pk for row in pairs.undecided(conflict)], set(findings)
    return {"key": way, "findings": sorted(pk for pk in known if pk in asked) or sorted(known)}


def _twin(actor: User, conflict: Conflict, parameters: dict[str, Any]) -> Resolution | None:
    """The same proposal of the same person that is still there: the first click of a double click."""
    states = [ResolutionState.PROPOSED] + ([] if conflict.state in UNDECIDED else [ResolutionState.APPLIED])
    mine = pairs.resolutions(conflict).filter(proposed_by=actor, state__in=states, proposed_at__gte=conflict.found_at)
    mine = mine.filter(parameters__key=parameters["key"])
    if conflict.state in UNDECIDED and "findings" in parameters:
        mine = mine.filter(parameters__findings=parameters["findings"])
    return mine.first()


def _check(way: str, reason: str, expires_on: date | None, now: datetime) -> None:
    today = clock.company_day(now)
    if way == ResolutionAction.ACCEPT:
        if not reason.strip():
            raise ValidationError(_("Say why it may stay as it is: whoever finds it later will ask."))
        if expires_on is None:
            raise ValidationError(_("Say until when that holds."))
    if expires_on is not None and not today <= expires_on <= today + LONGEST_ACCEPTANCE:
        raise ValidationError(_("Choose a day from today to a year ahead."))


@transaction.atomic
def sign(*, actor: User, resolution: Resolution, agrees: bool, note: str = "", now: datetime) -> Resolution:
    """A lead's yes or no for their department. Applied when all have said yes; one no declines it.

    Raises AlreadyDecided when it is no longer open, or is outdated because the conflict became materially worse.
    """
    conflict = _hold(resolution, now)
    resolution = Resolution.objects.select_for_update().get(pk=resolution.pk)
    mine = resolution.signatures.filter(user=actor.pk).first()
    if mine is not None and mine.agrees == agrees:
        return resolution
    if resolution.state != ResolutionState.PROPOSED:
        raise AlreadyDecided(_("This proposal is %(state)s.") % {"state": resolution.get_state_display()})
    department = signing_for(actor, resolution, now=now)
    access.require(department is not None, _("Only the leads of the touched departments sign, or their deputies."))
    assert department is not None
    if agrees and _is_outdated(conflict, resolution, now):
        settling.close(resolution, ResolutionState.OUTDATED, now)
    else:
        _sign(resolution, actor, department, agrees=agrees, note=note, now=now)
    return resolution


def _hold(resolution: Resolution, now: datetime) -> Conflict | None:
    """What the resolution is about under lock: its conflict, or the campaign that it changes."""
    if resolution.conflict_id is not None:
        return locked(Conflict(pk=resolution.conflict_id), now)
    holding.campaigns(filter(None, [resolution.campaign_id]))
    passes.hold(now)
    return None


def _is_outdated(conflict: Conflict | None, resolution: Resolution, now: datetime) -> bool:
    """Whether it was measured on something else than what is there now: nothing left, something new, or clearly worse."""
    if conflict is None or "change" in resolution.parameters:
        from ..scenarios import proposing

        return proposing.is_outdated(resolution, now)
    waiting = pairs.undecided(conflict)
    if named := resolution.parameters.get("findings"):
        waiting = [row for row in waiting if row.pk in named]
    if not waiting:
        return True
    known = resolution.measured["findings"]
    expired = resolution.expires_on is not None and resolution.expires_on < clock.company_day(now)
    return expired or any(
        row.identity not in known or registry.rule(row.rule).materially_worse(known[row.identity], row.facts) for row in waiting
    )


def _sign(resolution: Resolution, actor: User, department: int, *, agrees: bool, note: str, now: datetime) -> None:
    Signature.objects.create(
        resolution=resolution, department_id=department, user_id=actor.pk, agrees=agrees, note=note.strip(), at=now
    )
    audit.record(
        actor=actor, action="resolution.signed" if agrees else "resolution.declined", subject=subject(resolution),
        department=department, after={"resolution": resolution.pk, **deputies.signed_as(actor, department, now=now)}, now=now,
    )
    if not agrees:
        settling.close(resolution, ResolutionState.DECLINED, now)
        words = gettext_noop("%(who)s declined your way out: %(campaigns)s")
        _tell(resolution, [resolution.proposed_by], actor, "resolution.declined", words, now)
        return
    signed = resolution.signatures.filter(agrees=True).values_list("department_id", flat=True)
    if set(resolution.needs_departments.values_list("pk", flat=True)) <= set(signed):
        _apply(resolution, actor, now)


def _apply(resolution: Resolution, actor: User, now: datetime) -> None:
    settling.apply(resolution, actor=actor, now=now)
    if resolution.proposed_by is not None and resolution.proposed_by_id != actor.pk:
        words = gettext_noop("%(who)s agreed to your way out: %(campaigns)s")
        _tell(resolution, [resolution.proposed_by], actor, "resolution.applied", words, now)


def may_end(user: User, resolution: Resolution) -> bool:
    """A lead of a touched department, while it holds. A move has done its work and is undone by moving; cancelling and becoming one
    campaign are for good.
    """
    needed = {department.pk for department in resolution.needs_departments.all()}
    is_done = resolution.action in FOR_GOOD or "step" in resolution.parameters
    holds = resolution.state == ResolutionState.APPLIED and not is_done
    return holds and user.role == Role.LEAD and user.department_id in needed


@transaction.atomic
def end(*, actor: User, resolution: Resolution, reason: str, now: datetime) -> Resolution:
    """A lead of either side withdraws from what was agreed: it binds no more and the conflict returns. A second click is
    harmless. Raises ValidationError without a reason.
    """
    _hold(resolution, now)
    resolution = Resolution.objects.select_for_update(of=("self",)).select_related("conflict").get(pk=resolution.pk)
    if resolution.state == ResolutionState.ENDED:
        return resolution
    access.require(may_end(actor, resolution), _("Only the leads of the touched departments withdraw from an agreement."))
    if not reason.strip():
        raise ValidationError(_("Say why the agreement ends: the other side will ask."))
    settling.take_back(resolution, actor=actor, note=reason.strip(), now=now)
    leads = User.objects.filter(role=Role.LEAD, department__in=resolution.needs_departments.all(), is_active=True)
    words = gettext_noop("%(who)s withdrew from an agreement: %(campaigns)s")
    _tell(resolution, leads.exclude(pk=actor.pk), actor, "resolution.ended", words, now)
    return resolution


@transaction.atomic
def withdraw(*, actor: User, resolution: Resolution, now: datetime) -> Resolution:
    """Take an own proposal back; withdrawing twice is harmless."""
    _hold(resolution, now)
    resolution = Resolution.objects.select_for_update().get(pk=resolution.pk)
    access.require(resolution.proposed_by_id == actor.pk, _("Only whoever proposed it can take it back."))
    if resolution.state == ResolutionState.PROPOSED:
        settling.close(resolution, ResolutionState.WITHDRAWN, now)
        audit.record(
            actor=actor, action="resolution.withdrawn", subject=subject(resolution), after={"resolution": resolution.pk},
            now=now,
        )
    return resolution


def locked(conflict: Conflict, now: datetime) -> Conflict:
    """The conflict and all of its pair under lock, after its messages, its campaigns and the plan's number: the order in which every change
    of the plan takes them, so that nobody waits for each other in a circle.
    """
    seen = Conflict.objects.only("first_campaign", "second_campaign").get(pk=conflict.pk)
    holding.campaigns(pairs.sides(seen))
    passes.hold(now)
    list(pairs.rows(seen).order_by("pk").select_for_update().values_list("pk"))
    rows = Conflict.objects.select_for_update(of=("self",)).defer("people_both")
    return rows.select_related("first_campaign", "second_campaign").get(pk=conflict.pk)


def subject(resolution: Resolution) -> Conflict | Campaign:
    """What its history belongs to: the conflict, or the campaign that it changes."""
    found = resolution.conflict or resolution.campaign
    assert found is not None
    return found


def address(resolution: Resolution) -> str:
    """Where it is read and signed."""
    if resolution.conflict is not None:
        return news.address(resolution.conflict)
    return reverse("campaigns:proposed-change", args=[resolution.pk])


def _ask_others(resolution: Resolution, actor: User, now: datetime) -> None:
    signed = set(resolution.signatures.values_list("department_id", flat=True))
    missing = set(resolution.needs_departments.values_list("pk", flat=True)) - signed
    leads = User.objects.filter(role=Role.LEAD, department__in=missing, is_active=True)
    asked = {*leads, *deputies.of_departments(missing, now=now)} - {actor}
    words = gettext_noop("%(who)s proposes a way out of a conflict: %(campaigns)s")
    if resolution.conflict is None:
        words = gettext_noop("%(who)s proposes a change: %(campaigns)s")
    _tell(resolution, asked, actor, "resolution.proposed", words, now)


def _tell(resolution: Resolution, users: Iterable[User | None], actor: User, code: str, words: str, now: datetime) -> None:
    about = news.names(resolution.conflict) if resolution.conflict else [resolution.campaign.name] if resolution.campaign else []
    params = {"who": actor, "campaigns": about}
    for user in filter(None, users):
        notifications.notify(user=user, code=code, text=words, params=params, url=address(resolution), now=now)
