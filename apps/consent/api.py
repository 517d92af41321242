"""The API's view of consent: read the state, record a person's own yes or no."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import api_repeats
from apps.accounts.api_access import Guarded
from apps.accounts.api_drafting import KEY
from apps.channels.kinds import Channel
from apps.core.clock import now
from apps.core.paging import ById
from apps.customers.models import Customer

from . import ledger
from .models import ConsentAction, ConsentState, Purpose


class ConsentStateSerializer(serializers.ModelSerializer[ConsentState]):
    purpose: Any = serializers.SlugRelatedField(slug_field="code", read_only=True)

    class Meta:
        model = ConsentState
        fields = ("customer", "channel", "purpose", "granted", "at", "event")


class WishSerializer(serializers.Serializer[dict]):
    """A wish of a person, with the evidence for it."""

    customer = serializers.PrimaryKeyRelatedField(queryset=Customer.objects.living())
    channel = serializers.ChoiceField(choices=Channel.choices)
    purpose = serializers.SlugRelatedField(slug_field="code", queryset=Purpose.objects.filter(is_active=True))
    # A void takes an import back; only the undoing of that import writes one.
    action = serializers.ChoiceField(choices=[each for each in ConsentAction.choices if each[0] != ConsentAction.VOID])
    at = serializers.DateTimeField(help_text="When the person said so.")
    source: Any = serializers.CharField(max_length=80)
    method = serializers.CharField(max_length=40)
    by_person = serializers.BooleanField(help_text="True only if the person did it: form, reply, call.")
    address = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")
    evidence = serializers.DictField(required=False, default=dict)

    def validate_at(self, value: datetime) -> datetime:
        if value > now():
            raise serializers.ValidationError("This moment is still to come.")
        return value


class ConsentViewSet(Guarded, mixins.ListModelMixin, viewsets.GenericViewSet[ConsentState]):
    """What people allow. Filter: ``customer``. POST records a wish in the append-only ledger."""

    queryset = ConsentState.objects.select_related("purpose")
    serializer_class = ConsentStateSerializer
    pagination_class = ById
    read_action = "consent.read"
    write_action = "consent.write"

    def get_serializer_class(self) -> Any:
        return WishSerializer if self.request and self.request.method == "POST" else ConsentStateSerializer

    def get_queryset(self) -> QuerySet[ConsentState]:
        found = super().get_queryset()
        customer = self.request.query_params.get("customer", "")
        return found.filter(customer_id=int(customer)) if customer.isdecimal() else found

    @extend_schema(parameters=[KEY])
    def create(self, request: Request) -> Response:
        wish = WishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        moment = now()

        def act() -> Response:
            ledger.record(**wish.validated_data, recorded_at=moment)
            return Response({"recorded_at": moment}, status=201)

        return api_repeats.once(request, act, now=moment)
