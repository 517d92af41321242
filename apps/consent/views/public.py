"""Pages for customers: no login, an opaque address, no cookie needed, nothing done by a GET."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
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


def _page(open_token: Callable[[str], Any]) -> Callable[[Callable[..., HttpResponse]], access.View]:
    """A page behind a sealed address: never kept, in the reader's language; an address that does not open is said in words.

    The view is given what was sealed, the person (None once erased) and the language.
    """

    def wrap(view: Callable[..., HttpResponse]) -> access.View:
        @wraps(view)
        def opened(request: HttpRequest, token: str) -> HttpResponse:
            try:
                asked = open_token(token)
            except BadToken:
                return _private(_not_valid(request))
            customer = choices.person_of(asked.customer_id)
            language = _language(request, customer)
            with translation.override(language):
                return _private(view(request, asked, customer, language))

        guarded = access.public(PUBLIC)(require_http_methods(["GET", "HEAD", "POST"])(opened))
        return csrf_exempt(never_cache(guarded))

    return wrap


@_page(links.open_preferences)
def preferences(
    request: HttpRequest, asked: links.Preferences, customer: Customer | None, language: str
) -> HttpResponse:
    """Choose channels and topics; a POST saves and says what changed."""
    if customer is None:
        return _gone(request)
    changes: list[Any] = []
    if request.method == "POST":
        wanted = [] if "none" in request.POST else request.POST.getlist("wanted")
        now = clock.now()
        changes = choices.choose(customer=customer, wanted=wanted, language=language, now=now, run_id=asked.run_id)
        chosen = request.POST.get("language", "")
        if chosen in dict(settings.LANGUAGES) and choices.set_language(customer=customer, language=chosen, now=now):
            language = chosen
            translation.activate(language)
    return _preferences(request, customer, language, changes=changes, saved=request.method == "POST")


@_page(links.open_preferences)
def ask_for_data(
    request: HttpRequest, asked: links.Preferences, customer: Customer | None, language: str
) -> HttpResponse:
    """The person asks what is held of them: a POST makes the request, once, and says until when it is answered."""
    if customer is None:
        return _gone(request)
    if request.method == "POST":
        asking.ask(customer=customer, language=language, now=clock.now())
    return _preferences(request, customer, language, just_asked=request.method == "POST")


def _preferences(request: HttpRequest, customer: Customer, language: str, **done: Any) -> HttpResponse:
    context = _person(customer, language) | done | {
        "topics": choices.topics_of(customer, language),
        "asked": DataRequest.objects.filter(customer=customer, answered_at=None).first(),
        "token": request.resolver_match.kwargs["token"] if request.resolver_match else "",
    }  # fmt: skip
    return render(request, "consent/preferences.html", context)


@_page(links.open_unsubscribe)
def unsubscribe(
    request: HttpRequest, asked: links.Unsubscribe, customer: Customer | None, language: str
) -> HttpResponse:
    """RFC 8058: a POST unsubscribes and answers 200 without cookie or redirect; scanners' GETs only see a page."""
    purpose = Purpose.objects.filter(pk=asked.purpose_id).first()
    # also of somebody whose data was erased; whoever was never here has nothing to take back
    if request.method == "POST" and Customer.objects.filter(pk=asked.customer_id).exists():
        _unsubscribe(asked, purpose)
    context = _person(customer, language) | {
        "done": request.method == "POST",
        "topic": purposes.name_of(purpose, language) if purpose else _("everything"),
        "channel": Channel(asked.channel).label if asked.channel in Channel.values else asked.channel,
        "choose": links.preference_url(customer.pk, asked.run_id) if customer else "",
    }
    return render(request, "consent/unsubscribe.html", context)


def _unsubscribe(asked: links.Unsubscribe, purpose: Purpose | None) -> None:
    wishes.opt_out(
        customers=[asked.customer_id], channel=asked.channel, purposes=[purpose] if purpose else wishes.stoppable(),
        at=clock.now(), source="one-click unsubscribe", method="one click (RFC 8058)", run_id=asked.run_id or None,
    )  # fmt: skip


@_page(links.open_confirmation)
def confirm(request: HttpRequest, asked: links.Confirmation, customer: Customer | None, language: str) -> HttpResponse:
    """The second half of a double opt-in. Only the POST of its button confirms: scanners follow links."""
    purpose = Purpose.objects.filter(pk=asked.purpose_id, is_active=True).first()
    if customer is None or purpose is None:
        return _gone(request)
    done = request.method == "POST"
    state = confirming.confirm(asked, purpose, now=clock.now()) if done else ""
    context = _person(customer, language) | {
        "done": done, "state": state, "topic": purposes.name_of(purpose, language),
        "wording": confirming.wording_of(asked), "choose": links.preference_url(customer.pk),
    }  # fmt: skip
    return render(request, "consent/confirm.html", context)


def _person(customer: Customer | None, language: str) -> dict[str, Any]:
    return {"customer": customer, "page_language": language, "languages": settings.LANGUAGES}


def _language(request: HttpRequest, customer: Customer | None) -> str:
    """What the reader picked on this page, else what they are written to in, else what their browser asks for."""
    known = dict(settings.LANGUAGES)
    wanted = [request.GET.get("language", ""), customer.language if customer else "", request.LANGUAGE_CODE or ""]
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)


def _not_valid(request: HttpRequest) -> HttpResponse:
    title, text = _("This link is not complete"), _("Please open it again from the message, or copy all of it.")
    return render(request, "consent/word.html", {"title": title, "text": text}, status=404)


def _gone(request: HttpRequest) -> HttpResponse:
    title, text = _("We hold nothing about you"), _("Your data was erased. We will not write to you.")
    return render(request, "consent/word.html", {"title": title, "text": text}, status=200)


def _private(response: HttpResponse) -> HttpResponse:
    """The address is a secret: it must not leak to where the page's links lead, nor into a search engine."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
