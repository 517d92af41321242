"""The API's view of campaigns, messages, their words, offers, conflicts and the ledger of deliveries.

Programs draft, people sign: only drafts are changed here, and nothing is approved, scheduled or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.pagination import CursorPagination

from apps.accounts.api_access import Guarded, department_of
from apps.accounts.api_drafting import KEY, MATCH, Drafting
from apps.accounts.models import Role, User
from apps.core.clock import now
from apps.core.paging import ById
from apps.core.problems import Refused

from . import audiences, offers, planning, programmes
from .api_drafts import CampaignDraft, ContentDraft, MessageDraft, OfferDraft, PriceDraft, ProgrammeDraft
from .content import versions
from .models import Campaign, CampaignStatus, ContentVersion, Delivery, Message, Offer, Programme


def require_draft(campaign: Campaign, actor: User) -> None:
    """Locks the campaign. Programs change drafts of their own department: what people are deciding about, people change."""
    stored = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if stored.department_id != actor.department_id:
        raise PermissionDenied("This campaign belongs to another department.")
    if stored.status != CampaignStatus.DRAFT:
        raise Refused(f"This campaign is {stored.status}. Programs change drafts only.", campaign_status=stored.status)


def drafts(draft: Any, answer: Any) -> Any:
    """Describes POST and PATCH of a view to the API's readers."""
    return extend_schema_view(
        create=extend_schema(request=draft, responses={201: answer}, parameters=[KEY]),
        partial_update=extend_schema(request=draft, responses={200: answer}, parameters=[MATCH]),
    )


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    department: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    partners: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True, many=True)

    class Meta:
        model = Campaign
        fields = (
            "id", "name", "brief", "goal", "goal_metric", "goal_value", "product", "department", "partners", "programme",
            "key_message", "offer", "merged_into", "owner", "starts_on", "ends_on", "takes_dates", "budget",
            "currency", "priority", "control_share", "status", "version", "updated_at",
        )


@drafts(CampaignDraft, CampaignSerializer)
class CampaignViewSet(Drafting, viewsets.ReadOnlyModelViewSet[Campaign]):
    """Campaigns of all departments. Filters: ``status``, ``department``, ``programme``, ``from``, ``to`` (dates)."""

    queryset = Campaign.objects.select_related("department").prefetch_related("partners")
    serializer_class = CampaignSerializer
    pagination_class = ById
    read_action = "campaigns.read"
    write_action = "campaigns.write"
    draft_class = CampaignDraft
    edited = (planning.EditedMeanwhile,)

    def make(self, actor: User, values: dict[str, Any]) -> Campaign:
        assert actor.department is not None
        return planning.create_campaign(actor=actor, department=actor.department, values=values, now=now())

    def change(self, actor: User, subject: Campaign, values: dict[str, Any], expected: int) -> Campaign:
        require_draft(subject, actor)
        return planning.change_campaign(
            actor=actor, campaign=subject, values=values, expected_version=expected, now=now()
        )

    def get_queryset(self) -> QuerySet[Campaign]:
        asked = self.request.query_params
        found = narrowed(super().get_queryset(), asked, "programme")
        if status := asked.get("status"):
            found = found.filter(status=status)
        if department := asked.get("department"):
            found = found.filter(department__slug=department)
        period = Period(data={"first": asked.get("from"), "last": asked.get("to")})
        period.is_valid(raise_exception=True)
        if first := period.validated_data.get("first"):
            found = found.filter(ends_on__gte=first)
        if last := period.validated_data.get("last"):
            found = found.filter(starts_on__lte=last)
        return found


class Period(serializers.Serializer[dict]):
    """Two optional dates."""

    first = serializers.DateField(required=False, allow_null=True)
    last = serializers.DateField(required=False, allow_null=True)


class MessageSerializer(serializers.ModelSerializer[Message]):
    purpose: Any = serializers.SlugRelatedField(slug_field="code", read_only=True)

    class Meta:
        model = Message
        fields = (
            "id", "campaign", "name", "kind", "channel", "account", "purpose", "offer", "offer_inherited", "without_offer", "include",
            "exclude",
            "audience_rule", "timing", "send_at", "send_until", "recurrence", "recurs_until", "variants_share",
            "arms_attribute", "needs_fields", "priority", "region", "estimated_reach", "planned_cost", "plan_count",
            "plan_computed_at", "version",
        )


