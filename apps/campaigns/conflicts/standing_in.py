"""Messages on another channel for those whom an agreement takes out of the original: drafted when it is signed, gone with it.

They are for whoever is in the original's audience and in one of the audiences that it yields to, by rule, so that who joins late is
among them; the claim (sending/stand_ins.py) sees to it that nobody gets both. Their words are taken over as far as they can be;
what was made for another kind of channel has to be read and saved by somebody, and the campaign has to be approved anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models

from apps.accounts import audit
from apps.accounts.models import User
from apps.channels.kinds import Channel

from .. import approval, audiences
from ..content import blocks, html
from ..models import Agreement, Campaign, ContentVersion, Message, StandIn
from ..models.content import ContentFormat


def draft(agreement: Agreement, *, channel: str, originals: list[int], kept: list[int], actor: User, now: datetime) -> list[Message]:
    """Makes them, one for each original, and counts their people. The approval of the campaign does not cover them."""
    asked = [rule for message in Message.objects.filter(pk__in=kept).order_by("pk") if (rule := audiences.rule_of(message))]
    campaign = Campaign.objects.get(pk=agreement.yielding_campaign_id)
    made = [
        _draft(agreement, message, channel, {"any": asked}, actor, now)
        for message in Message.objects.filter(pk__in=originals, campaign=campaign).order_by("pk")
    ]
    Campaign.objects.filter(pk=campaign.pk).update(version=models.F("version") + 1, updated_at=now)
    campaign.refresh_from_db()
    approval.compare_with_signed(campaign, actor=actor, now=now)
    return made


def _draft(
    agreement: Agreement, original: Message, channel: str, theirs: dict[str, Any], actor: User, now: datetime
) -> Message:
    from .. import copying, planning

    own = [original.audience_rule] if original.audience_rule else []
    name = f"{original.name[:90]} ({Channel(channel).label})"
    message = copying.copy_into(
        original, original.campaign, 0, now, name=name, channel=channel, account_id=None, follows_id=None, planned_cost=None,
        audience_rule={"all": [*own, theirs]}, position=original.position,
    )
    message.account = planning.only_account(message)
    message.save(update_fields=["account"])
    for version in message.versions.all():
        _take_over(version, original.channel, channel)
    StandIn.objects.create(agreement=agreement, original=original, message=message)
    audiences.refresh(message, now=now)
    audit.record(
        actor=actor, action="message.created", subject=message, department=original.campaign.department_id,
        after={"name": name, "channel": channel, "instead_of": original.pk, "agreement": agreement.pk}, now=now,
    )
    return message


def _take_over(version: ContentVersion, before: str, channel: str) -> None:
    """The words in the form of the other channel; without a reader yet where they had to be changed for it."""
    is_mail = channel == Channel.EMAIL
    if is_mail == (before == Channel.EMAIL):
        return
    if is_mail:
        version.blocks = [blocks.new("text") | {"text": version.body}] if version.body.strip() else []
        version.format, version.body = ContentFormat.BLOCKS, ""
    else:
        shown = html.to_text(html.prepare(version.body)) if version.format == ContentFormat.HTML else ""
        version.body = shown or (blocks.plain_text(version.blocks, {}) if version.format == ContentFormat.BLOCKS else version.body)
        version.format, version.blocks, version.preheader = ContentFormat.TEXT, [], ""
    version.updated_by = None
    version.save()


def is_unread(version: ContentVersion) -> bool:
    """Whether its words were taken over from another kind of channel and nobody has saved them since."""
    return version.updated_by_id is None and getattr(version.message, "stands_in", None) is not None


def undo(agreements: Iterable[int], *, actor: User | None, now: datetime) -> None:
    """What these agreements brought goes with them; what has been sent stays as it is, stopped. The approval is carried over."""
    ahead = StandIn.objects.filter(agreement__in=agreements, message__campaign__in=Campaign.objects.planned())
    for stand_in in ahead.select_related("message__campaign"):
        message, campaign = stand_in.message, stand_in.message.campaign
        begun = message.runs.exists()
        audit.record(
            actor=actor, action="message.stopped" if begun else "message.removed", subject=message,
            department=campaign.department_id, before={"name": message.name, "channel": message.channel},
            after={"agreement": stand_in.agreement_id}, now=now,
        )
        if begun:
            Message.objects.filter(pk=message.pk).update(is_stopped=True, version=models.F("version") + 1)
        else:
            message.delete()
        Campaign.objects.filter(pk=campaign.pk).update(version=models.F("version") + 1, updated_at=now)
        approval.sign_again(campaign=campaign, actor=actor, now=now)
