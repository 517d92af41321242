"""Refuses at the door what no page could answer."""

from collections.abc import Callable
from urllib.parse import unquote

from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request

LONGEST_QUERY = 4000
# what PostgreSQL says of a text it cannot keep, or of a number
UNKEEPABLE = ("NUL (0x00)", "\\u0000", "out of range")
# what Python says of a number of thousands of digits
ENDLESS = "Exceeds the limit"


class ReadableMiddleware:
    """Answers 400 in words where the database or a number would break: NUL signs, endless queries.

    PostgreSQL keeps no NUL in a text, and Python reads no number of thousands of digits.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if len(query) > LONGEST_QUERY or "\0" in request.path or "\0" in unquote(query):
            return bad_request(request, BadRequest("unreadable address"))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A form that a view read by itself carried the NUL, into a text or into JSON, or a number nobody can count to."""
        if isinstance(error, DataError) and any(sign in str(error) for sign in UNKEEPABLE):
            return bad_request(request, error)
        if isinstance(error, ValueError) and ENDLESS in str(error):
            return bad_request(request, error)
        return None
