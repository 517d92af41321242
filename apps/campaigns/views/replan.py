"""Asking for a re-plan of a period, watching it being worked out, stopping it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import access
from apps.core import clock
from apps.core.http import render_page

from ..models import Scenario
from ..replan import job
from .scenarios import PLANNERS, act, day_of, found


@access.role(*PLANNERS)
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Starts the work and shows how far it is."""
    def deed() -> Scenario:
        share, seed = request.POST.get("fair", "25"), request.POST.get("seed", "0")
        return job.start(
            actor=access.current_user(request), first=day_of(request, "first"), last=day_of(request, "last"),
            locked=[int(raw) for raw in request.POST.getlist("locked") if raw.isascii() and raw.isdigit() and len(raw) < 18],
            moves_agreed=bool(request.POST.get("agreed")), fair_percent=int(share) if share.isascii() and share.isdigit() else -1,
            seed=int(seed) if seed.isascii() and seed.isdigit() and len(seed) < 9 else 0, now=clock.now(),
        )

    return act(request, deed, lambda made: redirect("campaigns:what-if", made.pk) if made else redirect("campaigns:what-ifs"))


@access.role(*PLANNERS)
@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; when it is done, the browser goes to the proposal."""
    scenario = found(request, pk)
    if scenario.settings.get("state") == job.DONE:
        response = HttpResponse()
        response["HX-Redirect"] = reverse("campaigns:what-if", args=[pk])
        return response
    return render_page(request, "campaigns/scenarios/working.html", {"scenario": scenario, "job": scenario.settings}, partial="state")


@access.role(*PLANNERS)
@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends the work; nothing of it is kept."""
    job.stop(actor=access.current_user(request), scenario=found(request, pk))
    return redirect("campaigns:what-if", pk)
