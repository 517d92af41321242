"""One joint campaign of two: signed by both leads, it takes over the messages of both under a programme they share.

Messages move as they are, with their words, history and what other tools told of them. The two old campaigns are closed and name
the joint one; agreements with others go with the messages. The joint campaign is a draft: it has to be approved as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import Department, User
from apps.consent.models import PurposeClass

from . import inheritance
from .models import Agreement, Campaign, CampaignStatus, Message, MessageKind, Programme, Resolution, StandIn
from .models.approval import Approval, ApprovalState

OPEN = (CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED)


def problem(campaign_ids: Iterable[int], *, now: datetime) -> str:
    """Why these campaigns cannot become one, in words; empty when they can."""
    rows = list(Campaign.objects.filter(pk__in=list(campaign_ids)).order_by("pk"))
    for campaign in rows:
        if campaign.status not in OPEN:
            return _("“%(campaign)s” is %(state)s; only what has not begun can become one campaign.") % {
                "campaign": campaign.name, "state": campaign.get_status_display().lower()
            }
    messages = Message.objects.filter(campaign__in=rows).select_related("campaign").defer("plan_audience")
    begun = messages.filter(models.Q(runs__isnull=False) | models.Q(send_at__lte=now)).first()
    if begun is not None:
        return _("“%(campaign)s” has begun: “%(message)s” is out or due. Only what has not begun can become one campaign.") % {
            "campaign": begun.campaign.name, "message": begun.name
        }
    if messages.filter(purpose__purpose_class=PurposeClass.SAFETY).exists():
        return _("A safety notice stays a campaign of its own.")
    return ""


@transaction.atomic
def make(*, leading: Campaign, joining: Campaign, resolution: Resolution, actor: User, now: datetime) -> Campaign:
    """The joint campaign. The caller holds both campaigns and the plan. Raises ValidationError in words when one has begun."""
    if words := problem([leading.pk, joining.pk], now=now):
        raise ValidationError(words)
    parts = [leading, joining]
    made = _campaign(leading, joining, _programme(leading, joining, actor, now), now)
    made.save()
    made.partners.set(Department.objects.filter(
        models.Q(pk=joining.department_id) | models.Q(joint_campaigns__in=parts)
    ).exclude(pk=leading.department_id).distinct())
    sides = {part.pk: list(part.messages.order_by("send_at", "pk").values_list("pk", flat=True)) for part in parts}
    _rehome(made, sides)
    _take_over(made, parts, actor, now)
    _bind(made, sides[joining.pk], sides[leading.pk], resolution, now)
    for part in parts:
        _close(part, made, actor, now)
    audit.record(
        actor=actor, action="campaign.joined", subject=made, department=made.department_id, now=now,
        after={"of": [part.pk for part in parts], "resolution": resolution.pk, "programme": made.programme_id},
    )
    return made


def _programme(leading: Campaign, joining: Campaign, actor: User, now: datetime) -> Programme:
    """The one of either, the leading one's first; else a new one over the days and the money of both."""
    if known := leading.programme or joining.programme:
        return known
    budget = _sum(leading, joining)
    made = Programme.objects.create(
        name=_name(leading, joining), key_message=leading.key_message or joining.key_message, currency=leading.currency, budget=budget,
        offer=leading.offer if leading.offer_id == joining.offer_id else None, created_at=now,
        starts_on=min(leading.starts_on, joining.starts_on), ends_on=max(leading.ends_on, joining.ends_on),
    )
    audit.record(actor=actor, action="programme.created", subject=made, after={"name": made.name}, now=now)
    return made


def _name(leading: Campaign, joining: Campaign) -> str:
    return f"{leading.name[:58]} + {joining.name[:58]}"


def _sum(leading: Campaign, joining: Campaign) -> Any:
    """Both budgets where they are in one currency; the leading one's otherwise: the other stands in the brief."""
    if leading.currency != joining.currency:
        return leading.budget
    known = [part.budget for part in (leading, joining) if part.budget is not None]
    return sum(known) if known else None


def _campaign(leading: Campaign, joining: Campaign, programme: Programme, now: datetime) -> Campaign:
    is_new = not (leading.programme_id or joining.programme_id)
    same_goal = leading.goal_metric == joining.goal_metric
    goals = [part.goal_value for part in (leading, joining) if part.goal_value is not None]
    return Campaign(
        name=_name(leading, joining), department=leading.department, owner=leading.owner, programme=programme, created_at=now,
        updated_at=now, starts_on=min(leading.starts_on, joining.starts_on), ends_on=max(leading.ends_on, joining.ends_on),
        takes_dates=is_new or _has_days_of(programme, leading, joining),
        key_message="" if is_new else leading.key_message or joining.key_message,
        offer=leading.offer if not is_new and leading.offer_id == joining.offer_id else None,
        budget=None if is_new else _sum(leading, joining), currency=leading.currency,
        goal=" / ".join(filter(None, [leading.goal, joining.goal]))[:200], goal_metric=leading.goal_metric,
        goal_value=sum(goals) if goals and same_goal else leading.goal_value, product=leading.product or joining.product,
        priority=max(leading.priority, joining.priority), control_share=max(leading.control_share, joining.control_share),
        brief="\n\n".join(_told(part) for part in (leading, joining)), lock=leading.lock or joining.lock,
        lock_reason=leading.lock_reason or joining.lock_reason,
    )


