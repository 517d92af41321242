"""The demo's segments, offers and campaigns, made through the same functions that the screens call."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model

from apps.accounts.models import Department, User
from apps.campaigns import approval, inheritance, launch
from apps.campaigns.conflicts import days_off
from apps.campaigns.content import blocks
from apps.campaigns.models import Campaign, ContentVersion, Message, Offer, OfferPrice, Programme
from apps.campaigns.models.offers import OfferKind
from apps.campaigns.models.plan import CampaignStatus
from apps.channels.models import ChannelAccount
from apps.consent.models import Purpose
from apps.core.clock import company_zone
from apps.customers.models import Category, Segment

from .catalogue import price
from .copywriting import COPY, Words
from .places import COUNTRIES
from .plans import CAMPAIGNS, COLLEAGUES, OFFERS, PROGRAMMES, SEGMENTS, CampaignSpec, MessageSpec, OfferSpec

PAST = {CampaignStatus.DONE, CampaignStatus.CANCELLED}
SIGNED = {
    CampaignStatus.APPROVED, CampaignStatus.SCHEDULED, CampaignStatus.LIVE, CampaignStatus.PAUSED, CampaignStatus.DONE,
}
NEXT_HOUR = 15
# the plan has its own for the next two days
SOON = 3
SHOP = "https://shop.fjellfjord.example/"


@dataclass
class Cast:
    """Everything a campaign refers to, by the short names of ``plans``."""

    today: datetime
    departments: dict[str, Department]
    leads: dict[str, User]
    marketers: dict[str, User]
    purposes: dict[str, Purpose]
    accounts: dict[str, ChannelAccount]
    segments: dict[str, Segment] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    programmes: dict[str, Programme] = field(default_factory=dict)

    @classmethod
    def gather(cls, now: datetime, accounts: dict[str, ChannelAccount]) -> Cast:
        users = {user.email: user for user in get_user_model().objects.all()}
        by_role = {
            role: {department: users[email] for email, _n, held, department, _p in reversed(COLLEAGUES) if held == role}
            for role in ("lead", "marketer")
        }
        leads = by_role["lead"]
        return cls(
            today=_first_day(now.astimezone(company_zone())),
            departments={department.slug: department for department in Department.objects.all()},
            leads=leads,
            marketers={slug: by_role["marketer"].get(slug, users["admin@fjellfjord.example"]) for slug in leads},
            purposes={purpose.code: purpose for purpose in Purpose.objects.all()},
            accounts=accounts,
        )

    def moment(self, day: int, hour: int = 0) -> datetime:
        """The company's wall clock ``day`` days from today."""
        date = (self.today + timedelta(days=day)).date()
        return datetime.combine(date, time(hour), ZoneInfo(str(self.today.tzinfo)))


def _first_day(local: datetime) -> datetime:
    """Today, or tomorrow once the hour is over at which the demo's next messages are due."""
    return local + timedelta(days=1) if local.hour >= NEXT_HOUR else local


def build(cast: Cast, now: datetime) -> list[Campaign]:
    """Segments, offers and every campaign up to its state; past ones without their runs."""
    off, country = next_day_off(cast)
    for key, (name, department, rule) in SEGMENTS.items():
        if key == "club_abroad":
            rule = {"all": [{**rule["all"][0], "value": country}, *rule["all"][1:]]}
        cast.segments[key] = Segment.objects.create(
            name=name, rule=rule, department=cast.departments[department], owner=cast.marketers[department], created_at=now
        )
    for offer in OFFERS:
        cast.offers[offer.key] = _offer(offer, cast, now)
    for programme in PROGRAMMES:
        cast.programmes[programme.key] = Programme.objects.create(
            name=programme.name, key_message=programme.key_message, offer=cast.offers[programme.offer], budget=programme.budget,
            starts_on=cast.moment(programme.first).date(), ends_on=cast.moment(programme.last).date(), created_at=now,
        )
    return [_campaign(_on(spec, off) if spec.on_a_day_off else spec, cast, now) for spec in CAMPAIGNS]


def next_day_off(cast: Cast) -> tuple[int, str]:
    """The next public holiday of a country that the demo sells to: in how many days, and where."""
    for day in range(SOON, 366):
        for country in COUNTRIES:
            if days_off.name(country.code, cast.moment(day).date()):
                return day, country.code
    raise AssertionError("a year without a public holiday")


def _on(spec: CampaignSpec, day: int) -> CampaignSpec:
    """The same campaign, so many days later."""
    messages = tuple(replace(message, day=message.day + day) for message in spec.messages)
    return replace(spec, first=spec.first + day, last=spec.last + day, messages=messages)


def _offer(spec: OfferSpec, cast: Cast, now: datetime) -> Offer:
    offer = Offer.objects.create(
        name=spec.name, department=cast.departments[spec.department], kind=spec.kind, code=spec.code, claim=spec.claim,
        category=Category.objects.get(code=spec.category) if spec.category else None,
        value=None if spec.value is None else Decimal(spec.value),
        valid_from=cast.moment(spec.first), valid_until=cast.moment(spec.last, 23), created_at=now,
    )
    if spec.kind == OfferKind.PRICE:
        OfferPrice.objects.bulk_create(
            OfferPrice(
                offer=offer, country=country.code, currency=country.currency,
                amount=price(spec.value or 0, country.rate, country.currency),
            )
            for country in COUNTRIES
        )
    return offer


