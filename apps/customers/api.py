"""The API's view of customers, audiences and what customers did."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import api_repeats
from apps.accounts.access import can_edit, require
from apps.accounts.api_access import Guarded
from apps.accounts.api_drafting import KEY, MATCH, Drafting
from apps.accounts.masking import mask_email, mask_name, mask_phone, mask_text
from apps.accounts.models import User
from apps.core import clock
from apps.core.paging import ById
from apps.core.problems import Refused

from . import ingest, segments
from .models import ContactPoint, Customer, Interaction, Segment, Source
from .models.people import InteractionKind
from .models.segments import SegmentKind
from .segments import keeping


class ContactPointSerializer(serializers.ModelSerializer[ContactPoint]):
    class Meta:
        model = ContactPoint
        fields = ("kind", "value", "valid_from", "valid_to")

    def to_representation(self, instance: ContactPoint) -> dict[str, Any]:
        data = super().to_representation(instance)
        mask = {"email": mask_email, "phone": mask_phone}.get(instance.kind, mask_text)
        data["value"] = mask(self.context["request"].user, instance.value)
        return data


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    contact_points = ContactPointSerializer(many=True, read_only=True)

    class Meta:
        model = Customer
        fields = (
            "id",
            "name",
            "language",
            "country",
            "city",
            "time_zone",
            "attributes",
            "customer_since",
            "created_at",
            "merged_into",
            "contact_points",
        )

    def to_representation(self, instance: Customer) -> dict[str, Any]:
        data = super().to_representation(instance)
        data["name"] = mask_name(self.context["request"].user, instance.name)
        return data


class CustomerViewSet(Guarded, viewsets.ReadOnlyModelViewSet[Customer]):
    """Customers. Filters: ``email``, ``phone`` (normalised), ``source`` with ``source_id``, ``country``."""

    queryset = Customer.objects.living().prefetch_related("contact_points")
    serializer_class = CustomerSerializer
    pagination_class = ById
    read_action = "customers.read"

    def get_queryset(self) -> QuerySet[Customer]:
        people, asked = super().get_queryset(), self.request.query_params
        for kind in ("email", "phone"):
            if value := asked.get(kind):
                people = people.filter(contact_points__kind=kind, contact_points__value=value)
        if "source" in asked and "source_id" in asked:
            people = people.filter(
                source_records__source__code=asked["source"], source_records__external_id=asked["source_id"]
            )
        if country := asked.get("country"):
            people = people.filter(country=country)
        return people.distinct() if "email" in asked or "phone" in asked else people


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    class Meta:
        model = Segment
        fields = ("id", "name", "description", "kind", "rule", "department", "count", "computed_at", "version")


class SegmentDraft(serializers.ModelSerializer[Segment]):
    """An audience by rule: ``{"all": [...]}``, ``{"any": [...]}``, ``{"not": {...}}`` or a leaf ``{"is": "<criterion>"}``."""

    version = serializers.IntegerField(required=False, min_value=1, write_only=True)
    rule = serializers.DictField()

    class Meta:
        model = Segment
        fields = ("version", "name", "description", "rule")

    def validate_rule(self, rule: dict[str, Any]) -> dict[str, Any]:
        if found := segments.problems(rule, self.instance.pk if self.instance else None):
            raise serializers.ValidationError(found)
        return rule


@extend_schema_view(
    create=extend_schema(request=SegmentDraft, responses={201: SegmentSerializer}, parameters=[KEY]),
    partial_update=extend_schema(request=SegmentDraft, responses={200: SegmentSerializer}, parameters=[MATCH]),
)
class SegmentViewSet(Drafting, viewsets.ReadOnlyModelViewSet[Segment]):
    """Audiences with their rules and counts, without the people in them."""

    queryset = Segment.objects.filter(archived_at=None).defer("people", "previous_people")
    serializer_class = SegmentSerializer
    pagination_class = ById
    read_action = "segments.read"
    write_action = "segments.write"
    draft_class = SegmentDraft
    edited = (keeping.EditedMeanwhile,)

    def make(self, actor: User, values: dict[str, Any]) -> Segment:
        return self._saved(actor, Segment(), values, 0)

    def change(self, actor: User, subject: Segment, values: dict[str, Any], expected: int) -> Segment:
        require(can_edit(actor, subject.department_id), "This audience belongs to another department.")
        if subject.kind != SegmentKind.RULE:
            raise Refused("This audience is a fixed list; only audiences by rule are changed here.")
        return self._saved(actor, subject, values, expected)

    def _saved(self, actor: User, segment: Segment, values: dict[str, Any], expected: int) -> Segment:
        said = {name: values.get(name, getattr(segment, name)) for name in ("name", "description", "rule")}
        return keeping.save(segment=segment, **said, expected_version=expected, actor=actor, now=clock.now())


class InteractionSerializer(serializers.ModelSerializer[Interaction]):
    source: Any = serializers.SlugRelatedField(slug_field="code", read_only=True)
    sku = serializers.CharField(source="product.sku", read_only=True, default=None)

    class Meta:
        model = Interaction
        fields = (
            "id",
            "customer",
            "source",
            "external_id",
            "kind",
            "channel",
            "at",
            "value",
            "currency",
            "sku",
            "quantity",
            "detail",
        )


class PersonSerializer(serializers.Serializer[dict]):
    """Who did it: exactly one of these."""

    source_id = serializers.CharField(max_length=120, required=False)
    email = serializers.CharField(max_length=320, required=False)
    phone = serializers.CharField(max_length=40, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name the person by exactly one of source_id, email or phone.")
        return attrs


class ToldInteractionSerializer(serializers.Serializer[dict]):
    """One interaction; ``id`` is the source's own and the idempotency key."""

    id = serializers.CharField(max_length=120)
    person = PersonSerializer()
    kind = serializers.ChoiceField(choices=InteractionKind.choices)
    channel = serializers.CharField(max_length=20, required=False, allow_blank=True)
    at = serializers.DateTimeField()
    value = serializers.DecimalField(max_digits=14, decimal_places=2, required=False, allow_null=True)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False)
    sku = serializers.CharField(max_length=60, required=False, allow_blank=True)
    quantity = serializers.IntegerField(required=False, min_value=-(2**31), max_value=2**31 - 1)
    detail = serializers.DictField(required=False)


