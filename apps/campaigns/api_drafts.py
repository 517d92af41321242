"""What programs may say about a draft: campaigns, messages, words and offers, each field checked before the domain is called."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError as Unfit
from rest_framework import serializers

from apps.accounts.api_drafting import acting_for, in_words
from apps.accounts.models import Role, User
from apps.channels.models import ChannelAccount
from apps.consent.models import Purpose
from apps.customers import segments
from apps.customers.models import Category, Product, Segment

from . import offers
from .content import mjml
from .forms.widgets import day_in_reach
from .models import Campaign, ContentVersion, Message, Offer, OfferPrice, Programme

VERSION: dict[str, Any] = {"required": False, "min_value": 1, "write_only": True}


def in_reach(moment: date | datetime | None) -> None:
    """Refuses mistyped years, which cannot be moved or shown in a zone."""
    if moment is not None:
        try:
            day_in_reach(moment)
        except Unfit as problem:
            raise in_words(problem) from problem


class CampaignDraft(serializers.ModelSerializer[Campaign]):
    """A campaign of the token's department. Without ``owner`` it belongs to whoever made the token."""

    version = serializers.IntegerField(**VERSION)
    owner: Any = serializers.SlugRelatedField(slug_field="email", queryset=User.objects.filter(is_active=True), required=False)
    product: Any = serializers.SlugRelatedField(
        slug_field="sku", queryset=Product.objects.all(), required=False, allow_null=True
    )

    offer: Any = serializers.PrimaryKeyRelatedField(
        queryset=Offer.objects.filter(archived_at=None), required=False, allow_null=True
    )

    class Meta:
        model = Campaign
        fields = (
            "version", "name", "brief", "goal", "goal_metric", "goal_value", "product", "programme", "key_message", "offer", "owner",
            "starts_on", "ends_on", "takes_dates", "budget", "currency", "priority", "control_share",
        )
        extra_kwargs = {"starts_on": {"validators": [in_reach]}, "ends_on": {"validators": [in_reach]},
                        "priority": {"max_value": 100}}  # fmt: skip

    def validate_owner(self, owner: User) -> User:
        department = acting_for(self.context["request"]).department_id
        if owner.department_id != department or owner.role == Role.AGENT:
            raise serializers.ValidationError("The owner is a colleague of the token's department who plans.")
        return owner


class ProgrammeDraft(serializers.ModelSerializer[Programme]):
    """A programme. ``confirmed``: the campaigns that inherit from it may change with it."""

    version = serializers.IntegerField(**VERSION)
    confirmed = serializers.BooleanField(required=False, write_only=True)
    offer: Any = serializers.PrimaryKeyRelatedField(
        queryset=Offer.objects.filter(archived_at=None), required=False, allow_null=True
    )

    class Meta:
        model = Programme
        fields = ("version", "confirmed", "name", "key_message", "offer", "starts_on", "ends_on", "budget", "currency")
        extra_kwargs = {"starts_on": {"validators": [in_reach]}, "ends_on": {"validators": [in_reach]}}


