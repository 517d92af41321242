"""API errors as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

MEDIA_TYPE = "application/problem+json"


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: the same facts, as ``type, title, status, detail`` and per-field ``errors``."""
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
    else:
        body["detail"] = status.description
    response.data = body
    response.content_type = MEDIA_TYPE
    return response
