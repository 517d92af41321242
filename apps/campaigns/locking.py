"""Locking a campaign: its days and its people stay as they are, whatever is moved by hand, tried in a what-if or re-planned."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import access, audit
from apps.accounts.models import User

from .conflicts import passes
from .models import Campaign
from .models.plan import Lock


def problem(campaign: Campaign) -> str:
    """What the lock of the campaign means and who lifts it, in words; empty when it is not locked."""
    if not campaign.lock:
        return ""
    why = f"{campaign.get_lock_display()}: {campaign.lock_reason}" if campaign.lock_reason else campaign.get_lock_display()
    return _("“%(campaign)s” is locked (%(why)s): its days and times stay as they are until the lead of %(department)s unlocks it.") % {
        "campaign": campaign.name, "why": why, "department": campaign.department,
    }


def refuse(campaign: Campaign, fields: Iterable[str]) -> None:
    """Raises ValidationError at these fields, which say when something happens, when the campaign is locked."""
    if (found := list(fields)) and (words := problem(campaign)):
        raise ValidationError(dict.fromkeys(found, words))


@transaction.atomic
def lock(*, actor: User, campaign: Campaign, why: str, reason: str = "", now: datetime) -> Campaign:
    """Its lead says that it stays as it is and why (a ``Lock``); an empty ``why`` unlocks it. Twice is harmless.

    No approval is touched: nothing of what was signed changes. Raises ValidationError for an unknown cause.
    """
    current = Campaign.objects.select_for_update().get(pk=campaign.pk)
    access.require(access.can_approve(actor, current.department_id, now=now), _("Only the lead of its department locks a campaign."))
    if why and why not in Lock.values:
        raise ValidationError(_("Say why it is locked."))
    before, after = (current.lock, current.lock_reason), (why, reason.strip()[:200] if why else "")
    if before != after:
        Campaign.objects.filter(pk=current.pk).update(lock=after[0], lock_reason=after[1])
        audit.record(
            actor=actor, action="campaign.locked" if why else "campaign.unlocked", subject=current, department=current.department_id,
            before={"lock": before[0], "reason": before[1]}, after={"lock": after[0], "reason": after[1]}, now=now,
        )
        passes.plan_changed(campaign_ids=[current.pk], now=now)
    current.refresh_from_db(fields=["lock", "lock_reason"])
    return current
