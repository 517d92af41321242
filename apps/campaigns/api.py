"""The API's view of campaigns, messages, conflicts and the ledger of deliveries."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination

from apps.accounts.api_access import Guarded, department_of
from apps.core.paging import ById

from .models import Campaign, Conflict, Delivery, Message


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    department: Any = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = Campaign
        fields = (
            "id", "name", "brief", "goal", "goal_metric", "goal_value", "department", "programme", "starts_on", "ends_on",
            "budget", "currency", "priority", "control_share", "status", "version", "updated_at",
        )


class CampaignViewSet(Guarded, viewsets.ReadOnlyModelViewSet[Campaign]):
    """Campaigns of all departments. Filters: ``status``, ``department``, ``from``, ``to`` (dates)."""

    queryset = Campaign.objects.select_related("department")
    serializer_class = CampaignSerializer
    pagination_class = ById
    read_action = "campaigns.read"

    def get_queryset(self) -> QuerySet[Campaign]:
        found, asked = super().get_queryset(), self.request.query_params
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
            "id", "campaign", "name", "kind", "channel", "account", "purpose", "offer", "include", "exclude", "timing",
            "send_at", "send_until", "recurrence", "recurs_until", "variants_share", "plan_count", "region",
            "estimated_reach",
        )


class MessageViewSet(Guarded, viewsets.ReadOnlyModelViewSet[Message]):
    """Planned messages. Filter: ``campaign``."""

    queryset = Message.objects.select_related("purpose").prefetch_related("include", "exclude").defer("plan_audience")
    serializer_class = MessageSerializer
    pagination_class = ById
    read_action = "campaigns.read"

    def get_queryset(self) -> QuerySet[Message]:
        found = super().get_queryset()
        campaign = self.request.query_params.get("campaign", "")
        return found.filter(campaign_id=int(campaign)) if campaign.isdecimal() else found


class ConflictSerializer(serializers.ModelSerializer[Conflict]):
    class Meta:
        model = Conflict
        fields = (
            "id", "rule", "first_campaign", "second_campaign", "first_message", "second_message", "severity", "people_count",
            "first_at", "facts", "state", "decide_by", "found_at", "updated_at",
        )


class ConflictViewSet(Guarded, viewsets.ReadOnlyModelViewSet[Conflict]):
    """What the rules found. Filters: ``state``, ``rule``."""

    queryset = Conflict.objects.defer("people_both")
    serializer_class = ConflictSerializer
    pagination_class = ById
    read_action = "campaigns.read"

    def get_queryset(self) -> QuerySet[Conflict]:
        found, asked = super().get_queryset(), self.request.query_params
        return found.filter(**{name: asked[name] for name in ("state", "rule") if asked.get(name)})


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
