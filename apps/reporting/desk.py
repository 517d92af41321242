"""What waits on somebody's desk this morning, by their role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts import notifications
from apps.accounts.models import Notification, Role, User
from apps.campaigns import schedule
from apps.campaigns.conflicts import listing
from apps.campaigns.conflicts.sentences import sentence
from apps.campaigns.models import Campaign, Conflict, Message
from apps.campaigns.models.conflicts import ConflictState, Severity
from apps.campaigns.models.plan import BINDING_STATUSES, CampaignStatus
from apps.core.clock import company_day, company_zone

from .sums import Period, Row, by

AHEAD = timedelta(days=7)
SHOWN = 8
CONFLICTS = 4


@dataclass(frozen=True)
class Task:
    """Something only this person (or their role) can do."""

    text: str
    url: str
    label: str
    severity: str = ""


@dataclass(frozen=True)
class Send:
    """One coming occurrence of a message."""

    at: datetime
    message: Message


def tasks(user: User, *, signs: bool = False) -> list[Task]:
    """Own conflicts of weight and campaigns to schedule. What somebody who ``signs`` decides stands in decisions.py."""
    return _own(user) if signs else [*_conflicts(user), *_own(user)]


def campaigns(user: User) -> list[Campaign]:
    """The plans this person works on: their own, a lead's whole department."""
    alive = Campaign.objects.exclude(status__in=[CampaignStatus.DONE, CampaignStatus.CANCELLED])
    mine = Q(owner=user)
    if user.role == Role.LEAD:
        mine |= Q(department=user.department_id)
    elif user.role == Role.ADMINISTRATOR and not user.department_id:
        mine = Q()
    return list(alive.filter(mine).select_related("department", "owner").order_by("starts_on", "name")[:SHOWN])


def next_sends(user: User, *, now: datetime) -> list[Send]:
    """What leaves in the next seven days from the person's department (from all of them without one)."""
    found = Message.objects.filter(
        campaign__status__in=BINDING_STATUSES, is_stopped=False, send_at__lte=now + AHEAD
    ).filter(Q(send_at__gte=now) | ~Q(recurrence=""))
    if user.department_id:
        found = found.filter(campaign__department=user.department_id)
    messages = found.select_related("campaign__department", "account").defer("plan_audience")
    sends = [
        Send(at, message)
        for message in messages.order_by("send_at")[:100]
        for at in schedule.occurrences(message, first=now, last=now + AHEAD, zone=company_zone())
    ]
    return sorted(sends, key=lambda send: (send.at, send.message.pk))[:SHOWN]


def yesterday(user: User, *, now: datetime) -> list[Row]:
    """Yesterday's facts by campaign, of the person's department."""
    day = company_day(now) - timedelta(days=1)
    return by(Period(day, day, department=user.department_id), "campaign_id")[:SHOWN]


def news(user: User) -> list[Notification]:
    """Unread notifications, newest first."""
    return list(notifications.unread(user)[:SHOWN])


def _conflicts(user: User) -> list[Task]:
    """Open conflicts of high severity of the person's own campaigns, and those handed to them."""
    found = Conflict.objects.filter(state=ConflictState.OPEN, severity__gte=Severity.HIGH).defer("people_both")
    mine = Q(first_campaign__owner=user) | Q(second_campaign__owner=user) | Q(owner=user)
    groups = listing.grouped(found.filter(mine))
    rows = [group.first for group in groups[:CONFLICTS]]
    shown = [Task(sentence(row), reverse("campaigns:conflict", args=[row.pk]), _("Solve"), str(row.severity)) for row in rows]
    if (more := len(groups) - len(shown)) > 0:
        words = ngettext("%(n)d more conflict of high severity", "%(n)d more conflicts of high severity", more)
        shown.append(Task(words % {"n": more}, reverse("campaigns:conflicts"), _("See all")))
    return shown


def _own(user: User) -> list[Task]:
    """Own campaigns that are approved and wait for their owner to schedule them."""
    ready = Campaign.objects.filter(owner=user, status=CampaignStatus.APPROVED)
    return [
        Task(
            _("%(campaign)s is approved and can be scheduled") % {"campaign": campaign},
            reverse("campaigns:detail", args=[campaign.pk]), _("Schedule"),
        )
        for campaign in ready[:SHOWN]
    ]  # fmt: skip
