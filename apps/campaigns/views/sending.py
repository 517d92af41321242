"""Runs as they go: the live tab, the people behind each number, and the page to stop everything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import access, audit
from apps.accounts.masking import mask_name
from apps.accounts.models import Department, User
from apps.campaigns import launch
from apps.core import clock, formats, reasons
from apps.core.http import render_page
from apps.customers.models import Customer

from ..models import Campaign, CampaignStatus, Halt, Message, Run
from ..models.sending import Outcome
from ..sending import halts, progress, proof
from . import frame

PER_PAGE = 50
OUTCOMES = {"waiting", *Outcome.values}


@access.signed_in
@require_GET
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the runs of a campaign are, with the proof of each."""
    campaign = frame.load(pk)
    now, user = clock.now(), access.current_user(request)
    panels = progress.panels(campaign, now=now)
    halt = halts.active(campaign).first()
    context = frame.context(
        request,
        campaign,
        "live",
        panels=panels,
        coming=progress.coming(campaign, now=now),
        halt=halt,
        may_stop=halts.may_stop(user, campaign),
        effect=halts.effect(campaign),
        can_pause=campaign.status in (CampaignStatus.SCHEDULED, CampaignStatus.LIVE),
        is_moving=any(panel.is_open for panel in panels) or campaign.status == CampaignStatus.SCHEDULED,
    )
    return render_page(request, "campaigns/live.html", context, partial="runs")


@access.signed_in
@require_POST
def live_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause, resume, stop or let go on: a campaign, or one of its messages."""
    campaign = frame.load(pk)
    user, now = access.current_user(request), clock.now()
    act = request.POST.get("act", "")
    if act == "pause":
        frame.attempt(request, lambda: launch.pause(actor=user, campaign=campaign, now=now), _("Paused."))
    elif act == "resume":
        frame.attempt(request, lambda: launch.resume(actor=user, campaign=campaign, now=now), _("It goes on."))
    elif act == "stop":
        _stop(request, _target(campaign, request.POST.get("message", "")), user)
    elif act == "lift":
        _lift(request, user)
    return redirect("campaigns:live", campaign.pk)


def _target(campaign: Campaign, message_id: str) -> Message | Campaign:
    if not message_id:
        return campaign
    if not message_id.isdecimal():
        raise Http404
    return get_object_or_404(Message.objects.select_related("campaign"), pk=int(message_id), campaign=campaign)


def _stop(request: HttpRequest, target: halts.Target, user: User) -> None:
    halt = halts.stop(target=target, user=user, reason=request.POST.get("reason", ""), now=clock.now())
    words = ngettext(
        "Stopped. %(count)s person had already been contacted; nobody else will be until you let it go on.",
        "Stopped. %(count)s people had already been contacted; nobody else will be until you let it go on.",
        halt.already_sent,
    )
    messages.success(request, words % {"count": formats.number(halt.already_sent)})


def _lift(request: HttpRequest, user: User) -> None:
    number = request.POST.get("halt", "")
    halt = get_object_or_404(Halt, pk=int(number) if number.isdecimal() else 0)
    if halts.lift(halt=halt, user=user, now=clock.now()):
        messages.success(request, _("It goes on within seconds."))


@access.signed_in
@require_GET
def run_people(request: HttpRequest, pk: int, run_pk: int, outcome: str) -> HttpResponse:
    """The people behind one number of a run's proof; names masked by role, looking is logged."""
    if outcome not in OUTCOMES:
        raise Http404
    campaign = frame.load(pk)
    run = get_object_or_404(Run.objects.select_related("message__campaign"), pk=run_pk, message__campaign=campaign)
    reason = request.GET.get("reason", "")
    people = proof.people(run, outcome, reason)
    page = Paginator(people, PER_PAGE).get_page(request.GET.get("page"))
    user = access.current_user(request)
    audit.opened_people(actor=user, subject=run, count=len(page), where=f"run {outcome} {reason}".strip(), now=clock.now())
    words = reasons.sentence(reason) if reason else dict(Outcome.choices).get(outcome, _("waiting"))
    context = frame.context(request, campaign, "live", run=run, page=page, people=_rows(user, list(page.object_list)), words=words,
                            total=len(people))  # fmt: skip
    return render_page(request, "campaigns/run_people.html", context)


def _rows(user: User, ids: Iterable[int]) -> list[dict[str, Any]]:
    rows = Customer.objects.filter(pk__in=list(ids)).only("name", "city", "country").order_by("pk")
    return [{"id": row.pk, "name": mask_name(user, row.name), "city": row.city, "country": row.country} for row in rows]


@access.role("lead", "administrator")
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Everything that is being sent, and the buttons that stop a department or everything."""
    user, now = access.current_user(request), clock.now()
    targets: list[Department | None] = [each for each in Department.objects.all() if halts.may_stop(user, each)]
    if halts.may_stop(user, None):
        targets.append(None)
    context = {
        "targets": [
            {"target": each, "effect": halts.effect(each), "halt": halts.active(each).first()} for each in targets
        ],
        "panels": [progress.RunPanel(run, now) for run in halts.runs_under(None).select_related(
            "message__campaign__department", "message__account").defer("message__plan_audience")[:30]],
        "past": Halt.objects.exclude(lifted_at=None).select_related(
            "stopped_by", "lifted_by", "message", "campaign", "department")[:20],
        "standing": Halt.objects.filter(lifted_at=None, scope__in=["message", "campaign"]).select_related(
            "stopped_by", "message", "campaign"),
    }  # fmt: skip
    return render_page(request, "campaigns/sending.html", context)


@access.role("lead", "administrator")
@require_POST
def overview_act(request: HttpRequest) -> HttpResponse:
    """Stops a department or everything, or lets it go on."""
    user = access.current_user(request)
    if request.POST.get("act") == "stop":
        number = request.POST.get("department", "")
        department = get_object_or_404(Department, pk=int(number)) if number.isdecimal() else None
        _stop(request, department, user)
    else:
        _lift(request, user)
    return redirect("campaigns:sending")
