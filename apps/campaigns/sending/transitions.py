"""A campaign becomes live with its first run and done with its last."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from apps.campaigns import launch
from apps.campaigns.models import Campaign, Message, Run
from apps.campaigns.models.plan import CampaignStatus, MessageKind
from apps.campaigns.models.sending import RunState
from apps.core.clock import company_day

from .occurrences import ONCE, BadRecurrence, occurrences

FOREVER = timedelta(days=800)


def update_statuses(*, now: datetime) -> list[Campaign]:
    """Moves scheduled campaigns without addressees to live on their first day, and finished ones to done."""
    today = company_day(now)
    moved = []
    for campaign in Campaign.objects.filter(status=CampaignStatus.SCHEDULED, starts_on__lte=today):
        if not _addressed(campaign).exists():
            moved.append(launch.go_live(campaign=campaign, now=now))
    for campaign in Campaign.objects.filter(status=CampaignStatus.LIVE):
        if is_finished(campaign, now):
            moved.append(launch.finish(campaign=campaign, now=now))
    return moved


def _addressed(campaign: Campaign) -> QuerySet[Message]:
    return Message.objects.filter(campaign=campaign, kind=MessageKind.ADDRESSED).select_related("campaign")


def is_finished(campaign: Campaign, now: datetime) -> bool:
    """Whether nothing of the campaign is left to do: every run done, no occurrence to come, unaddressed parts over."""
    if Run.objects.filter(message__campaign=campaign, state__in=[RunState.PLANNED, RunState.RUNNING]).exists():
        return False
    messages = list(_addressed(campaign).defer("plan_audience"))
    others = Message.objects.filter(campaign=campaign).exclude(kind=MessageKind.ADDRESSED).exists()
    if (others or not messages) and company_day(now) <= campaign.ends_on:
        return False
    return not any(_to_come(message, now) for message in messages)


def _to_come(message: Message, now: datetime) -> bool:
    if message.is_stopped:
        return False
    if not message.recurrence:
        return not Run.objects.filter(message=message, occurrence=ONCE).exists()
    known = set(Run.objects.filter(message=message).values_list("occurrence", flat=True))
    try:
        coming = occurrences(message, now - timedelta(days=1), now + FOREVER)
    except BadRecurrence:
        return False
    return any(each.key not in known for each in coming)
