"""Ways out of what one campaign has against itself or the calendar: leave the people out, or cancel it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from django.db import models
from django.utils.translation import gettext as _
from pyroaring import BitMap

from apps.accounts import audit
from apps.accounts.models import User
from apps.customers.models import Segment
from apps.customers.segments import keeping

from .. import approval, audiences
from ..models import Campaign, CampaignStatus, Conflict, Message, Resolution
from . import registry
from .snapshot import Plan, PlannedCampaign, PlannedMessage

# Where the findings are about people who can be told from the rest of the audience.
ABOUT_PEOPLE = {"blackout", "quiet_hours", "holiday", "experiment", "pairings"}
OVER = (CampaignStatus.DONE, CampaignStatus.CANCELLED)


def to_leave_out(plan: Plan, campaign: PlannedCampaign, conflict: Conflict) -> tuple[list[PlannedMessage], BitMap]:
    """The messages that can leave the people of the finding out, and whom they would lose; nobody where all would go."""
    nobody: tuple[list[PlannedMessage], BitMap] = ([], BitMap())
    if conflict.rule not in ABOUT_PEOPLE or plan.people is None:
        return nobody
    named = {conflict.first_message_id} if conflict.first_message_id else set(conflict.facts.get("messages", ()))
    messages = [
        message for message in campaign.messages
        if message.kind == "addressed" and not message.is_safety and (not named or message.id in named)
        and any(end > plan.now for _start, end in message.windows)
    ]
    plan.people.fetch(messages)
    whole = BitMap.union(BitMap(), *(plan.people.of(message) for message in messages))
    lost = whole & cast(BitMap, conflict.people_both or BitMap())
    return (messages, lost) if lost and lost != whole else nobody


def leave_out(resolution: Resolution, *, actor: User, now: datetime) -> None:
    """Keeps the people as a fixed list and leaves it out of the messages; the signatures carry the approval over."""
    conflict, sides = resolution.conflict, resolution.parameters
    assert conflict is not None
    people = cast(BitMap, Conflict.objects.values_list("people_both", flat=True).get(pk=conflict.pk) or BitMap())
    campaign = Campaign.objects.get(pk=sides["campaign"])
    name = _("Left out of %(campaign)s: %(rule)s") % {"campaign": campaign.name, "rule": registry.rule(conflict.rule).title}
    listed = keeping.make_list(name=name, people=people, actor=actor, now=now)
    for message in Message.objects.filter(pk__in=sides["messages"], campaign=campaign):
        message.exclude.add(listed)
        Message.objects.filter(pk=message.pk).update(version=models.F("version") + 1)
        audiences.refresh(message, now=now)
    resolution.parameters = {**sides, "segment": listed.pk}
    resolution.save(update_fields=["parameters"])
    _carry_over(campaign, actor, now)


def take_back(resolution: Resolution, *, actor: User, now: datetime) -> None:
    """The people are in the audience again."""
    listed = Segment.objects.filter(pk=resolution.parameters.get("segment")).first()
    if listed is None:
        return
    for message in Message.objects.filter(exclude=listed):
        message.exclude.remove(listed)
        Message.objects.filter(pk=message.pk).update(version=models.F("version") + 1)
        audiences.refresh(message, now=now)
    _carry_over(Campaign.objects.get(pk=resolution.parameters["campaign"]), actor, now)


def _carry_over(campaign: Campaign, actor: User, now: datetime) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(version=models.F("version") + 1, updated_at=now)
    approval.sign_again(campaign=campaign, actor=actor, now=now)


def cancel(resolution: Resolution, *, actor: User, now: datetime) -> None:
    """Ends the campaign for good because its departments signed that: whoever still waits is not contacted."""
    campaign = Campaign.objects.select_for_update().get(pk=resolution.parameters["campaign"])
    if campaign.status in OVER:
        return
    before, campaign.status = campaign.status, CampaignStatus.CANCELLED
    Campaign.objects.filter(pk=campaign.pk).update(
        status=CampaignStatus.CANCELLED, version=models.F("version") + 1, updated_at=now
    )
    audit.record(
        actor=actor, action="campaign.cancelled", subject=campaign, department=campaign.department, before={"status": before},
        after={"status": campaign.status, "resolution": resolution.pk}, now=now,
    )
