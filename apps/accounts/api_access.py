"""Who may call the API: a bearer token with the action a view asks for, or a signed-in colleague from the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.core.clock import now

from .access import AccessRule
from .api_tokens import find
from .models import ApiToken

READING = ("GET", "HEAD", "OPTIONS")


class TokenUser:
    """Stands for a program: authenticated, no colleague, in its token's department."""

    is_authenticated = True
    is_active = True
    is_staff = False
    role = ""
    pk = None

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.department_id = token.department_id
        self.handles_personal_data = "people.read" in token.actions

    def __str__(self) -> str:
        return str(self.token)


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer concord_...`` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[TokenUser, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        token = find(words[1].decode("latin-1"), now=now()) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed("This token is unknown, revoked or has expired.")
        return TokenUser(token), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Concord"'


class HasAction(BasePermission):
    """The token holds ``view.read_action`` or ``view.write_action``; colleagues in the browser may read only."""

    message = "This token may not do that."

    def has_permission(self, request: Request, view: Any) -> bool:
        reading = request.method in READING
        action = getattr(view, "read_action" if reading else "write_action", None)
        if isinstance(request.auth, ApiToken):
            return action in request.auth.actions
        return bool(reading and request.user and request.user.is_authenticated)


def department_of(request: Request) -> int | None:
    """The department a token is scoped to; None for all departments and for colleagues."""
    return request.auth.department_id if isinstance(request.auth, ApiToken) else None


if TYPE_CHECKING:
    from rest_framework.views import APIView as View
else:  # importing it here would go in a circle: it reads the settings, which name this module
    View = object


class Guarded(View):
    """Mixin of every API view: behind ``HasAction``; each names its ``read_action`` and, if it writes, ``write_action``."""

    permission_classes = [HasAction]
    access_rule: ClassVar = AccessRule("token", reason="a token with the action, or a signed-in colleague for reading")
    read_action = ""
    write_action = ""
