"""Consent for colleagues: figures, evidence, wordings, the do-not-contact list, a wish written down."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access, audit, masking
from apps.channels.kinds import Channel
from apps.core import clock
from apps.customers.models import Customer

from .. import choices, confirming, overview, purposes, suppression
from ..forms import SuppressionForm
from ..models import Purpose, Suppression, SuppressionReason
from ..panel import WishForm

PAGE = 50
PLANNERS = ("marketer", "lead", "administrator")


@access.signed_in
@require_safe
def consent_page(request: HttpRequest) -> HttpResponse:
    """Purposes by channels as people, recent evidence, wordings, the do-not-contact list."""
    now = clock.now()
    user = request.user
    evidence = overview.recent(now)
    page = Paginator(overview.entries(), PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": overview.grid(), "columns": overview.COLUMNS, "wordings": overview.wordings(),
        "evidence": [(line, masking.mask_name(user, str(line.customer))) for line in evidence],
        "page": page, "own_words": suppression.OWN_WORDS,
        "entries": [(entry, masking.mask_name(user, str(entry.customer)) if entry.customer else "") for entry in page],
        "form": SuppressionForm(), "may_list": _may_list(request), "on_list": page.paginator.count,
    }  # fmt: skip
    return render(request, "consent/overview.html", context)


@access.signed_in
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """The people behind one figure; names by role, and the look is logged."""
    purpose = get_object_or_404(Purpose, code=request.GET.get("purpose", ""))
    channel = request.GET.get("channel", "")
    if channel not in Channel.values:
        raise Http404
    granted = request.GET.get("said") == "yes"
    page = Paginator(overview.people_who(purpose, channel, granted), PAGE).get_page(request.GET.get("page"))
    user = access.current_user(request)
    audit.opened_people(actor=user, subject=purpose, count=len(page), where="consent", now=clock.now())
    shown = [(person, masking.mask_name(user, str(person)), masking.mask_text(user, person.city)) for person in page]
    context = {
        "page": page, "shown": shown, "purpose": purposes.name_of(purpose), "granted": granted,
        "channel": Channel(channel).label,
    }  # fmt: skip
    return render(request, "consent/people.html", context)


@access.role(*PLANNERS)
@require_POST
def add_to_list(request: HttpRequest) -> HttpResponse:
    """Puts an address on the do-not-contact list."""
    access.require(_may_list(request))
    form = SuppressionForm(request.POST)
    if form.is_valid():
        suppression.suppress(
            reason=SuppressionReason.MANUAL, address=form.cleaned_data["address"], channel=form.cleaned_data["channel"],
            note=form.cleaned_data["note"], actor=access.current_user(request), now=clock.now(),
        )  # fmt: skip
        messages.success(request, _("It is on the list and holds from this moment, whoever has this address."))
    else:
        for errors in form.errors.values():
            messages.error(request, " ".join(str(error) for error in errors))
    return redirect("consent:overview")


@access.role(*PLANNERS)
@require_POST
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes an entry off the list again, unless the person asked for it."""
    access.require(_may_list(request))
    entry = get_object_or_404(Suppression, pk=pk)
    try:
        suppression.lift(suppression=entry, actor=access.current_user(request), now=clock.now())
        messages.success(request, _("It is off the list."))
    except suppression.CannotLift as problem:
        messages.error(request, str(problem))
    return redirect("consent:overview")


@access.signed_in
@require_POST
def wish(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Writes down what a person said on the phone or at the counter."""
    customer = get_object_or_404(Customer.objects.living(), pk=customer_id)
    form = WishForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was written down: choose the channel, the topic and what was said."))
        return _back(request, customer)
    said, now = form.cleaned_data, clock.now()
    if said["ask"] and said["granted"] == "yes" and said["channel"] == Channel.EMAIL:
        sent = confirming.request(customer=customer, purpose=said["purpose"], now=now, language=customer.language)
        words = _("A mail that asks to confirm is on its way.") if sent else _("There is no e-mail address to ask.")
        messages.info(request, words)
        return _back(request, customer)
    lines = choices.note_wish(
        customer=customer, channel=said["channel"], purpose=said["purpose"], granted=said["granted"] == "yes",
        method=said["method"], actor=access.current_user(request), now=now, language=customer.language,
        words=said["words"],
    )  # fmt: skip
    words = ngettext("Written down in %(n)d line of the ledger.", "Written down in %(n)d lines of the ledger.", lines)
    messages.success(request, words % {"n": lines} if lines else _("It was known already."))
    return _back(request, customer)


def _back(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Where the form stood: the customer page or the counter."""
    there = urlsplit(request.headers.get("Referer", "")).path
    return redirect(there if there.startswith(("/customers/", "/counter/")) else f"/customers/{customer.pk}/")


def _may_list(request: HttpRequest) -> bool:
    """Leads, administrators and the privacy role keep the do-not-contact list."""
    user = access.current_user(request)
    return user.role in {"lead", "administrator"} or user.handles_personal_data