def _campaign(spec: CampaignSpec, cast: Cast, now: datetime) -> Campaign:
    # two days leave time for whatever `_advance` lets happen after it
    made = min(now - timedelta(days=2), cast.moment(spec.first - 21, 10))
    campaign = Campaign.objects.create(
        name=spec.name, brief=spec.goal, goal=spec.goal, goal_metric=spec.goal_metric, goal_value=Decimal(spec.goal_value),
        department=cast.departments[spec.department], owner=cast.marketers[spec.department],
        starts_on=cast.moment(spec.first).date(), ends_on=cast.moment(spec.last).date(),
        budget=None if spec.programme and not spec.budget else Decimal(spec.budget), programme=cast.programmes.get(spec.programme),
        takes_dates=spec.takes_dates, priority=spec.priority, control_share=spec.control, created_at=made, updated_at=made,
    )
    made_of = {message.name: _message(campaign, message, place, cast, made) for place, message in enumerate(spec.messages)}
    for message in spec.messages:
        if message.follows:
            Message.objects.filter(pk=made_of[message.name].pk).update(follows=made_of[message.follows])
    inheritance.hand_down([campaign])
    _advance(campaign, CampaignStatus(spec.status), cast, made)
    return campaign


def _message(campaign: Campaign, spec: MessageSpec, position: int, cast: Cast, made: datetime) -> Message:
    addressed = spec.kind == "addressed"
    account = cast.accounts["elsewhere"] if spec.kind == "elsewhere" else cast.accounts.get(spec.channel)
    message = Message.objects.create(
        campaign=campaign, name=spec.name, position=position, kind=spec.kind, channel=spec.channel, account=account,
        purpose=cast.purposes.get(spec.purpose) if spec.kind != "unaddressed" else None,
        offer=cast.offers.get(spec.offer), without_offer=campaign.programme is not None and not spec.offer,
        send_at=cast.moment(spec.day, spec.hour),
        send_until=None if spec.recurrence else cast.moment(spec.day + 2, spec.hour), recurrence=spec.recurrence,
        recurs_until=campaign.ends_on if spec.recurrence else None, variants_share=spec.variants,
        estimated_reach=spec.reach, region=spec.region, created_at=made,
        planned_cost=Decimal(2400) if spec.kind == "unaddressed" else None,
    )
    message.include.set(cast.segments[key] for key in spec.include)
    message.exclude.set(cast.segments[key] for key in spec.exclude)
    if addressed:
        ContentVersion.objects.bulk_create(
            _version(message, spec, language, variant, words, made)
            for variant in (spec.variants or {"A": 1})
            for language, words in COPY[spec.copy].items()
        )
    return message


def _version(
    message: Message, spec: MessageSpec, language: str, variant: str, words: Words, made: datetime
) -> ContentVersion:
    """Variant B swaps subject and heading: a small, honest test."""
    subject = words.heading if variant == "B" else words.subject
    version = ContentVersion(
        message=message, language=language, variant=variant, subject=subject, preheader=words.heading,
        is_fallback=language == "en", updated_at=made,
    )
    if spec.channel == "email":
        version.format, version.blocks = "blocks", _blocks(words)
    elif spec.channel == "sms":
        version.format, version.subject, version.body = "text", "", words.short
    else:
        version.format, version.body = "text", f"{words.heading}\n\n{words.text}"
    return version


def _blocks(words: Words) -> list[dict[str, Any]]:
    return blocks.cleaned([
        {"kind": "heading", "text": words.heading},
        {"kind": "text", "text": words.text},
        {"kind": "button", "label": words.button, "url": SHOP},
    ])


def _advance(campaign: Campaign, status: CampaignStatus, cast: Cast, made: datetime) -> None:
    """Walk the campaign to its state through the real approval, at plausible moments."""
    if status == CampaignStatus.DRAFT:
        return
    asked, owner = made + timedelta(hours=1), campaign.owner
    request = approval.submit(actor=owner, campaign=campaign, now=asked)
    if status in SIGNED:
        lead = cast.leads[campaign.department.slug]
        approval.approve(
            actor=lead, campaign=campaign, seen_digest=request.digest, valid_until=campaign.ends_on,
            now=asked + timedelta(hours=5),
        )
    if status in SIGNED - {CampaignStatus.APPROVED}:
        launch.schedule(actor=owner, campaign=campaign, now=asked + timedelta(hours=6))
    if status in {CampaignStatus.LIVE, CampaignStatus.DONE}:
        launch.go_live(campaign=campaign, now=cast.moment(0))
    if status == CampaignStatus.DONE:
        launch.finish(campaign=campaign, now=cast.moment(0))
    elif status == CampaignStatus.PAUSED:
        launch.pause(actor=owner, campaign=campaign, now=asked + timedelta(hours=8))
    elif status == CampaignStatus.CANCELLED:
        launch.cancel(actor=owner, campaign=campaign, now=asked + timedelta(days=1))
