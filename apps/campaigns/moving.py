"""Moving a whole campaign by days: dates and every message, clock times kept in the company's zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts import access, audit
from apps.accounts.models import User
from apps.core import clock

from . import approval, holding, locking, partners, planning, schedule
from .conflicts import passes
from .models import Campaign, CampaignStatus, Message

BEGUN = (CampaignStatus.LIVE, CampaignStatus.PAUSED, CampaignStatus.DONE, CampaignStatus.CANCELLED)


@transaction.atomic
def move_campaign(*, actor: User, campaign: Campaign, days: int, expected_version: int, now: datetime) -> Campaign:
    """Move an own campaign. Raises EditedMeanwhile when it was saved since ``expected_version``, ValidationError in words.

    What was approved is asked for again, as after any change of dates.
    """
    current = _locked(campaign)
    access.require(partners.may_edit(actor, current))
    if current.version != expected_version:
        raise planning.EditedMeanwhile(current, {"starts_on": current.starts_on + timedelta(days=days)})
    if days:
        _shift(current, days, actor=actor, now=now)
        planning.touch(current, actor=actor, now=now)
    return current


@transaction.atomic
def move_as_agreed(*, actor: User, campaign: Campaign, days: int, now: datetime) -> Campaign:
    """Move a campaign because every touched department's lead signed it: the approval is carried over, not voided."""
    current = _locked(campaign)
    _shift(current, days, actor=actor, now=now)
    Campaign.objects.filter(pk=current.pk).update(version=models.F("version") + 1, updated_at=now)
    approval.sign_again(campaign=current, actor=actor, now=now)
    passes.plan_changed(campaign_ids=[current.pk], now=now)
    current.refresh_from_db()
    return current


def _locked(campaign: Campaign) -> Campaign:
    return holding.campaigns([campaign.pk])[0]


def problem(campaign: Campaign, days: int, *, now: datetime) -> str:
    """Why the campaign cannot be moved by so many days, in words; empty when it can."""
    if campaign.status in BEGUN:
        return _("“%(campaign)s” is %(state)s; what has begun is not moved.") % {
            "campaign": campaign.name, "state": campaign.get_status_display().lower()
        }
    if words := locking.problem(campaign):
        return words
    if campaign.messages.filter(purpose__purpose_class="safety").exists():
        return _("Safety notices are never moved.")
    begun = campaign.messages.filter(models.Q(send_at__lte=now) | models.Q(runs__isnull=False)).exists()
    if begun and campaign.status != CampaignStatus.DRAFT:
        return _("Part of “%(campaign)s” has already gone out; move its remaining messages one by one.") % {
            "campaign": campaign.name
        }
    first = campaign.messages.aggregate(first=models.Min("send_at"))["first"]
    if days < 0 and first and schedule.same_clock(first, days, clock.company_zone()) <= now:
        return _("That would be in the past.")
    return ""


def _shift(campaign: Campaign, days: int, *, actor: User, now: datetime) -> None:
    if words := problem(campaign, days, now=now):
        raise ValidationError(words)
    before = _dates(campaign)
    campaign.starts_on += timedelta(days=days)
    campaign.ends_on += timedelta(days=days)
    campaign.takes_dates = False
    campaign.save(update_fields=["starts_on", "ends_on", "takes_dates"])
    zone = clock.company_zone()
    rows = list(campaign.messages.defer("plan_audience"))
    for row in rows:
        row.send_at = schedule.same_clock(row.send_at, days, zone)
        row.send_until = schedule.same_clock(row.send_until, days, zone) if row.send_until else None
        row.recurs_until = row.recurs_until + timedelta(days=days) if row.recurs_until else None
    Message.objects.bulk_update(rows, ["send_at", "send_until", "recurs_until"])
    audit.record(
        actor=actor, action="campaign.moved", subject=campaign, department=campaign.department_id,
        before=before, after={**_dates(campaign), "days": days}, now=now,
    )


def _dates(campaign: Campaign) -> dict[str, date]:
    return {"starts_on": campaign.starts_on, "ends_on": campaign.ends_on}
