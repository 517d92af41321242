"""Programmes: made and changed by leads. A change shows first which campaigns it changes, then goes down to all that inherit.

What had been approved is asked for again where signed days or offers change; what has begun keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.accounts import access, audit, notifications
from apps.accounts.models import User
from apps.core import formats
from apps.core.money import currency_code

from . import approval, holding, inheritance, planning
from .conflicts import passes
from .models import Campaign, Programme
from .models.plan import PLANNED_STATUSES, CampaignStatus

FIELDS = ("name", "key_message", "offer", "starts_on", "ends_on", "budget", "currency")
BEGUN = (CampaignStatus.LIVE, CampaignStatus.PAUSED)


@dataclass(frozen=True)
class Change:
    """What a change of the programme does to one campaign: (what, before, after), each in words.

    ``keeps``: it has begun, so days and offers stay as they are. ``asks_again``: it was approved with other ones. ``is_locked``: its
    days are, so they stay and are its own from then on.
    """

    campaign: Campaign
    rows: tuple[tuple[str, str, str], ...]
    keeps: bool = False
    asks_again: bool = False
    is_locked: bool = False


def effects(programme: Programme, values: Mapping[str, Any]) -> list[Change]:
    """Which campaigns would change with these values, in a number of queries that does not grow with them. Nothing is written."""
    after = Programme(**{name: values.get(name, getattr(programme, name)) for name in FIELDS})
    campaigns = list(
        programme.campaigns.filter(status__in=PLANNED_STATUSES).select_related("department", "offer").order_by("starts_on", "pk")
    )
    counts: dict[int, int] = {}
    for message in inheritance.messages_of(campaigns):
        counts[message.campaign_id] = counts.get(message.campaign_id, 0) + inheritance.inherits(message)
    found = [_change(campaign, programme, after, counts.get(campaign.pk, 0)) for campaign in campaigns]
    return [change for change in found if change.rows or change.keeps or change.is_locked]


def _change(campaign: Campaign, before: Programme, after: Programme, inheriting: int) -> Change:
    signed, other = [], []
    is_moved = campaign.takes_dates and (before.starts_on, before.ends_on) != (after.starts_on, after.ends_on)
    is_locked = is_moved and bool(campaign.lock)
    if is_moved and not is_locked:
        days = formats.span(campaign.starts_on, campaign.ends_on), formats.span(after.starts_on, after.ends_on)
        signed.append((_("days"), *days))
    if campaign.offer_id is None and inheriting and before.offer_id != after.offer_id:
        signed.append((_("offer"), str(before.offer or "–"), str(after.offer or "–")))
    if not campaign.key_message and before.key_message != after.key_message:
        other.append((_("key message"), before.key_message or "–", after.key_message or "–"))
    if campaign.budget is None and (before.budget, before.currency) != (after.budget, after.currency):
        other.append((_("budget"), _money(before), _money(after)))
    if campaign.status in BEGUN:
        return Change(campaign, tuple(other), keeps=bool(signed))
    asks = bool(signed) and campaign.status in approval.SIGNED_STATES
    return Change(campaign, (*signed, *other), asks_again=asks, is_locked=is_locked)


def _money(programme: Programme) -> str:
    return "–" if programme.budget is None else formats.money(programme.budget, programme.currency)


def may_change(user: User) -> bool:
    """A programme belongs to several departments: every lead plans it, and administrators."""
    return user.role in {"lead", "administrator"}


def _check(programme: Programme) -> None:
    problems: dict[str, str] = {}
    if not (programme.name or "").strip():
        problems["name"] = _("A programme needs a name.")
    if programme.ends_on < programme.starts_on:
        problems["ends_on"] = _("The end is before the beginning.")
    try:
        programme.currency = currency_code(programme.currency)
    except ValueError as error:
        problems["currency"] = str(error)
    if problems:
        raise ValidationError(problems)


@transaction.atomic
def create(*, actor: User, values: Mapping[str, Any], now: datetime) -> Programme:
    """A new programme. A second click within seconds gets the first one's. Raises ValidationError, PermissionDenied."""
    access.require(may_change(actor))
    planning._only_once(actor, "programme")
    twin = Programme.objects.filter(
        name=values["name"], starts_on=values["starts_on"], ends_on=values["ends_on"], created_at__gt=now - planning.DOUBLE_CLICK
    ).first()
    if twin:
        return twin
    programme = Programme(created_at=now)
    planning._assign(programme, values, FIELDS)
    _check(programme)
    programme.save()
    _record(programme, "created", {}, actor=actor, now=now)
    return programme


