"""Copies of campaigns, messages and offers: dates are shifted, no approval is carried over."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts import access, audit
from apps.accounts.models import User
from apps.core import clock

from . import partners, planning, schedule
from .conflicts import passes
from .models import Campaign, CampaignStatus, ContentVersion, Message, Offer


def _twin(subject: models.Model, **changes: Any) -> Any:
    """An unsaved copy of a row without its identity."""
    values = {
        field.attname: getattr(subject, field.attname)
        for field in subject._meta.concrete_fields
        if not field.primary_key
    }
    return type(subject)(**(values | changes))


@transaction.atomic
def copy_campaign(*, actor: User, campaign: Campaign, starts_on: date, name: str = "", now: datetime) -> Campaign:
    """A new draft of the same plan beginning on ``starts_on``; every date moves by the same number of days.

    Clock times stay as they are in the company's zone. A copy belongs to the copier's department, unless they may
    edit for the original's. A second click within seconds gets the first one's copy.
    """
    own = access.can_edit(actor, campaign.department_id)
    department = campaign.department if own else actor.department
    access.require(department is not None and access.can_edit(actor, department.pk))
    assert department is not None
    planning._only_once(actor, "campaign")
    earlier = Campaign.objects.filter(
        copied_from=campaign, owner=actor, starts_on=starts_on, created_at__gt=now - planning.DOUBLE_CLICK
    ).first()
    if earlier:
        return earlier
    days = (starts_on - campaign.starts_on).days
    copy: Campaign = _twin(
        campaign, name=(name or _("%(name)s (copy)") % {"name": campaign.name})[:120], owner_id=actor.pk,
        department_id=department.pk, starts_on=starts_on, ends_on=campaign.ends_on + timedelta(days=days),
        status=CampaignStatus.DRAFT, paused_from="", version=1, copied_from_id=campaign.pk, takes_dates=False, merged_into_id=None,
        created_at=now, updated_at=now,
    )
    copy.save()
    copies = {message.pk: copy_into(message, copy, days, now) for message in campaign.messages.all()}
    for each in copies.values():
        if each.follows_id:
            Message.objects.filter(pk=each.pk).update(follows=copies.get(each.follows_id))
    audit.record(
        actor=actor, action="campaign.copied", subject=copy, department=department,
        after={"from": campaign.pk, "starts_on": starts_on.isoformat()}, now=now,
    )
    passes.plan_changed(campaign_ids=[copy.pk], now=now)
    return copy


def copy_into(message: Message, campaign: Campaign, days: int, now: datetime, **changes: Any) -> Message:
    """A copy of the message with its words and segments, ``days`` later, in that campaign. ``changes`` are other values of it."""
    zone = clock.company_zone()
    copy: Message = _twin(
        message, campaign_id=campaign.pk, send_at=schedule.same_clock(message.send_at, days, zone),
        send_until=schedule.same_clock(message.send_until, days, zone) if message.send_until else None,
        recurs_until=message.recurs_until + timedelta(days=days) if message.recurs_until else None,
        is_stopped=False, plan_audience=None, plan_count=None, plan_computed_at=None, created_at=now, version=1,
        **changes,
    )
    copy.save()
    copy.include.set(message.include.all())
    copy.exclude.set(message.exclude.all())
    ContentVersion.objects.bulk_create(
        [_twin(version, message_id=copy.pk, revision=1, updated_at=now) for version in message.versions.all()]
    )
    return copy


@transaction.atomic
def copy_message(*, actor: User, message: Message, now: datetime) -> Message:
    """The same message once more in its campaign, with its content; its time stays until it is changed."""
    campaign = Campaign.objects.select_for_update().get(pk=message.campaign_id)
    access.require(partners.may_edit(actor, campaign))
    if campaign.status in planning.CLOSED:
        raise ValidationError(_("This campaign is over; copy the campaign to plan anew."))
    name = (_("%(name)s (copy)") % {"name": message.name})[:120]
    twin = campaign.messages.filter(name=name, created_at__gt=now - planning.DOUBLE_CLICK).first()
    if twin:
        return twin
    copy = copy_into(message, campaign, 0, now, name=name, position=campaign.messages.count())
    audit.record(
        actor=actor, action="message.copied", subject=copy, department=campaign.department,
        after={"from": message.pk}, now=now,
    )
    planning.touch(campaign, actor=actor, now=now)
    return copy


@transaction.atomic
def copy_offer(*, actor: User, offer: Offer, now: datetime) -> Offer:
    """The same offer for the copier's department, valid for as long from now on, with its prices."""
    department = offer.department if access.can_edit(actor, offer.department_id) else actor.department
    access.require(department is not None and access.can_edit(actor, department.pk))
    assert department is not None
    name = (_("%(name)s (copy)") % {"name": offer.name})[:120]
    planning._only_once(actor, "offer")
    twin = Offer.objects.filter(
        name=name, department=department, created_at__gt=now - planning.DOUBLE_CLICK
    ).first()
    if twin:
        return twin
    start = max(offer.valid_from, now)
    copy: Offer = _twin(
        offer, name=name, department_id=department.pk, valid_from=start,
        valid_until=start + (offer.valid_until - offer.valid_from), created_at=now, archived_at=None,
    )
    copy.save()
    for price in offer.prices.all():
        _twin(price, offer_id=copy.pk).save()
    audit.record(actor=actor, action="offer.copied", subject=copy, department=department, after={"from": offer.pk}, now=now)
    return copy
