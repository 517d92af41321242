"""Making, changing and copying the plan: campaigns and their messages.

Every change counts up a version, leaves an audit row, asks again for what was signed and tells the conflict passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from apps.accounts import access, audit
from apps.accounts.models import Department, User
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.money import currency_code

from . import approval, holding, inheritance, locking, partners, schedule
from .conflicts import passes
from .models import Campaign, CampaignStatus, Message, MessageKind

CAMPAIGN_FIELDS = (
    "name", "brief", "goal", "goal_metric", "goal_value", "product", "programme", "key_message", "offer", "owner", "starts_on",
    "ends_on", "takes_dates", "budget", "currency", "priority", "control_share",
)
MESSAGE_FIELDS = (
    "name", "position", "kind", "channel", "account", "purpose", "offer", "without_offer", "audience_rule", "timing", "send_at",
    "send_until", "recurrence", "recurs_until", "follows", "variants_share", "arms_attribute", "needs_fields", "priority", "region",
    "estimated_reach", "planned_cost",
)
MESSAGE_SETS = ("include", "exclude")
TIMES = ("timing", "send_at", "send_until", "recurrence", "recurs_until")
CLOSED = (CampaignStatus.DONE, CampaignStatus.CANCELLED)
# within this time the same request by the same person is the second click of a double click
DOUBLE_CLICK = timedelta(seconds=20)


class EditedMeanwhile(Exception):
    """Somebody saved after you opened the page. Nothing was written; both versions are here, field by field."""

    def __init__(self, current: models.Model, yours: Mapping[str, Any]) -> None:
        super().__init__(_("Somebody changed this while you were editing. Nothing of yours is lost."))
        self.current = current
        self.yours = dict(yours)
        self.theirs = {field: _value(current, field) for field in yours}
        self.version: int = current.version  # type: ignore[attr-defined]

    @property
    def differing(self) -> dict[str, tuple[Any, Any]]:
        """field -> (theirs, yours) where the two differ."""
        return {
            field: (self.theirs[field], yours)
            for field, yours in self.yours.items()
            if _plain(self.theirs[field]) != _plain(yours)
        }


def _value(subject: models.Model, field: str) -> Any:
    value = getattr(subject, field)
    return list(value.order_by("pk")) if field in MESSAGE_SETS else value


def _plain(value: Any) -> Any:
    """A value as it stands in audit rows: ids, codes, figures."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, (list, tuple, set, models.QuerySet)):
        return sorted((_plain(item) for item in value), key=str)
    if isinstance(value, (str, int, float, bool, dict)) or value is None:
        return value
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def _only_once(actor: User, what: str) -> None:
    """Let two equal requests of one person pass one after the other: the second one then sees the first one's row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"{what}:{actor.pk}"])


def _held(campaign_id: int) -> Campaign:
    if found := holding.campaigns([campaign_id]):
        return found[0]
    raise Campaign.DoesNotExist


def _require_editor(actor: User, campaign: Campaign) -> None:
    access.require(partners.may_edit(actor, campaign))


def _refuse_closed(campaign: Campaign) -> None:
    if campaign.status in CLOSED:
        raise ValidationError(
            _("This campaign is %(state)s; copy it to plan anew.") % {"state": campaign.get_status_display().lower()}
        )


def _check_campaign(campaign: Campaign) -> None:
    problems: dict[str, str] = {}
    if not (campaign.name or "").strip():
        problems["name"] = _("A campaign needs a name.")
    if campaign.ends_on < campaign.starts_on:
        problems["ends_on"] = _("The end is before the beginning.")
    try:
        campaign.currency = currency_code(campaign.currency)
    except ValueError as error:
        problems["currency"] = str(error)
    if not 0 <= campaign.control_share < 1:
        problems["control_share"] = _("The control group is a share from 0 to below 1.")
    if problems:
        raise ValidationError(problems)


def _after_change(campaign: Campaign, *, actor: User, now: datetime) -> None:
    """What follows on every change of the plan: the signature is compared, the conflict passes are told."""
    approval.compare_with_signed(campaign, actor=actor, now=now)
    passes.plan_changed(campaign_ids=[campaign.pk], now=now)


@transaction.atomic
def create_campaign(*, actor: User, department: Department, values: Mapping[str, Any], now: datetime) -> Campaign:
    """A new draft. A second click within seconds gets the campaign that the first one made."""
    access.require(access.can_edit(actor, department.pk))
    _only_once(actor, "campaign")
    twin = Campaign.objects.filter(
        owner=values.get("owner") or actor, department=department, name=values["name"], copied_from=None,
        starts_on=values["starts_on"], ends_on=values["ends_on"], created_at__gt=now - DOUBLE_CLICK,
    ).first()
    if twin:
        return twin
    campaign = Campaign(department=department, owner=actor, created_at=now, updated_at=now)
    _assign(campaign, values, CAMPAIGN_FIELDS)
    inheritance.take_days(campaign, values)
    _check_campaign(campaign)
    campaign.save()
    audit.record(
        actor=actor, action="campaign.created", subject=campaign, department=department,
        after={field: _plain(values[field]) for field in CAMPAIGN_FIELDS if field in values}, now=now,
    )
    passes.plan_changed(campaign_ids=[campaign.pk], now=now)
    return campaign


def _assign(subject: models.Model, values: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, tuple[Any, Any]]:
    """Set ``fields`` from ``values``; field -> (before, after) of what really changed."""
    changed = {}
    for field in fields:
        if field in values and _plain(getattr(subject, field)) != _plain(values[field]):
            changed[field] = (_plain(getattr(subject, field)), _plain(values[field]))
            setattr(subject, field, values[field])
    return changed


def _record_change(subject: Campaign | Message, changed: dict[str, tuple[Any, Any]], *, actor: User, now: datetime) -> None:
    campaign = subject if isinstance(subject, Campaign) else subject.campaign
    audit.record(
        actor=actor, action=f"{subject._meta.model_name}.changed", subject=subject, department=campaign.department,
        before={field: pair[0] for field, pair in changed.items()},
        after={field: pair[1] for field, pair in changed.items()}, now=now,
    )


@transaction.atomic
def change_campaign(
    *, actor: User, campaign: Campaign, values: Mapping[str, Any], expected_version: int, now: datetime
) -> Campaign:
    """Change a campaign's own fields. Raises EditedMeanwhile when somebody saved since ``expected_version``."""
    current = _held(campaign.pk)
    _require_editor(actor, current)
    _refuse_closed(current)
    if current.version != expected_version:
        raise EditedMeanwhile(current, values)
    changed = _assign(current, values, CAMPAIGN_FIELDS)
    if not changed:
        return current
    days = {name: getattr(current, name) for name in inheritance.DAYS}
    inheritance.take_days(current, values)
    locking.refuse(current, [name for name in days if name in changed or days[name] != getattr(current, name)])
    _check_campaign(current)
    current.version += 1
    current.updated_at = now
    current.save()
    if changed.keys() & {"programme", "offer"}:
        inheritance.hand_down([current])
    _record_change(current, changed, actor=actor, now=now)
    _after_change(current, actor=actor, now=now)
    return current