def _has_days_of(programme: Programme, leading: Campaign, joining: Campaign) -> bool:
    """Whether a part follows the programme's days and both together fill them exactly."""
    first, last = min(leading.starts_on, joining.starts_on), max(leading.ends_on, joining.ends_on)
    return (leading.takes_dates or joining.takes_dates) and (first, last) == (programme.starts_on, programme.ends_on)


def _told(part: Campaign) -> str:
    """What a part said of itself, so that nothing of it is lost in the joint brief."""
    lines = [f"{part.name} ({part.department}, {part.owner})", part.brief]
    if part.key_message:
        lines.append(part.key_message)
    if part.budget is not None:
        lines.append(_("Budget: %(amount)s %(currency)s") % {"amount": part.budget, "currency": part.currency})
    if part.goal_value is not None:
        lines.append(_("Goal: %(value)s %(metric)s") % {"value": part.goal_value, "metric": part.get_goal_metric_display()})
    return "\n".join(filter(None, lines))


def _take_over(made: Campaign, parts: list[Campaign], actor: User, now: datetime) -> None:
    """Moves the messages. What each offers stays what it was, whatever the joint campaign would hand down."""
    offer = inheritance.offer_of(made)
    rows = list(Message.objects.filter(campaign__in=parts).select_related("purpose").defer("plan_audience").order_by("send_at", "pk"))
    for place, message in enumerate(rows):
        before, message.campaign, message.position = message.campaign_id, made, place
        message.version += 1
        if message.offer_inherited and (offer is None or message.offer_id != offer.pk):
            message.offer_inherited = False
        elif message.offer_id is None and offer is not None:
            message.without_offer = True
        audit.record(
            actor=actor, action="message.joined", subject=message, department=made.department_id,
            before={"campaign": before}, after={"campaign": made.pk}, now=now,
        )
    Message.objects.bulk_update(rows, ["campaign", "position", "version", "offer_inherited", "without_offer"])


def _rehome(made: Campaign, sides: dict[int, list[int]]) -> None:
    """What binds one of the parts with others binds the very messages that it bound, now in the joint campaign."""
    old = Agreement.objects.filter(ended_at=None).filter(models.Q(yielding_campaign__in=sides) | models.Q(keeping_campaign__in=sides))
    for agreement in old:
        if {agreement.yielding_campaign_id, agreement.keeping_campaign_id} <= set(sides):
            continue
        name = "yielding" if agreement.yielding_campaign_id in sides else "keeping"
        only = getattr(agreement, f"{name}_message_id")
        bound, first = [only] if only else sides[getattr(agreement, f"{name}_campaign_id")], agreement.pk
        for place, pk in enumerate(bound):
            setattr(agreement, f"{name}_campaign_id", made.pk)
            setattr(agreement, f"{name}_message_id", pk)
            if place:
                agreement.pk, agreement._state.adding = None, True
            agreement.save()
            if name == "yielding":
                StandIn.objects.filter(agreement=first, original=pk).update(agreement=agreement)


def _bind(made: Campaign, joining: list[int], leading: list[int], resolution: Resolution, now: datetime) -> None:
    """Within the joint campaign each message of the joining side leaves out whom those of the leading side reach."""
    addressed = Message.objects.filter(pk__in=joining, kind=MessageKind.ADDRESSED).values_list("pk", flat=True)
    kept = Message.objects.filter(pk__in=leading).exclude(kind=MessageKind.UNADDRESSED).values_list("pk", flat=True)
    Agreement.objects.bulk_create(
        Agreement(
            resolution=resolution, yielding_campaign=made, keeping_campaign=made, yielding_message_id=mine,
            keeping_message_id=theirs, since=now,
        )
        for mine in sorted(addressed) for theirs in sorted(kept)
    )


def _close(part: Campaign, made: Campaign, actor: User, now: datetime) -> None:
    before = part.status
    Approval.objects.filter(campaign=part, state__in=[ApprovalState.ASKED, ApprovalState.GIVEN]).update(state=ApprovalState.VOID)
    Campaign.objects.filter(pk=part.pk).update(
        status=CampaignStatus.CANCELLED, merged_into=made, version=models.F("version") + 1, updated_at=now
    )
    audit.record(
        actor=actor, action="campaign.merged", subject=part, department=part.department_id, before={"status": before},
        after={"status": CampaignStatus.CANCELLED, "into": made.pk}, now=now,
    )