class MessageDraft(serializers.ModelSerializer[Message]):
    """A message of a draft campaign. ``include`` and ``exclude`` are ids of segments, ``purpose`` is a code."""

    version = serializers.IntegerField(**VERSION)
    campaign: Any = serializers.PrimaryKeyRelatedField(queryset=Campaign.objects.all())
    purpose: Any = serializers.SlugRelatedField(
        slug_field="code", queryset=Purpose.objects.filter(is_active=True), required=False, allow_null=True
    )
    account: Any = serializers.PrimaryKeyRelatedField(
        queryset=ChannelAccount.objects.filter(is_active=True), required=False, allow_null=True
    )
    offer: Any = serializers.PrimaryKeyRelatedField(
        queryset=Offer.objects.filter(archived_at=None), required=False, allow_null=True
    )
    include: Any = serializers.PrimaryKeyRelatedField(
        queryset=Segment.objects.filter(archived_at=None).defer("people"), many=True, required=False
    )
    exclude: Any = serializers.PrimaryKeyRelatedField(
        queryset=Segment.objects.filter(archived_at=None).defer("people"), many=True, required=False
    )
    audience_rule = serializers.DictField(required=False)
    variants_share = serializers.DictField(child=serializers.IntegerField(min_value=0, max_value=1000), required=False)

    class Meta:
        model = Message
        fields = (
            "version", "campaign", "name", "kind", "channel", "account", "purpose", "offer", "without_offer", "include", "exclude",
            "audience_rule", "timing", "send_at", "send_until", "recurrence", "recurs_until", "variants_share",
            "arms_attribute", "needs_fields", "priority", "region", "estimated_reach", "planned_cost",
        )
        extra_kwargs = {name: {"validators": [in_reach]} for name in ("send_at", "send_until", "recurs_until")}

    def validate_campaign(self, campaign: Campaign) -> Campaign:
        if self.instance is not None and self.instance.campaign_id != campaign.pk:
            raise serializers.ValidationError("A message stays in its campaign.")
        return campaign

    def validate_audience_rule(self, rule: dict[str, Any]) -> dict[str, Any]:
        if rule and (found := segments.problems(rule)):
            raise serializers.ValidationError(found)
        return rule


class ContentDraft(serializers.ModelSerializer[ContentVersion]):
    """The words of a message in one language for one variant; texts are Liquid."""

    revision = serializers.IntegerField(**VERSION)
    message: Any = serializers.PrimaryKeyRelatedField(queryset=Message.objects.defer("plan_audience"))
    language = serializers.RegexField(r"^[a-z]{2,3}(-[a-z]{2,4})?$", max_length=8)
    variant = serializers.RegexField(r"^\w[\w -]{0,30}$", required=False, default="A")
    template = serializers.ChoiceField(choices=tuple(mjml.TEMPLATES), required=False)
    blocks = serializers.ListField(child=serializers.DictField(), required=False)

    class Meta:
        model = ContentVersion
        fields = (
            "revision", "message", "language", "variant", "format", "template", "subject", "preheader", "blocks", "body",
            "is_fallback",
        )
        validators: list[Any] = []  # the same version twice is answered in words by the view

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        moved = [name for name in ("message", "language", "variant")
                 if self.instance is not None and name in self.initial_data and getattr(self.instance, name) != attrs[name]]
        if moved:
            raise serializers.ValidationError({name: ["A version stays what it is a version of."] for name in moved})
        return attrs


class PriceDraft(serializers.ModelSerializer[OfferPrice]):
    """What an offer costs in one country (ISO 3166 alpha-2), in one currency (ISO 4217)."""

    country = serializers.RegexField(r"^[A-Z]{2}$")
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0)

    class Meta:
        model = OfferPrice
        fields = ("country", "amount", "currency")


class OfferDraft(serializers.ModelSerializer[Offer]):
    """An offer of the token's department, valid on whole days of the company's zone, the last one included."""

    version = serializers.IntegerField(**VERSION)
    product: Any = serializers.SlugRelatedField(
        slug_field="sku", queryset=Product.objects.all(), required=False, allow_null=True
    )
    category: Any = serializers.SlugRelatedField(
        slug_field="code", queryset=Category.objects.all(), required=False, allow_null=True
    )
    currency = serializers.RegexField(r"^([A-Z]{3})?$", required=False)
    first_day = serializers.DateField(validators=[in_reach])
    last_day = serializers.DateField(validators=[in_reach])
    prices = PriceDraft(many=True, required=False)

    class Meta:
        model = Offer
        fields = (
            "version", "name", "kind", "product", "category", "value", "currency", "code", "claim", "terms", "first_day",
            "last_day", "prices",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        whole = offers.as_drafted(self.instance) | attrs
        found = offers.contradictions(whole)
        countries = [price["country"] for price in whole["prices"]]
        if len(set(countries)) != len(countries):
            found["prices"] = "One price for each country."
        if found:
            raise serializers.ValidationError(found)
        return attrs | {name: whole[name] for name in ("first_day", "last_day", "prices")}
