"""Where a department's contacts go that no planned message names: a message for each channel and purpose, made on demand."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import Department, Role, User
from apps.campaigns.models import Campaign, CampaignStatus, CatchAll, Message, MessageKind
from apps.channels.models import ChannelAccount
from apps.consent.models import Purpose
from apps.core.clock import company_day

# Second number of the advisory lock, after the block locks: a department's catch-alls are made one at a time.
LOCK = 0x454C5345


class NobodyPlans(ValueError):
    """The department has nobody who could own a campaign."""


def one_at_a_time(department_id: int) -> None:
    """Lets whatever is told of one department pass one after the other, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, department_id])


@transaction.atomic
def message_for(*, department: Department, channel: str, purpose: Purpose, now: datetime) -> Message:
    """The department's catch-all message of that channel and purpose. Raises NobodyPlans."""
    known = CatchAll.objects.filter(department=department, channel=channel, purpose=purpose)
    loaded = known.select_related("message__campaign", "message__purpose", "message__account")
    if found := loaded.first():
        return found.message
    one_at_a_time(department.pk)
    if found := loaded.first():
        return found.message
    message = Message.objects.create(
        campaign=_campaign(department, now), name=_("%(purpose)s, outside the plan") % {"purpose": purpose.name},
        kind=MessageKind.ELSEWHERE, channel=channel, purpose=purpose, account=_account(department, channel),
        send_at=now, created_at=now,
    )  # fmt: skip
    CatchAll.objects.create(message=message, department=department, channel=channel, purpose=purpose)
    return message


def widen(message: Message, first: datetime, last: datetime, *, now: datetime) -> None:
    """Lets the campaign of a catch-all cover these days: it shows when its contacts were."""
    campaign = Campaign.objects.select_for_update().get(pk=message.campaign_id)
    starts, ends = min(campaign.starts_on, company_day(first)), max(campaign.ends_on, company_day(last))
    if (starts, ends) != (campaign.starts_on, campaign.ends_on):
        Campaign.objects.filter(pk=campaign.pk).update(starts_on=starts, ends_on=ends, updated_at=now)


def _campaign(department: Department, now: datetime) -> Campaign:
    other = CatchAll.objects.filter(department=department).select_related("message__campaign").first()
    if other is not None:
        return other.message.campaign
    planners = User.objects.filter(department=department, is_active=True).exclude(role=Role.AGENT)
    owner = planners.filter(role=Role.LEAD).first() or planners.first() or User.objects.filter(is_active=True).first()
    if owner is None:
        raise NobodyPlans
    return Campaign.objects.create(
        name=_("Sent elsewhere by %(department)s") % {"department": department.name}, department=department, owner=owner,
        brief=_("Contacts that another tool of the department made and no planned message names. They count in every limit."),
        starts_on=company_day(now), ends_on=company_day(now), status=CampaignStatus.DONE, created_at=now, updated_at=now,
    )  # fmt: skip


def _account(department: Department, channel: str) -> ChannelAccount | None:
    found = ChannelAccount.objects.filter(is_elsewhere=True, channel=channel, is_active=True)
    return found.filter(department=department).first() or found.filter(department=None).first()
