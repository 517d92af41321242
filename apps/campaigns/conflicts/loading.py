"""Reads the plan out of the database, in a fixed number of queries however many campaigns there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, Q
from pyroaring import BitMap

from apps.core import clock

from .. import schedule
from ..models import Agreement, Blackout, Campaign, CampaignStatus, Message, Offer, OfferPrice, PlanVersion, StandIn
from ..models.plan import MessageKind
from . import circumstances, triggers, valued
from . import parameters as settings
from .parameters import Parameters
from .people import People
from .snapshot import (
    LASTING_CHANNELS,
    Plan,
    PlannedAgreement,
    PlannedBlackout,
    PlannedCampaign,
    PlannedMessage,
    PlannedOffer,
)

# Rows are read as tuples of just these: a model of a row with all its fields takes ten times as long to make.
OF_CAMPAIGN = (
    "pk", "department_id", "status", "starts_on", "ends_on", "priority", "control_share", "product_id", "programme_id", "name", "lock",
    "product__brand", "product__category__path",
)
OF_MESSAGE = (
    "pk", "campaign_id", "channel", "kind", "timing", "purpose_id", "purpose__purpose_class", "offer_id", "plan_count",
    "estimated_reach", "account_id", "follows_id", "priority", "audience_rule", "arms_attribute", "send_at", "send_until",
    "recurrence", "recurs_until",
)


def load(
    *, now: datetime, focus: Iterable[int] | None = None, with_people: bool = True, also: Iterable[int] = ()
) -> Plan:
    """The plan as it stands at ``now``: campaigns still planned (and those of ``also``), their messages and offers, blackouts."""
    parameters = settings.in_force()
    zone = clock.company_zone()
    rows = _campaigns(now, parameters, set(also))
    messages = _messages(rows, parameters, now, zone)
    campaigns = {
        row.pk: PlannedCampaign(
            id=row.pk, department_id=row.department_id, status=row.status,
            starts_on=row.starts_on, ends_on=row.ends_on, messages=tuple(messages.get(row.pk, ())),
            priority=row.priority, control_share=float(row.control_share), product_id=row.product_id,
            programme_id=row.programme_id, name=row.name, lock=row.lock,
            brand=row.product__brand or "", partners=frozenset(row.planned_with), path=row.product__category__path or "",
        )
        for row in rows
    }
    agreements = _agreements(now, campaigns, zone)
    return Plan(
        number=PlanVersion.objects.values_list("number", flat=True).first() or 0,
        now=now, zone=zone, parameters=parameters, campaigns=campaigns, blackouts=_blackouts(now, parameters),
        agreements=agreements, focus=None if focus is None else frozenset(focus),
        people=People(agreements=agreements, now=now) if with_people else None, circumstances=circumstances.load(),
        absent=triggers.absent(campaigns.values()),
    )


def _agreements(
    now: datetime, campaigns: Mapping[int, PlannedCampaign], zone: ZoneInfo
) -> tuple[PlannedAgreement, ...]:
    """What binds now. The keeping side's messages count also when that campaign is done: who got them is left out."""
    path = "keeping_campaign__messages"
    theirs = (
        ~Q(**{f"{path}__kind": MessageKind.UNADDRESSED}) & Q(**{f"{path}__is_stopped": False})
        & (Q(keeping_message=None) | Q(**{f"{path}__id": F("keeping_message_id")}))
        & ~Q(keeping_campaign__status=CampaignStatus.CANCELLED)
    )
    rows = Agreement.objects.in_force(clock.company_day(now)).select_related("resolution").order_by("pk")
    in_place = StandIn.objects.filter(agreement=OuterRef("pk")).order_by("pk")
    rows = rows.annotate(
        kept=ArrayAgg(f"{path}__id", filter=theirs, default=[]), in_place=ArraySubquery(in_place.values("message")),
        originals=ArraySubquery(in_place.values("original")),
    )
    return tuple(
        PlannedAgreement(
            yielding_campaign=row.yielding_campaign_id, keeping_campaign=row.keeping_campaign_id,
            yielding_message=row.yielding_message_id, keeping_message=row.keeping_message_id,
            keeping=frozenset(row.kept), since=row.since, sent=_sent(campaigns.get(row.yielding_campaign_id), row),
            until=_end_of(row.resolution.expires_on, zone), resolution_id=row.resolution_id,
            swapped=cast(BitMap | None, row.swapped), yielding=_yielding(campaigns.get(row.yielding_campaign_id), row),
            stand_ins=frozenset(zip(row.in_place, row.originals, strict=True)),
            late=partial(valued.late_swapped, row, now=now) if row.rates else None,
        )
        for row in rows
    )


def _sent(campaign: PlannedCampaign | None, row: Agreement) -> frozenset[int]:
    """Messages of the yielding side that had gone out before it agreed to yield."""
    return frozenset(
        message.id for message in (campaign.messages if campaign else ())
        if message.kind == MessageKind.ADDRESSED and row.yielding_message_id in (None, message.id)
        and message.windows and all(end <= row.since for _start, end in message.windows)
    )


