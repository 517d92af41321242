"""The API for tools of departments that still send elsewhere: contacts they made, and "may I, and reserve"."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from pyroaring import BitMap
from rest_framework import serializers, viewsets
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import api_repeats
from apps.accounts.api_access import Guarded
from apps.accounts.api_drafting import KEY
from apps.accounts.models import ApiToken, Department
from apps.consent.models import Purpose
from apps.core import tokens
from apps.core.clock import now
from apps.core.problems import Refused
from apps.customers import naming

from .elsewhere import catch_all, contacts, holds, permissions, told
from .models import Message

LONGEST = int(permissions.LONGEST_HOLD.total_seconds())
USUAL = int(permissions.USUAL_HOLD.total_seconds())


class NamedPersonSerializer(serializers.Serializer[dict]):
    """Who: ``id`` (ours), ``source`` with ``source_id``, ``email`` or ``phone``; exactly one of them."""

    id = serializers.IntegerField(required=False, min_value=1, max_value=naming.LARGEST_ID)
    source: Any = serializers.SlugField(max_length=40, required=False)
    source_id = serializers.CharField(max_length=120, required=False)
    email = serializers.CharField(max_length=320, required=False)
    phone = serializers.CharField(max_length=40, required=False)


class ContactSerializer(serializers.Serializer[dict]):
    """One contact that was made. ``id`` is your tool's own: the same id told again changes nothing."""

    id = serializers.CharField(max_length=120)
    person = NamedPersonSerializer()
    at = serializers.DateTimeField()
    message = serializers.IntegerField(required=False, min_value=1, max_value=naming.LARGEST_ID)
    channel = serializers.CharField(max_length=20, required=False)
    purpose = serializers.CharField(max_length=40, required=False)
    permission = serializers.CharField(max_length=200, required=False)


class ContactsSerializer(serializers.Serializer[dict]):
    """Up to 1,000 contacts."""

    contacts = serializers.ListField(child=ContactSerializer(), allow_empty=False, max_length=told.MOST)


class ToldSerializer(serializers.Serializer[dict]):
    id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["recorded", "known", "refused"])
    problem = serializers.CharField()


class ToldAllSerializer(serializers.Serializer[dict]):
    results = ToldSerializer(many=True)


class QuestionSerializer(serializers.Serializer[dict]):
    """Up to 1,000 people. Give a planned ``message``, or ``channel`` and ``purpose`` for a contact outside the plan.

    The place is held till ``hold_seconds`` from now, so ``at`` may not be later than that.
    """

    people = serializers.ListField(child=NamedPersonSerializer(), allow_empty=False, max_length=told.MOST)
    message = serializers.IntegerField(required=False, min_value=1, max_value=naming.LARGEST_ID)
    channel = serializers.CharField(max_length=20, required=False)
    purpose: Any = serializers.SlugRelatedField(
        slug_field="code", queryset=Purpose.objects.filter(is_active=True), required=False
    )
    at = serializers.DateTimeField(required=False)
    hold_seconds = serializers.IntegerField(required=False, default=USUAL, min_value=10, max_value=LONGEST)


class PermissionAnswerSerializer(serializers.Serializer[dict]):
    person = NamedPersonSerializer()
    customer = serializers.IntegerField(allow_null=True)
    answer = serializers.ChoiceField(choices=["allowed", "refused", "deferred"])
    reason = serializers.CharField()
    words = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)
    permission = serializers.CharField()


class PermissionAnswersSerializer(serializers.Serializer[dict]):
    message = serializers.IntegerField()
    results = PermissionAnswerSerializer(many=True)


def department_for(request: Request) -> Department:
    """The department of the token. Raises PermissionDenied in words."""
    token = request.auth
    if not isinstance(token, ApiToken) or token.department is None:
        raise PermissionDenied("Contacts belong to a department. Have a token made for yours.")
    return token.department


class ContactViewSet(Guarded, viewsets.ViewSet):
    """Contacts that your tool made. They count in every limit, in the calendar, in reports and in each person's history."""

    write_action = "contacts.write"

    @extend_schema(request=ContactsSerializer, responses={200: ToldAllSerializer}, parameters=[KEY])
    def create(self, request: Request) -> Response:
        """Tell up to 1,000 contacts at once; the answer says for each what became of it."""
        department = department_for(request)
        sent = ContactsSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        items = sent.validated_data["contacts"]
        moment = now()
        contacts.prepare(item["at"] for item in items if moment - told.OLDEST <= item["at"] <= moment + told.AHEAD)

        def act() -> Response:
            answers = told.tell(department=department, items=items, now=moment)
            return Response({"results": [asdict(answer) for answer in answers]})

        return api_repeats.once(request, act, now=moment)


