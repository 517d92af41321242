"""API errors as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db import DataError, InterfaceError, OperationalError
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

MEDIA_TYPE = "application/problem+json"


class Refused(APIException):
    """The request fits no longer, or not yet, to how things stand (409). ``members`` stand beside the detail."""

    status_code = HTTPStatus.CONFLICT

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.members = members


class ChangedMeanwhile(Refused):
    """What ``If-Match`` named is not the present state any more (412, RFC 9110 13.1.1)."""

    status_code = HTTPStatus.PRECONDITION_FAILED


class VersionNeeded(APIException):
    """A change has to say which state it is a change of (428, RFC 6585)."""

    status_code = HTTPStatus.PRECONDITION_REQUIRED
    default_detail = "Say which version you change: its number as \"version\", or its ETag in If-Match."


class KeyUsedOtherwise(APIException):
    """An Idempotency-Key came back with another request (422)."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = "This Idempotency-Key was used for another request. Every new request needs a new key."


class OutOfReach(APIException):
    """The database does not answer (503)."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "Concord cannot reach its database. Nothing was done; send the same again in a while."


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: the same facts, as ``type, title, status, detail`` and per-field ``errors``."""
    if isinstance(error, (DataError, OverflowError)):
        error = ParseError("A value is out of reach: too large, too long, or not a text that can be kept.")
    elif isinstance(error, (OperationalError, InterfaceError)):
        error = OutOfReach()
    response = exception_handler(error, context)
    if response is None:
        return None
    status = HTTPStatus(response.status_code)
    body: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value}
    if isinstance(error, ValidationError):
        body["detail"] = "Some of what was sent cannot be used."
        body["errors"] = error.detail
    elif isinstance(error, APIException):
        body["detail"] = str(error.detail)
        body |= getattr(error, "members", {})
    else:
        body["detail"] = str(error) or status.description
    response.data = body
    response.content_type = MEDIA_TYPE
    return response