def touch(campaign: Campaign, *, actor: User, now: datetime) -> None:
    """Count a change of something that belongs to the campaign (a message, its content) as one of the campaign."""
    Campaign.objects.filter(pk=campaign.pk).update(version=models.F("version") + 1, updated_at=now)
    campaign.refresh_from_db(fields=["version", "updated_at", "status"])
    _after_change(campaign, actor=actor, now=now)


def _check_message(message: Message, *, moved: bool, now: datetime) -> None:
    problems = schedule.problems(message, now=now, zone=clock.company_zone())
    if moved and schedule.is_past(message, now=now):
        problems["send_at"] = _("That moment has already gone by. Choose a time in the future.")
    if not (message.name or "").strip():
        problems["name"] = _("A message needs a name.")
    if message.kind != MessageKind.UNADDRESSED and message.purpose is None:
        problems["purpose"] = _("Say why people are contacted: the purpose decides whose consent is needed.")
    if message.account and message.account.channel != message.channel:
        problems["account"] = _("This account sends over another channel.")
    if problem := _follows_problem(message):
        problems["follows"] = problem
    if any(not _is_weight(weight) for weight in message.variants_share.values()):
        problems["variants_share"] = _("Shares of versions are whole numbers, at least one above zero.")
    if problems:
        raise ValidationError(problems)


