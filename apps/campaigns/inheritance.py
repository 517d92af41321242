"""What a campaign has from its programme and what of its own: key message, offer, days and budget.

An own value goes before the programme's. Days and offers are copied to where everybody reads them (the campaign's days, the offer
of each promotion that names none), so that conflicts, checks, merge fields and signatures see the inherited value as any other.
A budget is inherited as the programme's one sum, not once for each campaign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.db.models import QuerySet

from apps.consent.models import PurposeClass

from .models import Campaign, Message, Offer

DAYS = ("starts_on", "ends_on")


@dataclass(frozen=True)
class Value:
    """One thing as it holds for a campaign, and whether it comes from the programme."""

    value: Any
    is_inherited: bool = False


@dataclass(frozen=True)
class Inherited:
    """All four of one campaign. ``currency`` is the budget's."""

    key_message: Value
    offer: Value
    days: Value
    budget: Value
    currency: str


def of(campaign: Campaign) -> Inherited:
    """What holds for the campaign."""
    programme = campaign.programme
    takes_budget = campaign.budget is None and programme is not None and programme.budget is not None
    return Inherited(
        _value(campaign.key_message, programme and programme.key_message), _value(campaign.offer, programme and programme.offer),
        Value((campaign.starts_on, campaign.ends_on), campaign.takes_dates and programme is not None),
        _value(campaign.budget, programme and programme.budget),
        programme.currency if programme and takes_budget else campaign.currency,
    )


def _value(own: Any, programmes: Any) -> Value:
    missing = own in (None, "")
    return Value(programmes if missing else own, missing and programmes not in (None, "", False))


def offer_of(campaign: Campaign) -> Offer | None:
    """The offer of its promotions that name none of their own."""
    return campaign.offer or (campaign.programme.offer if campaign.programme else None)


def take_days(campaign: Campaign, values: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Gives the campaign the programme's days where it takes them; days of its own in ``values`` end that, unless they say so."""
    if any(name in values for name in DAYS) and not values.get("takes_dates"):
        own = campaign.programme and any(getattr(campaign, name) != getattr(campaign.programme, name) for name in DAYS)
        campaign.takes_dates = campaign.takes_dates and not own
    if campaign.programme is None:
        campaign.takes_dates = False
    elif campaign.takes_dates:
        campaign.starts_on, campaign.ends_on = campaign.programme.starts_on, campaign.programme.ends_on


def inherits(message: Message) -> bool:
    """Whether the message has the offer of its campaign: promotion that names none of its own and may make one."""
    is_promotion = message.purpose is None or message.purpose.purpose_class == PurposeClass.PROMOTION
    return is_promotion and not message.without_offer and (message.offer_id is None or message.offer_inherited)


def take_offer(message: Message, offer: Offer | None) -> bool:
    """Gives the message its campaign's offer where it inherits; True when that changed it. Not saved."""
    before = (message.offer_id, message.offer_inherited)
    if inherits(message):
        message.offer, message.offer_inherited = offer, offer is not None
    elif message.offer_inherited or message.without_offer:
        message.offer, message.offer_inherited = None, False
    return before != (message.offer_id, message.offer_inherited)


def messages_of(campaigns: Iterable[Campaign]) -> QuerySet[Message]:
    """The messages to which an offer may be handed down, without their people."""
    return Message.objects.filter(campaign__in=list(campaigns)).select_related("purpose").defer("plan_audience").order_by("pk")


def hand_down(campaigns: Iterable[Campaign]) -> set[int]:
    """Gives the messages of these campaigns their offers, in two queries; ids of campaigns of which a message changed."""
    by_id = {campaign.pk: campaign for campaign in campaigns}
    changed = [message for message in messages_of(by_id.values()) if take_offer(message, offer_of(by_id[message.campaign_id]))]
    for message in changed:
        message.version += 1
    Message.objects.bulk_update(changed, ["offer", "offer_inherited", "version"])
    return {message.campaign_id for message in changed}


def keep(campaigns: Iterable[Campaign]) -> None:
    """Makes days and offers of these campaigns their own: what has begun stays as it is when the programme changes."""
    ids = [campaign.pk for campaign in campaigns]
    Campaign.objects.filter(pk__in=ids).update(takes_dates=False)
    Message.objects.filter(campaign__in=ids, offer_inherited=True).update(offer_inherited=False)
