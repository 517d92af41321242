"""Addresses that people and providers call: tracked links, the open pixel, webhooks."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access
from apps.channels import inbound, tracking
from apps.channels.adapters.base import AdapterError, RawEvent
from apps.channels.models import ChannelAccount, Link
from apps.core import clock
from apps.core.tokens import BadToken


class _AnyScheme(HttpResponseRedirect):
    """A redirect to a stored target, which may also be a mail or phone link."""

    allowed_schemes = ["http", "https", "mailto", "tel"]


def _visit(request: HttpRequest) -> tracking.Visit:
    said = " ".join(request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    prefetch = "prefetch" in said.lower() or "preview" in said.lower()
    return tracking.Visit(str(request.method), request.headers.get("User-Agent", ""), clock.now(), prefetch)


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    return response


@access.public("a link in a message works for whoever has it")
@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """Follows a tracked link to its stored target."""
    try:
        target = tracking.click(token, _visit(request), now=clock.now())
    except (BadToken, Link.DoesNotExist):
        raise Http404 from None
    return _uncached(_AnyScheme(target) if target else HttpResponse(status=204))


@access.public("the picture in a message that says it was opened")
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """The open pixel; a token that nobody made gets the same picture, so that no mail looks broken."""
    with suppress(BadToken):
        tracking.opened(token, _visit(request), now=clock.now())
    return _uncached(HttpResponse(tracking.PIXEL, content_type="image/gif"))


@csrf_exempt
@access.public("providers sign what they post; the signature is checked on the raw bytes")
@require_POST
def hook(request: HttpRequest, public_id: Any) -> HttpResponse:
    """Takes a provider's news for one account."""
    account = get_object_or_404(ChannelAccount, public_id=public_id, is_elsewhere=False)
    if int(request.headers.get("Content-Length") or 0) > inbound.MAX_BYTES:
        return HttpResponse("too large", status=413, content_type="text/plain")
    # the provider signed the address it was given; behind a proxy the request's own host is another one
    url = settings.PUBLIC_URL.rstrip("/") + request.get_full_path()
    raw = RawEvent(url, request.body, dict(request.headers), clock.now(), "POST")
    try:
        received = inbound.receive(account, raw, now=clock.now())
    except AdapterError as problem:
        return HttpResponse(problem.message, status=403, content_type="text/plain")
    return HttpResponse(received.body, content_type=received.content_type)