def only_account(message: Message) -> ChannelAccount | None:
    """The account of the channel when there is no choice; None for what Concord does not send itself."""
    if message.kind != MessageKind.ADDRESSED:
        return None
    found = list(ChannelAccount.objects.filter(channel=message.channel, is_active=True, is_elsewhere=False)[:2])
    return found[0] if len(found) == 1 else None


def _follows_problem(message: Message) -> str:
    """What is wrong with the message that this one comes after, in words; empty when nothing is."""
    before, seen = message.follows, {message.pk}
    if before is not None and before.campaign_id != message.campaign_id:
        return _("A message comes after another one of the same campaign.")
    while before is not None:
        if before.pk in seen:
            return _("These messages would come after each other in a ring.")
        seen.add(before.pk)
        before = before.follows
    return ""


def _is_weight(weight: Any) -> bool:
    return isinstance(weight, int) and not isinstance(weight, bool) and 0 <= weight <= 1000


@transaction.atomic
def add_message(*, actor: User, campaign: Campaign, values: Mapping[str, Any], now: datetime) -> Message:
    """A further message of a campaign. A second click within seconds gets the first one's message."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    _require_editor(actor, campaign)
    _refuse_closed(campaign)
    twin = campaign.messages.filter(
        name=values["name"], channel=values["channel"], send_at=values["send_at"], created_at__gt=now - DOUBLE_CLICK
    ).first()
    if twin:
        return twin
    message = Message(campaign=campaign, created_at=now, position=campaign.messages.count())
    _assign(message, values, MESSAGE_FIELDS)
    message.account = message.account or only_account(message)
    inheritance.take_offer(message, inheritance.offer_of(campaign))
    _check_message(message, moved=True, now=now)
    message.save()
    for name in MESSAGE_SETS:
        getattr(message, name).set(values.get(name, ()))
    audit.record(
        actor=actor, action="message.created", subject=message, department=campaign.department,
        after={field: _plain(value) for field, value in values.items()}, now=now,
    )
    touch(campaign, actor=actor, now=now)
    return message


def _own(message: Message, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without an offer that is named as none while the message has its campaign's: that is no change."""
    if message.offer_inherited and values.get("offer", message.offer) in (None, message.offer):
        return {name: value for name, value in values.items() if name != "offer"}
    return values


@transaction.atomic
def change_message(
    *, actor: User, message: Message, values: Mapping[str, Any], expected_version: int, now: datetime
) -> Message:
    """Change a message's own fields and its segments. Raises EditedMeanwhile as ``change_campaign`` does."""
    current = Message.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=message.pk)
    _require_editor(actor, current.campaign)
    _refuse_closed(current.campaign)
    if current.version != expected_version:
        raise EditedMeanwhile(current, values)
    changed = _assign(current, _own(current, values), MESSAGE_FIELDS)
    locking.refuse(current.campaign, [name for name in TIMES if name in changed])
    if changed.keys() & {"offer", "without_offer", "purpose"}:
        current.offer_inherited = current.offer_inherited and "offer" not in changed
        inheritance.take_offer(current, inheritance.offer_of(current.campaign))
    sets = {
        name: (_plain(getattr(current, name).all()), _plain(values[name]))
        for name in MESSAGE_SETS
        if name in values and _plain(getattr(current, name).all()) != _plain(values[name])
    }
    if not changed and not sets:
        return current
    _check_message(current, moved="send_at" in changed, now=now)
    current.version += 1
    current.save()
    for name in sets:
        getattr(current, name).set(values[name])
    _record_change(current, changed | sets, actor=actor, now=now)
    touch(current.campaign, actor=actor, now=now)
    return current


@transaction.atomic
def remove_message(*, actor: User, message: Message, now: datetime) -> None:
    """Take a message out of the plan, once. One that was already sent stays: its ledger belongs to it."""
    campaign = _held(message.campaign_id)
    _require_editor(actor, campaign)
    _refuse_closed(campaign)
    if not campaign.messages.filter(pk=message.pk).exists():
        return
    if message.runs.exists():
        raise ValidationError(_("This message has been sent; stop it instead of removing it."))
    audit.record(
        actor=actor, action="message.removed", subject=message, department=campaign.department,
        before={"name": message.name, "channel": message.channel}, now=now,
    )
    message.delete()
    touch(campaign, actor=actor, now=now)