@drafts(MessageDraft, MessageSerializer)
class MessageViewSet(Drafting, viewsets.ReadOnlyModelViewSet[Message]):
    """Planned messages. Filter: ``campaign``. The audience is counted with every change of it."""

    queryset = Message.objects.select_related("purpose").prefetch_related("include", "exclude").defer("plan_audience")
    serializer_class = MessageSerializer
    pagination_class = ById
    read_action = "campaigns.read"
    write_action = "campaigns.write"
    draft_class = MessageDraft
    edited = (planning.EditedMeanwhile,)

    def get_queryset(self) -> QuerySet[Message]:
        return narrowed(super().get_queryset(), self.request.query_params, "campaign")

    def make(self, actor: User, values: dict[str, Any]) -> Message:
        campaign = values.pop("campaign")
        require_draft(campaign, actor)
        message = planning.add_message(actor=actor, campaign=campaign, values=values, now=now())
        audiences.refresh(message, now=now())
        return message

    def change(self, actor: User, subject: Message, values: dict[str, Any], expected: int) -> Message:
        require_draft(subject.campaign, actor)
        values.pop("campaign", None)
        message = planning.change_message(
            actor=actor, message=subject, values=values, expected_version=expected, now=now()
        )
        if values.keys() & {"include", "exclude", "audience_rule"}:
            audiences.refresh(message, now=now())
        return message


def narrowed(rows: QuerySet[Any], asked: Mapping[str, str], name: str) -> QuerySet[Any]:
    """The rows whose ``name`` is the id asked for; all when none is."""
    number = asked.get(name, "")
    return rows.filter(**{name: int(number)}) if number.isdecimal() and len(number) < 10 else rows


class ContentSerializer(serializers.ModelSerializer[ContentVersion]):
    class Meta:
        model = ContentVersion
        fields = (
            "id", "message", "language", "variant", "format", "template", "subject", "preheader", "blocks", "body",
            "is_fallback", "revision", "updated_at",
        )


@drafts(ContentDraft, ContentSerializer)
class ContentViewSet(Drafting, viewsets.ReadOnlyModelViewSet[ContentVersion]):
    """The words of messages, a version per language and variant. Filter: ``message``."""

    queryset = ContentVersion.objects.all()
    serializer_class = ContentSerializer
    pagination_class = ById
    read_action = "campaigns.read"
    write_action = "campaigns.write"
    draft_class = ContentDraft
    edited = (versions.SavedMeanwhile,)
    counter = "revision"

    def get_queryset(self) -> QuerySet[ContentVersion]:
        return narrowed(super().get_queryset(), self.request.query_params, "message")

    def make(self, actor: User, values: dict[str, Any]) -> ContentVersion:
        message, language, variant = values["message"], values["language"], values["variant"]
        require_draft(message.campaign, actor)
        if known := message.versions.filter(language=language, variant=variant).first():
            raise Refused("This version is there already; change it.", id=known.pk, revision=known.revision)
        made = versions.add(actor=actor, message=message, language=language, variant=variant, now=now())
        return self._said(actor, made, values, made.revision)

    def change(self, actor: User, subject: ContentVersion, values: dict[str, Any], expected: int) -> ContentVersion:
        require_draft(subject.message.campaign, actor)
        return self._said(actor, subject, values, expected)

    def _said(self, actor: User, version: ContentVersion, values: dict[str, Any], expected: int) -> ContentVersion:
        saved = versions.save(actor=actor, version=version, values=values, expected_revision=expected, now=now())
        if values.get("is_fallback") and not saved.is_fallback:
            versions.make_fallback(actor=actor, version=saved, now=now())
            saved.refresh_from_db()
        return saved


class OfferSerializer(serializers.ModelSerializer[Offer]):
    department: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    product: Any = serializers.SlugRelatedField(slug_field="sku", read_only=True)
    category: Any = serializers.SlugRelatedField(slug_field="code", read_only=True)
    prices = PriceDraft(many=True, read_only=True)

    class Meta:
        model = Offer
        fields = (
            "id", "name", "department", "kind", "product", "category", "value", "currency", "code", "claim", "terms",
            "valid_from", "valid_until", "prices", "version",
        )


