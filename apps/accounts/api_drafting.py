"""How programs draft plans: POST makes, PATCH changes, by a token of one department, through the screens' own calls."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as Unfit
from django.db import models
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.clock import now
from apps.core.problems import ChangedMeanwhile, Refused, VersionNeeded

from . import api_repeats
from .api_access import Guarded
from .models import ApiToken, Role, User

KEY = OpenApiParameter(
    api_repeats.HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER,
    description="A name of your own for this request: sent again within a week it is not done again.",
)  # fmt: skip
MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER,
    description="The ETag that is changed; or give its number as version.",
)  # fmt: skip


def acting_for(request: Request, role: str = Role.MARKETER) -> User:
    """Whoever made the token, as a marketer of the token's department: so a program may draft there and sign nothing.
    Another ``role`` is for views whose own action was given to the token.

    Raises PermissionDenied in words.
    """
    token = request.auth
    if not isinstance(token, ApiToken) or token.department is None:
        raise PermissionDenied("Plans belong to a department. Have a token made for yours.")
    maker = User.objects.filter(pk=token.created_by_id or 0, is_active=True).first()
    if maker is None:
        raise PermissionDenied("Whoever made this token works here no more. Have a new one made.")
    maker.department, maker.role, maker.is_superuser = token.department, role, False
    maker.token = token  # type: ignore[attr-defined]  # named by the audit trail
    return maker


def in_words(problem: Unfit) -> serializers.ValidationError:
    """A refusal of the domain as one of the API, field by field where it names fields."""
    errors: Any = problem.message_dict if hasattr(problem, "error_dict") else {"non_field_errors": problem.messages}
    return serializers.ValidationError(errors)


class Drafting(Guarded):
    """Mixin of views with ``make`` and ``change``; the draft's fields are those of ``draft_class``, the answer the view's own.

    ``edited`` are the domain's exceptions for "somebody saved meanwhile", ``counter`` the field that counts changes, ``acts_as`` the
    role that the view's own action stands for.
    """

    draft_class: ClassVar[type[serializers.Serializer[Any]]]
    edited: ClassVar[tuple[type[Exception], ...]] = ()
    counter: ClassVar[str] = "version"
    acts_as: ClassVar[str] = Role.MARKETER
    http_method_names = ["get", "post", "patch", "head", "options"]

    def make(self, actor: User, values: dict[str, Any]) -> models.Model:
        """The new row, by the domain's own call."""
        raise NotImplementedError

    def change(self, actor: User, subject: Any, values: dict[str, Any], expected: int) -> models.Model:
        """The changed row, by the domain's own call."""
        raise NotImplementedError

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._answer(self.get_object(), 200)  # type: ignore[attr-defined]

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        def act() -> Response:
            actor = acting_for(request, self.acts_as)
            values = self._draft(request).validated_data
            values.pop(self.counter, None)
            try:
                return self._answer(self.make(actor, values), 201)
            except Unfit as problem:
                raise in_words(problem) from problem

        return api_repeats.once(request, act, now=now())

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        def act() -> Response:
            actor, subject = acting_for(request, self.acts_as), self.get_object()  # type: ignore[attr-defined]
            draft = self._draft(request, subject)
            expected, matching = self._expected(request, draft.validated_data)
            try:
                return self._answer(self.change(actor, subject, draft.validated_data, expected), 200)
            except Unfit as problem:
                raise in_words(problem) from problem
            except self.edited as problem:
                subject.refresh_from_db()
                members = {self.counter: getattr(subject, self.counter)}
                raise (ChangedMeanwhile if matching else Refused)(str(problem), **members) from problem

        return api_repeats.once(request, act, now=now())

    def _draft(self, request: Request, subject: Any = None) -> Any:
        draft = self.draft_class(subject, data=request.data, partial=subject is not None, context={"request": request})
        draft.is_valid(raise_exception=True)
        return draft

    def _expected(self, request: Request, values: dict[str, Any]) -> tuple[int, bool]:
        """The number of the state that is changed, and whether it came as If-Match."""
        number = values.pop(self.counter, None)
        match = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
        if match:
            return (int(match) if match.isdecimal() and len(match) < 10 else -1), True
        if number is None:
            raise VersionNeeded
        return number, False

    def _answer(self, subject: Any, status: int) -> Response:
        data = self.get_serializer_class()(subject, context=self.get_serializer_context()).data  # type: ignore[attr-defined]
        return Response(data, status=status, headers={"ETag": f'"{getattr(subject, self.counter)}"'})
