"""Pages about conflicts: the list, one conflict with its ways out, the people in it, and what people decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from pyroaring import BitMap

from apps.accounts import access, audit
from apps.accounts.models import Department, User
from apps.core import clock
from apps.core.http import number, render_page
from apps.customers.models import Segment

from ..conflicts import agree, history, registry, sample, segments, talk
from ..conflicts import listing as listing_module
from ..conflicts import panels as panel_module
from ..models import Conflict, Programme, Resolution
from ..models.conflicts import Severity


def _panel(request: HttpRequest, pk: int) -> panel_module.Panel:
    try:
        return panel_module.of(pk, user=access.current_user(request), now=clock.now())
    except Conflict.DoesNotExist as error:
        raise Http404(_("There is no such conflict.")) from error


@access.signed_in
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Conflicts that wait for a decision, pair by pair, those that need the most first; decided ones by choice."""
    filters = listing_module.Filters.of(request.GET)
    context = {
        "groups": listing_module.of(filters, user=access.current_user(request), now=clock.now()), "filters": filters,
        "rules": registry.RULES, "departments": Department.objects.all(), "severities": Severity.choices,
        "programmes": Programme.objects.order_by("-starts_on", "name"),
        "sorts": [
            ("severity", _("severity")), ("people", _("people")), ("orders", _("expected orders")), ("decide", _("decide by")),
        ],
    }
    return render_page(request, "campaigns/conflicts/list.html", context)


@access.signed_in
@require_GET
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One conflict: what, who, ways out, signatures, the talk, history."""
    panel = _panel(request, pk)
    context = {
        "panel": panel, "conflict": panel.conflict, "history": history.of(panel),
        "comments": panel.conflict.comments.select_related("user").prefetch_related("mentions"),
        "latest_day": clock.company_day(clock.now()),
        "candidates": talk.candidates(panel.conflict) if panel.may_assign else [],
    }
    return render_page(request, "campaigns/conflicts/detail.html", context)


@access.signed_in
@require_GET
def panels(request: HttpRequest, pk: int) -> HttpResponse:
    """The three panels under the timeline, with the way to the conflict's own page; without HTMX, that page. It asks here too,
    while people are being counted, and gets all ways out.
    """
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect("campaigns:conflict", pk)
    own = reverse("campaigns:conflict", args=[pk])
    elsewhere = not (request.htmx.current_url_abs_path or "").startswith(own)  # type: ignore[attr-defined]
    return render_page(request, "campaigns/conflicts/panels.html", {"panel": _panel(request, pk), "show_link": elsewhere})


@access.signed_in
@require_GET
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """A sample of the people in both, each with their own planned contacts. Opening them is logged."""
    panel, now = _panel(request, pk), clock.now()
    user = access.current_user(request)
    everyone = cast(BitMap, Conflict.objects.values_list("people_both", flat=True).get(pk=pk) or BitMap())
    rows = sample.draw(everyone, user=user, around=panel.conflict.first_at or now, now=now)
    audit.opened_people(actor=user, subject=panel.conflict, count=len(rows), where="conflict", now=now)
    context = {
        "panel": panel, "people": rows, "total": len(everyone), "title": _("People in both"),
        "back": reverse("campaigns:conflict", args=[pk]), "back_label": panel.title,
    }
    return render_page(request, "campaigns/conflicts/people.html", context, partial="people")


def _act(request: HttpRequest, back: int | str, act: Callable[[], Any], done: str) -> HttpResponse:
    """Does it, says what happened in words, and goes back to the conflict (its number) or an address. Nothing half-done stays
    after a refusal.
    """
    try:
        result = act()
    except (ValidationError, agree.AlreadyDecided) as error:
        messages.error(request, " ".join(error.messages) if isinstance(error, ValidationError) else str(error))
    else:
        state = getattr(result, "state", "")
        words = {
            "applied": _("Agreed and applied."), "outdated": _("The conflict has changed since that was proposed; look again."),
            "declined": _("Declined."),
        }
        messages.success(request, words.get(state, done))
    return redirect(back) if isinstance(back, str) else redirect("campaigns:conflict", back)


@access.signed_in
@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks it as seen."""
    user, conflict = access.current_user(request), get_object_or_404(Conflict, pk=pk)
    return _act(
        request, pk, lambda: agree.acknowledge(actor=user, conflict=conflict, now=clock.now()), _("Marked as seen.")
    )