def _yielding(campaign: PlannedCampaign | None, row: Agreement) -> frozenset[int]:
    """Messages of the yielding side: they leave people to the other one, and a split leaves people to them."""
    return frozenset(
        message.id for message in (campaign.messages if campaign else ())
        if not message.is_public and not message.is_safety and row.yielding_message_id in (None, message.id)
    )


def _end_of(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day + timedelta(days=1), time.min, zone) if day else None


def _campaigns(now: datetime, parameters: Parameters, also: set[int]) -> list[Any]:
    today = clock.company_day(now)
    planned = Campaign.objects.planned().between(
        today - timedelta(days=parameters.look_back_days), today + timedelta(days=parameters.look_ahead_days)
    )
    wanted = planned | Campaign.objects.filter(pk__in=also) if also else planned
    partners = Campaign.partners.through.objects.filter(campaign=OuterRef("pk")).values("department")
    return list(wanted.annotate(planned_with=ArraySubquery(partners)).values_list(*OF_CAMPAIGN, "planned_with", named=True))


def _messages(
    campaigns: list[Any], parameters: Parameters, now: datetime, zone: ZoneInfo
) -> dict[int, list[PlannedMessage]]:
    by_id = {campaign.pk: campaign for campaign in campaigns}
    first = now - timedelta(days=parameters.look_back_days)
    last = now + timedelta(days=parameters.look_ahead_days)
    planned: dict[int, list[PlannedMessage]] = defaultdict(list)
    rows = list(Message.objects.filter(campaign__in=by_id, is_stopped=False).values_list(*OF_MESSAGE, named=True))
    offers = planned_offers(row.offer_id for row in rows if row.offer_id)
    of_segments = triggers.of_segments(by_id)
    for row in rows:
        campaign = by_id[row.campaign_id]
        until = row.recurs_until or campaign.ends_on
        starts = schedule.moments(row.send_at, row.recurrence, until, first=first, last=last, zone=zone)
        planned[row.campaign_id].append(PlannedMessage(
            id=row.pk, campaign_id=row.campaign_id, channel=row.channel, kind=row.kind, timing=row.timing,
            purpose_class=row.purpose__purpose_class or "promotion",
            windows=tuple((start, _end(row, start)) for start in starts),
            is_recurring=bool(row.recurrence), offer=offers.get(row.offer_id or 0),
            count=row.plan_count, reach=row.estimated_reach, account_id=row.account_id, follows_id=row.follows_id,
            purpose_id=row.purpose_id,
            priority=campaign.priority if row.priority is None else row.priority,
            triggers=tuple(sorted(triggers.named(row.audience_rule) | of_segments.get(row.pk, set()))),
            is_test=bool(row.arms_attribute), until=None if row.recurrence else row.send_until,
        ))
    return planned


def _end(message: Any, start: datetime) -> datetime:
    """The end of the stretch: calls, stores, sites and adverts last; elsewhere ``send_until`` is only a deadline."""
    if message.channel in LASTING_CHANNELS and message.send_until and not message.recurrence:
        return max(start, message.send_until)
    return start


def planned_offers(ids: Iterable[int]) -> dict[int, PlannedOffer]:
    """Offers by id, also such as no message of the plan has any more, in two queries."""
    found = list(Offer.objects.filter(pk__in=set(ids)).select_related("category", "product__category"))
    prices: dict[int, dict[str, tuple]] = defaultdict(dict)
    for price in OfferPrice.objects.filter(offer__in=found):
        prices[price.offer_id][price.country] = (price.currency, price.amount)
    return {offer.pk: _offer(offer, prices[offer.pk]) for offer in found}


def _offer(offer: Offer, prices: dict[str, tuple]) -> PlannedOffer:
    category = offer.category or (offer.product.category if offer.product else None)
    return PlannedOffer(
        id=offer.pk, kind=offer.kind, value=offer.value, currency=offer.currency, claim=offer.claim,
        product_id=offer.product_id, category_id=offer.category_id, path=category.path if category else "", prices=prices,
        brand=offer.product.brand if offer.product else "",
        name=offer.name, goods=str(offer.product or offer.category or ""),
    )


def _blackouts(now: datetime, parameters: Parameters) -> tuple[PlannedBlackout, ...]:
    today = clock.company_day(now)
    rows = Blackout.objects.filter(
        is_active=True, ends_on__gte=today - timedelta(days=1),
        starts_on__lte=today + timedelta(days=parameters.look_ahead_days),
    )
    return tuple(
        PlannedBlackout(
            id=row.pk, starts_on=row.starts_on, ends_on=row.ends_on, channels=tuple(row.channels),
            countries=tuple(row.countries), department_id=row.department_id, includes_service=row.includes_service, name=row.name,
        )
        for row in rows
    )


def moved(campaign: PlannedCampaign, days: int, zone: ZoneInfo) -> PlannedCampaign:
    """The campaign as it would be ``days`` later (earlier when negative), every message at the same wall clock."""
    def move(moment: datetime) -> datetime:
        return schedule.same_clock(moment, days, zone)

    return replace(
        campaign,
        starts_on=campaign.starts_on + timedelta(days=days), ends_on=campaign.ends_on + timedelta(days=days),
        messages=tuple(
            replace(
                message, windows=tuple((move(start), move(end)) for start, end in message.windows),
                until=message.until and move(message.until),
            )
            for message in campaign.messages
        ),
    )
