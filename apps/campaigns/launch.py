"""Scheduling, pausing, resuming, cancelling and ending a campaign."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import access
from apps.accounts.models import User

from . import approval, partners, readiness
from .approval import NotReady, _locked, _move, _refuse
from .conflicts import passes, sentences
from .models import Campaign, CampaignStatus


def obstacles(campaign: Campaign, *, now: datetime) -> list[str]:
    """Everything that prevents scheduling, one sentence each: signature, open conflicts, problems of the check."""
    found = []
    if approval.current(campaign) is None:
        found.append(_("The plan is not approved."))
    elif not approval.is_covered(campaign, now):
        found.append(_("What was approved is not what would be sent, or its period is over: ask for approval again."))
    found += [
        _("An open conflict prevents it: %(conflict)s") % {"conflict": sentences.sentence(conflict)}
        for conflict in passes.blocking(campaign)
    ]
    return found + [problem.text for problem in readiness.problems(campaign, now=now) if problem.blocks]


@transaction.atomic
def schedule(*, actor: User, campaign: Campaign, now: datetime) -> Campaign:
    """Hand the approved plan to sending. A second click changes nothing. Raises NotReady."""
    campaign = _locked(campaign)
    access.require(partners.may_edit(actor, campaign))
    if campaign.status in (CampaignStatus.SCHEDULED, CampaignStatus.LIVE):
        return campaign
    if campaign.status != CampaignStatus.APPROVED:
        _refuse(campaign, _("schedule"))
    if found := obstacles(campaign, now=now):
        raise NotReady(found)
    return _move(campaign, CampaignStatus.SCHEDULED, actor=actor, action="scheduled", now=now)


@transaction.atomic
def pause(*, actor: User, campaign: Campaign, now: datetime) -> Campaign:
    """Stop handing over from the next burst on; resume goes on where it stood."""
    campaign = _locked(campaign)
    access.require(partners.may_edit(actor, campaign))
    if campaign.status == CampaignStatus.PAUSED:
        return campaign
    if campaign.status not in (CampaignStatus.SCHEDULED, CampaignStatus.LIVE):
        _refuse(campaign, _("pause"))
    campaign.paused_from = campaign.status
    return _move(campaign, CampaignStatus.PAUSED, actor=actor, action="paused", now=now)


@transaction.atomic
def resume(*, actor: User, campaign: Campaign, now: datetime) -> Campaign:
    """Go on where the campaign was paused. Raises NotReady when something stands against it meanwhile."""
    campaign = _locked(campaign)
    access.require(partners.may_edit(actor, campaign))
    if campaign.status in (CampaignStatus.SCHEDULED, CampaignStatus.LIVE):
        return campaign
    if campaign.status != CampaignStatus.PAUSED:
        _refuse(campaign, _("resume"))
    if not approval.is_covered(campaign, now):
        raise NotReady([_("The plan was changed while it was paused; it needs approval again.")])
    status, campaign.paused_from = campaign.paused_from or CampaignStatus.SCHEDULED, ""
    return _move(campaign, status, actor=actor, action="resumed", now=now)


@transaction.atomic
def cancel(*, actor: User, campaign: Campaign, now: datetime) -> Campaign:
    """End the campaign for good: whoever still waits is not contacted. What has left stays in the ledger."""
    campaign = _locked(campaign)
    access.require(partners.may_edit(actor, campaign))
    if campaign.status == CampaignStatus.CANCELLED:
        return campaign
    if campaign.status == CampaignStatus.DONE:
        _refuse(campaign, _("cancel"))
    _move(campaign, CampaignStatus.CANCELLED, actor=actor, action="cancelled", now=now)
    passes.plan_changed(campaign_ids=[campaign.pk], now=now)
    return campaign


@transaction.atomic
def go_live(*, campaign: Campaign, now: datetime) -> Campaign:
    """Sending calls this with the first run of a scheduled campaign."""
    campaign = _locked(campaign)
    if campaign.status != CampaignStatus.SCHEDULED:
        return campaign
    return _move(campaign, CampaignStatus.LIVE, actor=None, action="live", now=now)


@transaction.atomic
def finish(*, campaign: Campaign, now: datetime) -> Campaign:
    """Sending calls this when the last run of a live campaign has settled."""
    campaign = _locked(campaign)
    if campaign.status not in (CampaignStatus.SCHEDULED, CampaignStatus.LIVE):
        return campaign
    return _move(campaign, CampaignStatus.DONE, actor=None, action="done", now=now)