@drafts(OfferDraft, OfferSerializer)
class OfferViewSet(Drafting, viewsets.ReadOnlyModelViewSet[Offer]):
    """Offers in use, with their prices per country. Those that a signed campaign makes are changed by people."""

    queryset = Offer.objects.filter(archived_at=None).select_related("department", "product", "category")
    serializer_class = OfferSerializer
    pagination_class = ById
    read_action = "campaigns.read"
    write_action = "campaigns.write"
    draft_class = OfferDraft
    edited = (planning.EditedMeanwhile,)

    def make(self, actor: User, values: dict[str, Any]) -> Offer:
        return self._saved(actor, None, values, None)

    def change(self, actor: User, subject: Offer, values: dict[str, Any], expected: int) -> Offer:
        used = Campaign.objects.planned().exclude(status=CampaignStatus.DRAFT).filter(messages__offer=subject)
        if subject.department_id == actor.department_id and used.exists():
            raise Refused("This offer is part of campaigns that are no drafts any more. People change it.")
        return self._saved(actor, subject, values, expected)

    def _saved(self, actor: User, offer: Offer | None, values: dict[str, Any], expected: int | None) -> Offer:
        department = offer.department if offer else actor.department
        assert department is not None
        saved = offers.save_offer(
            actor=actor, department=department, offer=offer, values=values, expected_version=expected,
            valid=offers.span(values["first_day"], values["last_day"]),
            prices={price["country"]: (price["amount"], price["currency"]) for price in values["prices"]}, now=now(),
        )  # fmt: skip
        return self.get_queryset().prefetch_related("prices").get(pk=saved.pk)


class ProgrammeSerializer(serializers.ModelSerializer[Programme]):
    campaigns: Any = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

    class Meta:
        model = Programme
        fields = ("id", "name", "key_message", "offer", "starts_on", "ends_on", "budget", "currency", "version", "campaigns")


@drafts(ProgrammeDraft, ProgrammeSerializer)
class ProgrammeViewSet(Drafting, viewsets.ReadOnlyModelViewSet[Programme]):
    """What departments do together. A change that reaches into campaigns is made when ``confirmed`` says that this is known; without
    it the answer (409) names them.
    """

    queryset = Programme.objects.prefetch_related("campaigns")
    serializer_class = ProgrammeSerializer
    pagination_class = ById
    read_action = "campaigns.read"
    write_action = "programmes.write"
    draft_class = ProgrammeDraft
    edited = (planning.EditedMeanwhile,)
    acts_as = Role.LEAD

    def make(self, actor: User, values: dict[str, Any]) -> Programme:
        values.pop("confirmed", None)
        return programmes.create(actor=actor, values=values, now=now())

    def change(self, actor: User, subject: Programme, values: dict[str, Any], expected: int) -> Programme:
        is_confirmed = values.pop("confirmed", False)
        current = Programme.objects.select_for_update().get(pk=subject.pk)
        reached = [effect.campaign.pk for effect in programmes.effects(current, values)]
        if reached and not is_confirmed and expected == current.version:
            raise Refused("This changes campaigns that inherit from the programme. Send it again with confirmed.", campaigns=reached)
        return programmes.change(actor=actor, programme=current, values=values, expected_version=expected, now=now())


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    class Meta:
        model = Delivery
        fields = (
            "run_id", "customer_id", "run_day", "outcome", "reason", "rule", "at", "message_id", "campaign_id",
            "department_id", "channel", "variant", "language", "provider_id", "code", "cost",
        )


class ByPerson(CursorPagination):
    """The ledger of one run in the order of the people."""

    ordering = "customer_id"
    page_size = 200
    page_size_query_param = "page_size"
    max_page_size = 2000


class DeliveryViewSet(Guarded, mixins.ListModelMixin, viewsets.GenericViewSet[Delivery]):
    """The ledger. One of ``run`` or ``customer`` must be given; ``outcome`` narrows."""

    queryset = Delivery.objects.all()
    serializer_class = DeliverySerializer
    pagination_class = ByPerson
    read_action = "deliveries.read"

    def get_queryset(self) -> QuerySet[Delivery]:
        found, asked = super().get_queryset(), self.request.query_params
        run, customer = asked.get("run", ""), asked.get("customer", "")
        if not (run.isdecimal() or customer.isdecimal()):
            if getattr(self, "swagger_fake_view", False):
                return found.none()
            raise ValidationError({"run": ["Give the run or the customer whose deliveries you want."]})
        if run.isdecimal():
            found = found.filter(run_id=int(run))
        if customer.isdecimal():
            found = found.filter(customer_id=int(customer))
        if (department := department_of(self.request)) is not None:
            found = found.filter(department_id=department)
        return found.filter(outcome=asked["outcome"]) if asked.get("outcome") else found
