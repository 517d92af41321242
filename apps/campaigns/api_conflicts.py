"""The API's view of conflicts: read them, measure their ways out, propose, sign, write a remark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as Unfit
from django.db import models
from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import api_repeats
from apps.accounts.api_access import Guarded
from apps.accounts.api_drafting import KEY, acting_for, in_words
from apps.accounts.models import Role, User
from apps.core.clock import now
from apps.core.http import number
from apps.core.paging import ById
from apps.core.problems import Refused

from . import partners
from .conflicts import agree, pairs, registry, resolve, talk
from .models import Conflict, Resolution
from .models.conflicts import ConflictState, Severity

LEVELS = {"info": Severity.INFO, "medium": Severity.MEDIUM, "high": Severity.HIGH, "block": Severity.BLOCK}
SCOPES = {"propose": "conflicts.propose", "sign": "conflicts.sign", "comment": "conflicts.comment"}
FILTERS = [
    OpenApiParameter("state", OpenApiTypes.STR, description="One state, or several separated by commas."),
    OpenApiParameter("severity", OpenApiTypes.STR, enum=list(LEVELS), description="This severity and above."),
    OpenApiParameter("rule", OpenApiTypes.STR, description="The code of a rule."),
    OpenApiParameter("department", OpenApiTypes.STR, description="Short name of a department on either side."),
    OpenApiParameter("campaign", OpenApiTypes.INT, description="Id of a campaign on either side."),
    OpenApiParameter("programme", OpenApiTypes.INT, description="Id of a programme of a campaign on either side."),
]


class ConflictSerializer(serializers.ModelSerializer[Conflict]):
    class Meta:
        model = Conflict
        fields = (
            "id", "rule", "first_campaign", "second_campaign", "first_message", "second_message", "severity", "people_count",
            "first_at", "facts", "state", "decide_by", "owner", "escalated_at", "found_at", "updated_at",
        )


class ResolutionSerializer(serializers.ModelSerializer[Resolution]):
    """A way out that was proposed. ``signed`` and ``missing`` are short names of departments."""

    way = serializers.SerializerMethodField()
    signed = serializers.SerializerMethodField()
    missing = serializers.SerializerMethodField()

    class Meta:
        model = Resolution
        fields = (
            "id", "conflict", "action", "way", "reason", "state", "proposed_at", "decided_at", "expires_on", "signed", "missing",
        )

    def get_way(self, row: Resolution) -> str:
        return str(row.parameters.get("key", ""))

    def get_signed(self, row: Resolution) -> list[str]:
        return sorted(each.department.slug for each in row.signatures.all() if each.agrees)

    def get_missing(self, row: Resolution) -> list[str]:
        answered = {each.department_id for each in row.signatures.all()}
        return sorted(each.slug for each in row.needs_departments.all() if each.pk not in answered)


class ProposalSerializer(serializers.Serializer[dict]):
    """``way`` is a key out of ``ways``; acceptance needs a reason and a last day."""

    way = serializers.CharField(max_length=60)
    reason = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    expires_on = serializers.DateField(required=False, allow_null=True, default=None)


class AnswerSerializer(serializers.Serializer[dict]):
    """A yes or no to one proposal, for the token's department."""

    resolution = serializers.IntegerField(min_value=1, max_value=2**62)
    agrees = serializers.BooleanField()
    note = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class RemarkSerializer(serializers.Serializer[dict]):
    """A remark; ``@name`` or ``@e-mail`` tells a colleague."""

    text = serializers.CharField(max_length=talk.LONGEST)