def _record(programme: Programme, deed: str, changed: Mapping[str, tuple[Any, Any]], *, actor: User, now: datetime) -> None:
    before, after = ({name: pair[place] for name, pair in changed.items()} for place in (0, 1))
    if deed == "created":
        after = {name: planning._plain(getattr(programme, name)) for name in FIELDS}
    audit.record(actor=actor, action=f"programme.{deed}", subject=programme, before=before or None, after=after, now=now)


@transaction.atomic
def change(
    *, actor: User, programme: Programme, values: Mapping[str, Any], expected_version: int | None = None, now: datetime
) -> Programme:
    """Change a programme and every campaign that inherits from it; their conflicts are looked at once, together.

    Raises planning.EditedMeanwhile when somebody saved since ``expected_version``.
    """
    access.require(may_change(actor))
    current = Programme.objects.select_for_update().get(pk=programme.pk)
    if expected_version not in (None, current.version):
        raise planning.EditedMeanwhile(current, values)
    # Nothing of a campaign begins, or is moved, between what is said of it and what is done to it.
    holding.campaigns(current.campaigns.filter(status__in=PLANNED_STATUSES).values_list("pk", flat=True))
    expected = effects(current, values)
    changed = planning._assign(current, values, FIELDS)
    if not changed:
        return current
    _check(current)
    current.version += 1
    current.save()
    _record(current, "changed", changed, actor=actor, now=now)
    _hand_down(current, expected, actor=actor, now=now)
    return current


def _hand_down(programme: Programme, expected: Iterable[Change], *, actor: User, now: datetime) -> None:
    expected = list(expected)
    inheritance.keep(each.campaign for each in expected if each.keeps)
    Campaign.objects.filter(pk__in=[each.campaign.pk for each in expected if each.is_locked]).update(takes_dates=False)
    ids = sorted(each.campaign.pk for each in expected if not each.keeps and each.rows)
    rows = {each.campaign.pk: each.rows for each in expected}
    campaigns = list(
        Campaign.objects.filter(pk__in=ids).select_related("programme__offer", "offer", "department")
        .order_by("pk")
    )
    for campaign in campaigns:
        inheritance.take_days(campaign)
        campaign.version, campaign.updated_at = campaign.version + 1, now
    Campaign.objects.bulk_update(campaigns, ["starts_on", "ends_on", "version", "updated_at"])
    inheritance.hand_down(campaigns)
    for campaign in campaigns:
        audit.record(
            actor=actor, action="campaign.changed", subject=campaign, department=campaign.department_id, now=now,
            before={what: before for what, before, _after in rows[campaign.pk]},
            after={what: after for what, _before, after in rows[campaign.pk]} | {"programme": programme.pk},
        )
        approval.compare_with_signed(campaign, actor=actor, now=now)
    _tell(programme, campaigns, actor, now)
    passes.plan_changed(campaign_ids=ids, now=now)


def _tell(programme: Programme, campaigns: Iterable[Campaign], actor: User, now: datetime) -> None:
    others = {campaign.department_id for campaign in campaigns} - {actor.department_id}
    if others:
        notifications.notify_leads(
            departments=others, code="programme.changed", params={"who": actor, "programme": programme},
            text=gettext_noop("%(who)s changed %(programme)s, from which campaigns of yours inherit"),
            url=reverse("campaigns:programme", args=[programme.pk]), now=now,
        )
