"""Programmes: the list, one with its campaigns together, making and changing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts import access
from apps.core import clock

from .. import programmes as domain
from .. import together
from ..forms.campaigns import ProgrammeForm
from ..models import Programme
from . import frame


@access.signed_in
@require_GET
def programmes(request: HttpRequest) -> HttpResponse:
    """Umbrellas over departments."""
    found = Programme.objects.prefetch_related("campaigns__department").select_related("offer").order_by("-starts_on", "name")
    return render(request, "campaigns/programmes.html", {"programmes": found, "may_edit": _may(request)})


def _may(request: HttpRequest) -> bool:
    return domain.may_change(access.current_user(request))


@access.role("lead", "administrator")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new programme."""
    form = ProgrammeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = domain.create(actor=access.current_user(request), values=form.values(), now=clock.now())
        except ValidationError as problem:
            frame.put_errors(form, problem)
        else:
            return redirect("campaigns:programme", made.pk)
    return render(request, "campaigns/programme_new.html", {"form": form})


@access.signed_in
@require_http_methods(["GET", "POST"])
@transaction.atomic
def programme(request: HttpRequest, pk: int) -> HttpResponse:
    """A programme with all its campaigns; a change that reaches into campaigns is shown first and saved when confirmed."""
    rows = Programme.objects.select_for_update() if request.method == "POST" else Programme.objects.select_related("offer")
    current = get_object_or_404(rows, pk=pk)
    form = ProgrammeForm(request.POST or None, instance=Programme.objects.get(pk=pk))
    if request.method == "POST":
        access.require(_may(request), _("Leads plan programmes."))
        if form.is_valid():
            effects = domain.effects(current, form.values())
            if effects and not request.POST.get("confirmed"):
                posted = [(name, value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"]
                shown = {"programme": current, "effects": effects, "posted": posted}
                return render(request, "campaigns/programme_change.html", shown)
            domain.change(actor=access.current_user(request), programme=current, values=form.values(), now=clock.now())
            notices.success(request, _("Saved."))
            return redirect("campaigns:programme", pk)
    return render(request, "campaigns/programme.html", _page(request, current, form))


def _page(request: HttpRequest, current: Programme, form: ProgrammeForm) -> dict[str, Any]:
    whole = together.of(current, now=clock.now())
    return {
        "form": form, "programme": current, "together": whole, "may_edit": _may(request),
        "strip": together.strip(current, whole) if whole.lines else "", "budget": together.in_words(whole.budget),
        "cost": together.in_words(whole.cost), "may_plan": access.current_user(request).role in {"marketer", "lead"},
    }
