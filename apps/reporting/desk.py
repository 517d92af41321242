"""What waits on somebody's desk this morning, by their role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts import notifications
from apps.accounts.models import Notification, Role, User
from apps.campaigns import approval, schedule
from apps.campaigns.conflicts.sentences import sentence
from apps.campaigns.models import Approval, Campaign, Conflict, Message, Resolution
from apps.campaigns.models.approval import ApprovalState
from apps.campaigns.models.conflicts import ConflictState, ResolutionState, Severity
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


def tasks(user: User) -> list[Task]:
    """Approvals to decide, resolutions to sign, conflicts to agree on; for the owner: what was sent back."""
    return [*_approvals(user), *_signatures(user), *_conflicts(user), *_own(user)]


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


def _approvals(user: User) -> list[Task]:
    asked = Approval.objects.filter(state=ApprovalState.ASKED).exclude(asked_by=user)
    rows = asked.select_related("campaign__department", "asked_by").order_by("asked_at")
    return [
        Task(
            _("%(who)s asks for your approval of %(campaign)s") % {"who": row.asked_by, "campaign": row.campaign},
            reverse("campaigns:approve", args=[row.campaign_id]), _("Read and decide"),
        )
        for row in rows
        if approval.can_sign(user, row.campaign)
    ][:SHOWN]  # fmt: skip


def _signatures(user: User) -> list[Task]:
    if user.role != Role.LEAD:
        return []
    waiting: Any = Resolution.objects.filter(state=ResolutionState.PROPOSED, needs_departments=user.department_id)
    waiting = waiting.exclude(signatures__department=user.department_id).select_related("conflict", "proposed_by")
    return [
        Task(
            _("%(who)s proposes to %(what)s: your signature is missing")
            % {"who": row.proposed_by, "what": row.get_action_display()},
            reverse("campaigns:conflict", args=[row.conflict_id]), _("Read and sign"), "high",
        )
        for row in waiting[:SHOWN]
    ]  # fmt: skip


def _conflicts(user: User) -> list[Task]:
    """Open conflicts of high severity: a lead's department's, otherwise those of the person's own campaigns."""
    found = Conflict.objects.filter(state=ConflictState.OPEN, severity__gte=Severity.HIGH).defer("people_both")
    if user.role == Role.LEAD:
        mine = Q(first_campaign__department=user.department_id) | Q(second_campaign__department=user.department_id)
    else:
        mine = Q(first_campaign__owner=user) | Q(second_campaign__owner=user)
    related = found.filter(mine).select_related(
        "first_campaign__department", "second_campaign__department", "first_message", "second_message"
    )
    shown = [
        Task(sentence(row), reverse("campaigns:conflict", args=[row.pk]), _("Solve"), str(row.severity))
        for row in related[:CONFLICTS]
    ]
    if (more := found.filter(mine).count() - len(shown)) > 0:
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