@access.signed_in
@require_POST
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Proposes a way out, or applies it where no other department is touched."""
    user, conflict = access.current_user(request), get_object_or_404(Conflict, pk=pk)
    way, reason = request.POST.get("way", ""), request.POST.get("reason", "")

    def act() -> Resolution:
        until = _day(request.POST.get("expires_on", ""))
        findings = [int(pk) for pk in request.POST.getlist("finding") if pk.isdecimal() and len(pk) < 18]
        return agree.propose(
            actor=user, conflict=conflict, way=way, reason=reason, expires_on=until, findings=findings, now=clock.now()
        )

    return _act(request, pk, act, _("Proposed. The other lead has been told."))


def _day(raw: str) -> date | None:
    if not raw:
        return None
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise ValidationError(_("“%(raw)s” is not a day.") % {"raw": raw[:20]}) from error


@access.signed_in
@require_POST
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds to the talk."""
    user, conflict = access.current_user(request), get_object_or_404(Conflict, pk=pk)
    text = request.POST.get("text", "")
    return _act(
        request, pk, lambda: talk.comment(actor=user, conflict=conflict, text=text, now=clock.now()), _("Written.")
    )


@access.signed_in
@require_POST
def assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Says whose conflict it is; without a name nobody's."""
    user, conflict = access.current_user(request), get_object_or_404(Conflict, pk=pk)
    def act() -> Conflict:
        owner = User.objects.filter(pk=number(request.POST.get("owner"))).first()
        return talk.assign(actor=user, conflict=conflict, owner=owner, now=clock.now())

    return _act(request, pk, act, _("Kept."))


@access.signed_in
@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """A lead's yes or no, or a deputy's."""
    resolution = get_object_or_404(Resolution, pk=pk)
    user, agrees = access.current_user(request), request.POST.get("answer") == "yes"
    note = request.POST.get("note", "")
    return _act(
        request, agree.address(resolution),
        lambda: agree.sign(actor=user, resolution=resolution, agrees=agrees, note=note, now=clock.now()), _("Signed."),
    )


@access.signed_in
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes an own proposal back."""
    resolution, user = get_object_or_404(Resolution, pk=pk), access.current_user(request)
    return _act(
        request, agree.address(resolution), lambda: agree.withdraw(actor=user, resolution=resolution, now=clock.now()),
        _("Taken back."),
    )


@access.role("lead")
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """A lead withdraws from what was agreed."""
    resolution, user = get_object_or_404(Resolution, pk=pk), access.current_user(request)
    reason = request.POST.get("reason", "")
    return _act(
        request, agree.address(resolution), lambda: agree.end(actor=user, resolution=resolution, reason=reason, now=clock.now()),
        _("The agreement has ended; the conflict is open again where it is still found."),
    )


@access.signed_in
@require_GET
def rules(request: HttpRequest) -> HttpResponse:
    """What counts as a conflict, in the words that stand with the rules themselves."""
    return render_page(request, "campaigns/conflicts/rules.html", {"rules": registry.RULES})


@access.signed_in
@require_GET
def segment_overlap(request: HttpRequest, pk: int) -> HttpResponse:
    """For the audience page: which planned messages reach people of this segment, and how many."""
    segment = get_object_or_404(Segment.objects.only("pk", "name", "count"), pk=pk)
    rows = segments.overlap(pk, now=clock.now())
    context = {"segment": segment, "rows": rows}
    return render_page(request, "campaigns/conflicts/segment_overlap.html", context, partial="overlap")