class PermissionViewSet(Guarded, viewsets.ViewSet):
    """"May I, and reserve": ask before your tool contacts people. Whoever is allowed has a place till the hold ends."""

    write_action = "permissions.write"

    @extend_schema(request=QuestionSerializer, responses={200: PermissionAnswersSerializer}, parameters=[KEY])
    def create(self, request: Request) -> Response:
        """For each person: allowed (a place is held), refused (why), or deferred (till when). Confirm by telling the contact."""
        department = department_for(request)
        sent = QuestionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        moment = now()
        at, until = _moments(sent.validated_data, moment)
        contacts.prepare([at])

        def act() -> Response:
            message = _message(sent.validated_data, department, moment)
            try:
                results = _answers(sent.validated_data["people"], message, at, until, moment, _token(request))
            except permissions.NotApproved as problem:
                raise Refused(str(problem)) from problem
            return Response({"message": message.pk, "results": results})

        return api_repeats.once(request, act, now=moment)

    @extend_schema(
        responses={204: None},
        parameters=[OpenApiParameter("id", str, OpenApiParameter.PATH, description="The permission to give back.")],
    )
    def destroy(self, request: Request, pk: str = "") -> Response:
        """Give a place back. Giving it back twice is harmless."""
        department = department_for(request)
        try:
            holds.release(pk, department_id=department.pk, now=now())
        except tokens.BadToken as problem:
            raise NotFound("There is no such permission.") from problem
        return Response(status=204)


def _token(request: Request) -> ApiToken | None:
    return request.auth if isinstance(request.auth, ApiToken) else None


def _moments(asked: dict[str, Any], moment: datetime) -> tuple[datetime, datetime]:
    """When the contact is to be, and till when its place is held."""
    at, until = asked.get("at") or moment, moment + timedelta(seconds=asked["hold_seconds"])
    if at < moment - told.AHEAD:
        raise ValidationError({"at": ["This moment has gone by."]})
    if at > until:
        raise ValidationError({"at": ["The place must be held until then: give a longer hold_seconds, or ask later."]})
    return at, until


def _message(asked: dict[str, Any], department: Department, moment: datetime) -> Message:
    purpose: Purpose | None = asked.get("purpose")
    item = {name: asked[name] for name in ("message", "channel") if asked.get(name)}
    if purpose:
        item["purpose"] = purpose.code
    found = Message.objects.filter(pk=asked.get("message") or 0).select_related("campaign", "purpose", "account")
    try:
        message = told.message_of(
            item, department, {each.pk: each for each in found}, {purpose.code: purpose} if purpose else {}, None, moment
        )
    except catch_all.NobodyPlans as problem:
        raise Refused("This department has nobody who could own the contacts.") from problem
    except ValueError as problem:
        raise ValidationError({"message": [str(problem)]}) from problem
    if message.purpose is None:
        raise Refused("This message has no purpose yet, so nobody can be judged for it.")
    return message


def _answers(
    people: list[dict[str, Any]], message: Message, at: datetime, until: datetime, moment: datetime, token: ApiToken | None
) -> list[dict[str, Any]]:
    keys = [_key(person) for person in people]
    found = naming.find(key for key in keys if not isinstance(key, str))
    meant = [None if isinstance(key, str) else found.get(key) for key in keys]
    verdicts = permissions.ask(
        message=message, people=BitMap(pk for pk in meant if pk is not None), at=at, until=until, now=moment, token=token
    )
    seen: set[int] = set()
    results = []
    for person, key, customer_id in zip(people, keys, meant, strict=True):
        row: dict[str, Any] = {"person": person, "customer": customer_id, "until": None, "permission": ""}
        if customer_id is None:
            words = key if isinstance(key, str) else "Nobody, or more than one person, is known by this."
            row |= {"answer": "refused", "reason": "unknown_person", "words": words}
        elif customer_id in seen:
            row |= {"answer": "refused", "reason": "same_person", "words": "This person is in the same question already."}
        else:
            seen.add(customer_id)
            given = verdicts[customer_id]
            row |= {"answer": given.answer, "reason": given.reason, "words": given.words, "until": given.until,
                    "permission": given.permission}  # fmt: skip
        results.append(row)
    return results


def _key(person: dict[str, Any]) -> naming.Key | str:
    """The key of a person, or in words why there is none."""
    try:
        return naming.key_of(person)
    except naming.NotAName as problem:
        return str(problem)