class ConflictViewSet(Guarded, viewsets.ReadOnlyModelViewSet[Conflict]):
    """What the rules found, and what is done about it. Both departments' signatures are needed as on the page."""

    queryset = Conflict.objects.defer("people_both")
    serializer_class = ConflictSerializer
    pagination_class = ById
    read_action = "campaigns.read"

    @property
    def write_action(self) -> str:  # type: ignore[override]
        """Each deed has an action of its own, so that a token may remark without signing."""
        return SCOPES.get(self.action or "", "")

    def get_queryset(self) -> QuerySet[Conflict]:
        found, asked = super().get_queryset(), self.request.query_params
        if states := [state for state in asked.get("state", "").split(",") if state]:
            found = found.filter(state__in=_known("state", states, ConflictState.values))
        if rule := asked.get("rule"):
            found = found.filter(rule__in=_known("rule", [rule], [each.code for each in registry.RULES]))
        if level := asked.get("severity"):
            found = found.filter(severity__gte=LEVELS[_known("severity", [level], LEVELS)[0]])
        if slug := asked.get("department"):
            found = found.filter(partners.of_slug(slug, "first_campaign__") | partners.of_slug(slug, "second_campaign__"))
        if campaign := asked.get("campaign"):
            wanted = number(campaign)
            found = found.filter(Q(first_campaign=wanted) | Q(second_campaign=wanted))
        if programme := asked.get("programme"):
            wanted = number(programme)
            found = found.filter(Q(first_campaign__programme=wanted) | Q(second_campaign__programme=wanted))
        return found

    @extend_schema(parameters=FILTERS)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    @action(detail=True)
    def ways(self, request: Request, pk: str = "") -> Response:
        """The ways out of the conflict, each measured now: people and expected orders lost, people still in both."""
        conflict = self.get_object()
        found = resolve.ways_out(conflict, now=now()) if conflict.state in agree.UNDECIDED else []
        return Response([{"way": way.key, "action": way.action, "campaign": way.campaign_id, **way.measured()} for way in found])

    @extend_schema(responses={200: ResolutionSerializer(many=True)})
    @action(detail=True)
    def resolutions(self, request: Request, pk: str = "") -> Response:
        """Everything that was ever proposed for the two campaigns, newest first."""
        return Response(_resolutions(pairs.resolutions(self.get_object())))

    @extend_schema(request=ProposalSerializer, responses={201: ResolutionSerializer}, parameters=[KEY])
    @action(detail=True, methods=["post"])
    def propose(self, request: Request, pk: str = "") -> Response:
        """Proposes a way out for the token's department; nothing is applied before people (or tokens that may) sign."""
        given = _valid(ProposalSerializer(data=request.data))
        actor = acting_for(request)
        return self._once(request, lambda: agree.propose(actor=actor, conflict=self.get_object(), now=now(), **given), 201)

    @extend_schema(request=AnswerSerializer, responses={200: ResolutionSerializer}, parameters=[KEY])
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str = "") -> Response:
        """Signs, or declines, for the token's department. Whoever made the token never answers their own proposal, and
        never signs for two departments.
        """
        given = _valid(AnswerSerializer(data=request.data))
        actor = acting_for(request, Role.LEAD)
        resolution = pairs.resolutions(self.get_object()).filter(pk=given["resolution"]).first()
        if resolution is None:
            raise ValidationError({"resolution": ["There is no such proposal for this conflict."]})
        _four_eyes(actor, resolution)
        return self._once(
            request, lambda: agree.sign(actor=actor, resolution=resolution, agrees=given["agrees"], note=given["note"], now=now()), 200
        )

    @extend_schema(request=RemarkSerializer, responses={201: OpenApiTypes.OBJECT}, parameters=[KEY])
    @action(detail=True, methods=["post"])
    def comment(self, request: Request, pk: str = "") -> Response:
        """Adds to the talk, in the name of whoever made the token."""
        given, actor = _valid(RemarkSerializer(data=request.data)), acting_for(request)

        def act() -> Response:
            remark = talk.comment(actor=actor, conflict=self.get_object(), text=given["text"], now=now())
            named = [user.email for user in remark.mentions.all()]
            return Response({"id": remark.pk, "text": remark.text, "at": remark.at, "named": named}, status=201)

        return api_repeats.once(request, act, now=now())

    def _once(self, request: Request, act: Callable[[], Resolution], status: int) -> Response:
        def answered() -> Response:
            try:
                return Response(_resolutions(Resolution.objects.filter(pk=act().pk))[0], status=status)
            except Unfit as problem:
                raise in_words(problem) from problem
            except agree.AlreadyDecided as problem:
                raise Refused(str(problem)) from problem

        return api_repeats.once(request, answered, now=now())


def _known(name: str, given: list[str], choices: Any) -> list[str]:
    if unknown := [value for value in given if value not in choices]:
        raise ValidationError({name: [f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(choices))}."]})
    return given


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _four_eyes(actor: User, resolution: Resolution) -> None:
    signed = resolution.signatures.filter(user=actor.pk).exclude(department=actor.department_id)
    if resolution.proposed_by_id == actor.pk or signed.exists():
        raise PermissionDenied("Four eyes: whoever made this token proposed this, or signed it for another department.")


def _resolutions(rows: models.QuerySet[Resolution]) -> Any:
    rows = rows.prefetch_related("signatures__department", "needs_departments")
    return ResolutionSerializer(rows, many=True).data
