"""Stopping: a message, a campaign, a department, everything. Holds from the next burst on, until somebody lifts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts import access, audit
from apps.accounts.models import Department, User
from apps.campaigns import partners
from apps.campaigns.models import Campaign, Delivery, Halt, Message, Run
from apps.campaigns.models.sending import HaltScope, RunState

from .ledger import REACHED


@dataclass(frozen=True)
class Effect:
    """What a stop meets: runs under way, people who had already left, people who still wait."""

    runs: int
    already_sent: int
    waiting: int


Target = Message | Campaign | Department | None


def scope_of(target: Target) -> str:
    """What kind of stop this target asks for; no target is everything."""
    scopes = {Message: HaltScope.MESSAGE, Campaign: HaltScope.CAMPAIGN, Department: HaltScope.DEPARTMENT}
    return HaltScope.EVERYTHING if target is None else scopes[type(target)]


def may_stop(user: User, target: Target) -> bool:
    """Its departments' people stop its messages and campaigns, its lead the department, an administrator everything."""
    if access.is_administrator(user):
        return True
    if target is None:
        return False
    if isinstance(target, Department):
        return access.can_approve(user, target.pk)
    campaign = target.campaign if isinstance(target, Message) else target
    return partners.may_edit(user, campaign)


def runs_under(target: Target) -> QuerySet[Run]:
    """The runs under way that a stop of this target holds."""
    runs = Run.objects.filter(state__in=[RunState.PLANNED, RunState.RUNNING])
    if isinstance(target, Message):
        return runs.filter(message=target)
    if isinstance(target, Campaign):
        return runs.filter(message__campaign=target)
    if isinstance(target, Department):
        return runs.filter(message__campaign__department=target)
    return runs


def effect(target: Target) -> Effect:
    """What a stop would do now; the people who had already left cannot be called back."""
    runs = list(runs_under(target).values_list("pk", "audience_count"))
    rows = Delivery.objects.filter(run_id__in=[pk for pk, _count in runs])
    settled = rows.count()
    return Effect(
        runs=len(runs),
        already_sent=rows.filter(outcome__in=REACHED).count(),
        waiting=sum(count for _pk, count in runs) - settled,
    )


def stop(*, target: Target, user: User, reason: str = "", now: datetime) -> Halt:
    """Stops; from the next burst on nothing of it is handed over. Stopping twice is one stop. Raises PermissionDenied."""
    _require(user, target)
    with transaction.atomic():
        found = active(target).select_for_update().first()
        if found is not None:
            return found
        halt = Halt.objects.create(
            scope=scope_of(target),
            message=target if isinstance(target, Message) else None,
            campaign=target if isinstance(target, Campaign) else None,
            department=target if isinstance(target, Department) else None,
            reason=reason[:200],
            stopped_by=user,
            stopped_at=now,
        )
    # Counted after the stop is committed and in force, so that the figure is what really left.
    halt.already_sent = effect(target).already_sent
    halt.save(update_fields=["already_sent"])
    _record(halt, "sending.stopped", user, now)
    return halt


def lift(*, halt: Halt, user: User, now: datetime) -> bool:
    """Lets a stopped part go on; False when it was lifted already. Raises PermissionDenied."""
    _require(user, target_of(halt))
    changed = Halt.objects.filter(pk=halt.pk, lifted_at=None).update(lifted_at=now, lifted_by=user)
    if changed:
        halt.refresh_from_db()
        _record(halt, "sending.resumed", user, now)
    return bool(changed)


def active(target: Target) -> QuerySet[Halt]:
    """The stop in force of exactly this target."""
    scope = scope_of(target)
    mine = Q() if target is None else Q(**{scope: target})
    return Halt.objects.filter(mine, scope=scope, lifted_at=None)


def target_of(halt: Halt) -> Target:
    """What was stopped."""
    return halt.message or halt.campaign or halt.department


def _require(user: User, target: Target) -> None:
    if not may_stop(user, target):
        raise PermissionDenied(_("Only the department's own people may stop its messages, its lead the whole "
                                 "department, and an administrator everything."))


def _record(halt: Halt, action: str, user: User, now: datetime) -> None:
    target = target_of(halt)
    department = target.pk if isinstance(target, Department) else None
    if isinstance(target, Message):
        department = target.campaign.department_id
    elif isinstance(target, Campaign):
        department = target.department_id
    audit.record(
        actor=user,
        action=action,
        subject=target if target is not None else halt,
        department=department,
        after={"scope": halt.scope, "reason": halt.reason, "already_sent": halt.already_sent},
        now=now,
    )
