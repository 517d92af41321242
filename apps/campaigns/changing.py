"""Making one change of a what-if to the real plan: by its own department, or because every touched department's lead signed it.

What was signed carries the approval of days over, as every signed resolution does. Another channel needs another content, so
its approval is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts import access, audit
from apps.accounts.models import User
from apps.channels.kinds import Channel
from apps.channels.models import ChannelAccount
from apps.core import clock

from . import approval, holding, launch, locking, moving, planning, schedule
from .conflicts import passes
from .models import Campaign, Message
from .models.scenarios import ChangeKind


def make(
    kind: str, *, actor: User, campaign: Campaign, message_id: int | None, parameters: Mapping[str, Any], is_signed: bool, now: datetime
) -> None:
    """Makes it (what is cancelled with signatures is ``conflicts.single.cancel``). ``is_signed``: its departments agreed, so the
    actor (whoever signed last) need not be one who may edit it.

    A lead's own change is their signature too; a marketer's asks for approval again, as any change does.
    """
    is_signed = is_signed or access.can_approve(actor, campaign.department_id)
    access.require(is_signed or access.can_edit(actor, campaign.department_id))
    if kind == ChangeKind.MOVE:
        _move(campaign, parameters["days"], actor, is_signed, now)
    elif kind == ChangeKind.RETIME:
        shift = {int(pk): minutes for pk, minutes in parameters["shift"].items()}
        retime(actor=actor, campaign=campaign, shift=shift, as_agreed=is_signed, now=now)
    elif kind == ChangeKind.PRIORITY:
        _change(campaign, actor, {"priority": parameters["priority"]}, now)
    elif kind == ChangeKind.CHANNEL:
        _switch(campaign, message_id, parameters["channel"], actor, now)
    elif kind == ChangeKind.STOP:
        _stop(campaign, message_id, actor, is_signed, now)
    else:
        launch.cancel(actor=actor, campaign=campaign, now=now)


def _move(campaign: Campaign, days: int, actor: User, is_signed: bool, now: datetime) -> None:
    if is_signed:
        moving.move_as_agreed(actor=actor, campaign=campaign, days=days, now=now)
    else:
        moving.move_campaign(actor=actor, campaign=campaign, days=days, expected_version=campaign.version, now=now)


@transaction.atomic
def retime(*, actor: User, campaign: Campaign, shift: Mapping[int, int], as_agreed: bool, now: datetime) -> None:
    """Moves single messages by minutes of the company's wall clock; the campaign's days reach to them.

    Raises ValidationError in words when one of them has begun, repeats, or would lie in the past.
    """
    current, zone = holding.campaigns([campaign.pk])[0], clock.company_zone()
    if words := locking.problem(current):
        raise ValidationError(words)
    rows = list(current.messages.filter(pk__in=shift).defer("plan_audience"))
    if current.status in moving.BEGUN or len(rows) != len(shift) or any(row.recurrence or row.runs.exists() for row in rows):
        raise ValidationError(_("These messages cannot be moved any more."))
    before = {str(row.pk): row.send_at.isoformat() for row in rows}
    for row in rows:
        row.send_at = schedule.shifted(row.send_at, shift[row.pk], zone)
        row.send_until = schedule.shifted(row.send_until, shift[row.pk], zone) if row.send_until else None
        row.version += 1
        if row.send_at <= now:
            raise ValidationError(_("That would be in the past."))
    Message.objects.bulk_update(rows, ["send_at", "send_until", "version"])
    days = [row.send_at.astimezone(zone).date() for row in rows]
    current.starts_on, current.ends_on = min([current.starts_on, *days]), max([current.ends_on, *days])
    current.save(update_fields=["starts_on", "ends_on"])
    audit.record(
        actor=actor, action="campaign.retimed", subject=current, department=current.department_id, before=before,
        after={str(row.pk): row.send_at.isoformat() for row in rows}, now=now,
    )
    _after(current, actor, as_agreed, now)


def _after(campaign: Campaign, actor: User, as_agreed: bool, now: datetime) -> None:
    """The plan is told; what was signed keeps its approval, anything else is compared with it."""
    if not as_agreed:
        planning.touch(campaign, actor=actor, now=now)
        return
    Campaign.objects.filter(pk=campaign.pk).update(version=models.F("version") + 1, updated_at=now)
    approval.sign_again(campaign=campaign, actor=actor, now=now)
    passes.plan_changed(campaign_ids=[campaign.pk], now=now)


def _change(campaign: Campaign, actor: User, values: Mapping[str, Any], now: datetime) -> None:
    current = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if current.status in planning.CLOSED:
        raise ValidationError(_("This campaign is over."))
    before = {name: getattr(current, name) for name in values}
    for name, value in values.items():
        setattr(current, name, value)
    current.save(update_fields=list(values))
    audit.record(
        actor=actor, action="campaign.changed", subject=current, department=current.department_id, before=before, after=dict(values),
        now=now,
    )
    planning.touch(current, actor=actor, now=now)


def _message(campaign: Campaign, message_id: int | None) -> Message:
    holding.campaigns([campaign.pk])
    row = campaign.messages.defer("plan_audience").filter(pk=message_id or 0).first()
    if row is None or row.runs.exists():
        raise ValidationError(_("This message cannot be changed any more."))
    return row


def accounts() -> dict[str, int]:
    """The account that carries what is switched to a channel, for each channel on which Concord itself can send."""
    able = ChannelAccount.objects.filter(is_active=True, is_elsewhere=False).exclude(channel=Channel.UNADDRESSED)
    return dict(able.order_by("-pk").values_list("channel", "pk"))


def _switch(campaign: Campaign, message_id: int | None, channel: str, actor: User, now: datetime) -> None:
    row = _message(campaign, message_id)
    before, row.channel, row.account_id = row.channel, channel, accounts().get(channel)
    row.version += 1
    row.save(update_fields=["channel", "account", "version"])
    audit.record(
        actor=actor, action="message.changed", subject=row, department=campaign.department_id, before={"channel": before},
        after={"channel": channel}, now=now,
    )
    planning.touch(campaign, actor=actor, now=now)


def _stop(campaign: Campaign, message_id: int | None, actor: User, is_signed: bool, now: datetime) -> None:
    row = _message(campaign, message_id)
    Message.objects.filter(pk=row.pk).update(is_stopped=True, version=models.F("version") + 1)
    audit.record(actor=actor, action="message.stopped", subject=row, department=campaign.department_id, now=now)
    _after(campaign, actor, is_signed, now)
