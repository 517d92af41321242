"""How an agreement or acceptance ends: by its day, because the campaigns are over, or because a lead withdraws from it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts import audit
from apps.accounts.models import User
from apps.core import clock

from ..models import Agreement, CampaignStatus, Resolution, Run
from ..models.conflicts import EndCause, ResolutionAction, ResolutionState
from . import standing_in

OVER = (CampaignStatus.DONE, CampaignStatus.CANCELLED)


def end(resolution: Resolution, *, cause: str, actor: User | None = None, note: str = "", now: datetime) -> bool:
    """Ends what was applied, with its trace in the history. False when it had ended already; nothing happens then."""
    ended = Resolution.objects.filter(pk=resolution.pk, state=ResolutionState.APPLIED).update(
        state=ResolutionState.ENDED, ended_at=now, ended_by=actor, end_cause=cause, end_note=note
    )
    if not ended:
        return False
    bound = list(Agreement.objects.filter(resolution=resolution, ended_at=None).values_list("pk", flat=True))
    Agreement.objects.filter(pk__in=bound).update(ended_at=now)
    standing_in.undo(bound, actor=actor, now=now)
    for finding in {*filter(None, [resolution.conflict]), *resolution.settles.defer("people_both")}:
        audit.record(
            actor=actor, action="agreement.ended", subject=finding, department=actor.department_id if actor else None,
            after={"resolution": resolution.pk, "cause": str(cause), "why": note}, now=now,
        )
    resolution.refresh_from_db()
    return True


@transaction.atomic
def end_over(*, now: datetime) -> int:
    """Ends whatever has run out or has nothing left to bind. Safe to call at any time, twice, and from several workers."""
    ended = 0
    for resolution in _expired(now).select_related("conflict"):
        ended += end(resolution, cause=EndCause.EXPIRED, now=now)
    for agreement in _without_object().select_related("resolution__conflict", "yielding_campaign", "keeping_campaign"):
        cause = EndCause.CANCELLED if _cancelled(agreement) else EndCause.OVER
        ended += end(agreement.resolution, cause=cause, now=now)
    return ended


def is_due(*, now: datetime) -> bool:
    """Whether anything waits to be ended."""
    return _expired(now).exists() or _without_object().exists()


def _expired(now: datetime) -> QuerySet[Resolution]:
    return Resolution.objects.filter(
        state=ResolutionState.APPLIED, expires_on__lt=clock.company_day(now)
    ).exclude(action=ResolutionAction.MOVE)


def _without_object() -> QuerySet[Agreement]:
    """Agreements of which both sides are over, or of which one was cancelled before any of it was sent.

    A side that is done still binds the other: whoever got its message must not get the other one.
    """
    over = Q(yielding_campaign__status__in=OVER, keeping_campaign__status__in=OVER)
    yields = Q(yielding_campaign__status=CampaignStatus.CANCELLED) & ~_begun("yielding_campaign")
    keeps = Q(keeping_campaign__status=CampaignStatus.CANCELLED) & ~_begun("keeping_campaign")
    return Agreement.objects.filter(ended_at=None).filter(over | yields | keeps).order_by("pk")


def _begun(side: str) -> Exists:
    return Exists(Run.objects.filter(message__campaign=OuterRef(side), started_at__isnull=False))


def _cancelled(agreement: Agreement) -> bool:
    sides = (agreement.yielding_campaign, agreement.keeping_campaign)
    return any(side.status == CampaignStatus.CANCELLED for side in sides)