class BatchSerializer(serializers.Serializer[dict]):
    """Up to 1,000 interactions of one source."""

    source = serializers.SlugRelatedField(slug_field="code", queryset=Source.objects.all())  # type: ignore[assignment]
    interactions = serializers.ListField(child=ToldInteractionSerializer(), allow_empty=False, max_length=ingest.MOST)


class InteractionViewSet(
    Guarded, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Interaction]
):
    """What customers did. Filters: ``customer``, ``kind``."""

    queryset = Interaction.objects.select_related("source", "product")
    serializer_class = InteractionSerializer
    pagination_class = ById
    read_action = "customers.read"
    write_action = "interactions.write"

    @extend_schema(request=BatchSerializer, responses={200: OpenApiTypes.OBJECT}, parameters=[KEY])
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        """Tell many at once. Sending the same again is harmless; the answer says for each what became of it."""
        sent = BatchSerializer(data=request.data)
        sent.is_valid(raise_exception=True)

        def act() -> Response:
            told = ingest.record(
                source=sent.validated_data["source"], items=sent.validated_data["interactions"], now=clock.now()
            )
            return Response({"results": [asdict(answer) for answer in told]})

        return api_repeats.once(request, act, now=clock.now())

    def get_queryset(self) -> QuerySet[Interaction]:
        happened, asked = super().get_queryset(), self.request.query_params
        if asked.get("customer", "").isdecimal():
            happened = happened.filter(customer_id=int(asked["customer"]))
        if kind := asked.get("kind"):
            happened = happened.filter(kind=kind)
        return happened
