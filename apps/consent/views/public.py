"""Pages for customers: no login, an opaque address, no cookie needed, nothing done by a GET."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.accounts import access
from apps.channels.kinds import Channel
from apps.core import clock
from apps.core.tokens import BadToken
from apps.customers.models import Customer, DataRequest

from .. import asking, choices, confirming, links, purposes, wishes
from ..models import Purpose

PUBLIC = "the address itself, sealed and sent to one person, says who it is"


@csrf_exempt
@never_cache
@access.public(PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Choose channels and topics; a POST saves and says what changed."""
    try:
        customer_id, run_id = links.open_preferences(token)
    except BadToken:
        return _not_valid(request)
    customer = choices.person_of(customer_id)
    if customer is None:
        return _gone(request)
    language = _language(request, customer)
    with translation.override(language):
        changes, saved = [], request.method == "POST"
        if saved:
            wanted = [] if "none" in request.POST else request.POST.getlist("wanted")
            now = clock.now()
            changes = choices.choose(customer=customer, wanted=wanted, language=language, now=now, run_id=run_id)
            chosen = request.POST.get("language", "")
            if chosen in dict(settings.LANGUAGES) and choices.set_language(customer=customer, language=chosen, now=now):
                language = chosen
                translation.activate(language)
        context = _person(customer, language) | {
            "topics": choices.topics_of(customer, language), "changes": changes, "saved": saved,
            "token": token, "asked": _open_request(customer),
        }  # fmt: skip
        return _private(render(request, "consent/preferences.html", context))


@csrf_exempt
@never_cache
@access.public(PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_data(request: HttpRequest, token: str) -> HttpResponse:
    """The person asks what is held of them: a POST makes the request, once, and says until when it is answered."""
    try:
        customer_id, _run_id = links.open_preferences(token)
    except BadToken:
        return _not_valid(request)
    customer = choices.person_of(customer_id)
    if customer is None:
        return _gone(request)
    language = _language(request, customer)
    with translation.override(language):
        if request.method == "POST":
            asking.ask(customer=customer, language=language, now=clock.now())
        context = _person(customer, language) | {
            "topics": choices.topics_of(customer, language), "token": token, "asked": _open_request(customer),
            "just_asked": request.method == "POST",
        }  # fmt: skip
        return _private(render(request, "consent/preferences.html", context))


def _open_request(customer: Customer) -> DataRequest | None:
    return DataRequest.objects.filter(customer=customer, answered_at=None).first()


@csrf_exempt
@never_cache
@access.public(PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8058: a POST unsubscribes and answers 200 without cookie or redirect; scanners' GETs only see a page."""
    try:
        asked = links.open_unsubscribe(token)
    except BadToken:
        return _not_valid(request)
    customer = choices.person_of(asked.customer_id)
    purpose = Purpose.objects.filter(pk=asked.purpose_id).first()
    # also of somebody whose data was erased; whoever was never here has nothing to take back
    if request.method == "POST" and Customer.objects.filter(pk=asked.customer_id).exists():
        _unsubscribe(asked, purpose)
    language = _language(request, customer)
    with translation.override(language):
        context = _person(customer, language) | {
            "done": request.method == "POST",
            "topic": purposes.name_of(purpose, language) if purpose else _("everything"),
            "channel": Channel(asked.channel).label if asked.channel in Channel.values else asked.channel,
            "choose": links.preference_url(customer.pk, asked.run_id) if customer else "",
        }
        return _private(render(request, "consent/unsubscribe.html", context))


def _unsubscribe(asked: links.Unsubscribe, purpose: Purpose | None) -> None:
    wishes.opt_out(
        customers=[asked.customer_id], channel=asked.channel, purposes=[purpose] if purpose else wishes.stoppable(),
        at=clock.now(), source="one-click unsubscribe", method="one click (RFC 8058)", run_id=asked.run_id or None,
    )  # fmt: skip


@csrf_exempt
@never_cache
@access.public(PUBLIC)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The second half of a double opt-in. Only the POST of its button confirms: scanners follow links."""
    try:
        asked = links.open_confirmation(token)
    except BadToken:
        return _not_valid(request)
    customer = choices.person_of(asked.customer_id)
    purpose = Purpose.objects.filter(pk=asked.purpose_id, is_active=True).first()
    if customer is None or purpose is None:
        return _gone(request)
    language = _language(request, customer)
    with translation.override(language):
        done = request.method == "POST"
        state = confirming.confirm(asked, purpose, now=clock.now()) if done else ""
        context = _person(customer, language) | {
            "done": done, "state": state, "topic": purposes.name_of(purpose, language),
            "wording": confirming.wording_of(asked), "choose": links.preference_url(customer.pk),
        }  # fmt: skip
        return _private(render(request, "consent/confirm.html", context))


def _person(customer: Customer | None, language: str) -> dict[str, Any]:
    return {"customer": customer, "page_language": language, "languages": settings.LANGUAGES}


def _language(request: HttpRequest, customer: Customer | None) -> str:
    """What the reader picked on this page, else what they are written to in, else what their browser asks for."""
    known = dict(settings.LANGUAGES)
    wanted = [request.GET.get("language", ""), customer.language if customer else "", request.LANGUAGE_CODE or ""]
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)


def _not_valid(request: HttpRequest) -> HttpResponse:
    title, text = _("This link is not complete"), _("Please open it again from the message, or copy all of it.")
    return _private(render(request, "consent/word.html", {"title": title, "text": text}, status=404))


def _gone(request: HttpRequest) -> HttpResponse:
    title, text = _("We hold nothing about you"), _("Your data was erased. We will not write to you.")
    return _private(render(request, "consent/word.html", {"title": title, "text": text}, status=200))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is a secret: it must not leak to where the page's links lead, nor into a search engine."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
