"""What a request asks for, and a page for the browser or the part of it that HTMX asked for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def number(text: str | None) -> int:
    """A number out of a form or an address, 0 for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0


def wants_partial(request: HttpRequest) -> bool:
    """True for an HTMX request that swaps a part of the page (not for a boosted link or restored history)."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any], partial: str | None = None, status: int = 200
) -> HttpResponse:
    """Renders `template`; an HTMX request gets only its `{% partialdef <partial> %}`. Caches keep the two apart."""
    name = f"{template}#{partial}" if partial and wants_partial(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
