"""Calendars to subscribe to: the page to make and revoke them, and the feed itself."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import access
from apps.accounts.models import Department
from apps.channels.kinds import Channel
from apps.core import clock
from apps.core.http import number

from .. import feeds
from ..models import CalendarFeed, Programme

MOST = 30


@access.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """One's own feeds. A POST makes one and shows its address, this once."""
    user, made = access.current_user(request), ""
    mine = CalendarFeed.objects.filter(user=user, revoked_at=None).select_related("department", "programme", "user")
    if request.method == "POST":
        if mine.count() >= MOST:
            messages.error(request, _("You have %(n)s calendars. Revoke one first.") % {"n": MOST})
            return redirect("campaigns:feeds")
        made = _make(request)
    context = {
        "feeds": [(feed, feeds.title(feed)) for feed in mine], "made": made, "departments": Department.objects.all(),
        "webcal": f"webcal://{made.partition('://')[2]}" if made else "", "channels": Channel.choices,
        "programmes": Programme.objects.order_by("-starts_on", "name"),
    }
    response = render(request, "campaigns/calendar/feeds.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _make(request: HttpRequest) -> str:
    channel = request.POST.get("channel", "")
    _feed, secret = feeds.make(
        user=access.current_user(request), now=clock.now(), is_mine="mine" in request.POST,
        department=Department.objects.filter(slug=request.POST.get("department", "")).first(),
        programme=Programme.objects.filter(pk=number(request.POST.get("programme"))).first(),
        channel=channel if channel in Channel.values else "",
    )  # fmt: skip
    path = reverse("campaigns:feed", args=[secret])
    return (settings.PUBLIC_URL.rstrip("/") + path) if urlsplit(settings.PUBLIC_URL).netloc else request.build_absolute_uri(path)


@access.signed_in
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """From now on the address answers nobody."""
    user = access.current_user(request)
    feeds.revoke(get_object_or_404(CalendarFeed, pk=pk, user=user), actor=user, now=clock.now())
    messages.success(request, _("Revoked. Calendar programs get nothing from this address any more."))
    return redirect("campaigns:feeds")


@access.public("calendar programs cannot sign in: the secret in the address is the key, revocable by its maker")
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The calendar; 304 when the program has this state of it already, 429 when it asks too often."""
    now = clock.now()
    found = feeds.find(secret, now=now)
    if found is None:
        raise Http404(_("There is no such calendar, or it was revoked."))
    if feeds.is_too_often(found, now=now):
        return HttpResponse(status=429, headers={"Retry-After": "3600"})
    body = feeds.written(found, now=now)
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or etag in known or f"W/{etag}" in known:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="concord.ics"'
    response["ETag"], response["Cache-Control"] = etag, "private, max-age=300"
    response["X-Robots-Tag"], response["Referrer-Policy"] = "noindex", "no-referrer"
    return response
