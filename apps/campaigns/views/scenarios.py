"""What-ifs: a private copy of the calendar in which everything may be tried, then applied, proposed or dropped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import access
from apps.channels.kinds import Channel
from apps.core import clock
from apps.core.http import render_page, wants_partial

from ..calendar import figures as calendar_figures
from ..calendar import layout, period
from ..conflicts import loading, wayout
from ..models import Campaign, Scenario, ScenarioChange
from ..models.plan import PLANNED_STATUSES
from ..models.scenarios import ChangeKind, ChangeState, ScenarioOrigin
from ..replan import job
from ..scenarios import applying, drafting, figures, showing, table, trying
from .calendar import _common, _days, _strip

PLANNERS = ("marketer", "lead", "administrator")


def found(request: HttpRequest, pk: int) -> Scenario:
    """The open what-if of whoever asks; nobody else sees it."""
    try:
        return drafting.mine(access.current_user(request), pk)
    except Scenario.DoesNotExist as error:
        raise Http404(_("There is no such what-if, or it was closed.")) from error


@access.role(*PLANNERS)
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """The reader's own what-ifs, and the two ways of starting one."""
    today = clock.company_day(clock.now())
    context = {
        "scenarios": Scenario.objects.filter(owner=access.current_user(request), closed_at=None).prefetch_related("changes"),
        "first": today + timedelta(days=1), "last": today + timedelta(days=42), "origins": ScenarioOrigin,
        "campaigns": _asked_about(today), "movable": wayout.MOVABLE,
    }
    return render_page(request, "campaigns/scenarios/list.html", context)


def _asked_about(today: date) -> Any:
    rows = Campaign.objects.filter(status__in=PLANNED_STATUSES).between(today, today + timedelta(days=drafting.LONGEST_DAYS))
    return rows.select_related("department").order_by("department__name", "starts_on", "pk")


def day_of(request: HttpRequest, name: str) -> date:
    """A day out of a form. Raises ValidationError in words."""
    raw = request.POST.get(name, "")
    try:
        return date.fromisoformat(raw)
    except ValueError as error:
        raise ValidationError(_("“%(raw)s” is not a day.") % {"raw": raw[:20]}) from error


def act(request: HttpRequest, deed: Callable[[], Any], back: Callable[[Any], HttpResponse]) -> HttpResponse:
    """Does it; a refusal is said in words on the page that comes."""
    try:
        result = deed()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        result = None
    return back(result)


@access.role(*PLANNERS)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Starts an empty what-if."""
    def deed() -> Scenario:
        return drafting.create(
            actor=access.current_user(request), name=request.POST.get("name", ""), first=day_of(request, "first"),
            last=day_of(request, "last"), now=clock.now(),
        )

    return act(request, deed, lambda made: redirect("campaigns:what-if", made.pk) if made else redirect("campaigns:what-ifs"))


@access.role(*PLANNERS)
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The calendar as it would be, with what the changes bring and cost against the real plan."""
    scenario = found(request, pk)
    now = clock.now()
    if scenario.origin == ScenarioOrigin.REPLAN and scenario.settings.get("state") != job.DONE:
        return render_page(request, "campaigns/scenarios/working.html", {"scenario": scenario, "job": scenario.settings})
    asked = request.GET.get("from") or scenario.starts_on.isoformat()
    span = period.chosen(asked, request.GET.get("weeks"), today=clock.company_day(now), zone=clock.company_zone())
    context = _calendar(request, scenario, span, now)
    return render_page(request, "campaigns/scenarios/page.html", context)


def _calendar(request: HttpRequest, scenario: Scenario, span: period.Period, now: datetime) -> dict[str, Any]:
    ticked = table.ticked(scenario, _numbers(request.GET) if "ticked" in request.GET else None)
    tried = figures.ticked(scenario, ticked, now=now)
    context = _common(request, span, "timeline")
    changes = [each for each in drafting.pending(scenario) if each.pk not in tried.misfits]
    plan = loading.load(now=now, with_people=False)
    context["reading"] = showing.patched(context["reading"], changes, tried.findings, plan, now)
    counted = showing.strip(calendar_figures.of(span.days, now=now), tried)
    return context | {
        "what_if": scenario, "timeline": layout.lay_out(context["reading"], counted), "strip": _strip(span, counted),
        "before": span.moved(-span.weeks + 1), "after": span.moved(span.weeks - 1), "movable": wayout.MOVABLE,
        "blackout_days": {day for day in span.days if context["reading"].is_blacked_out(day)},
        "legend": ["email", "sms", "call", "letter", "store", "onsite"], "agenda": context["reading"].by_day(),
        "table": table.of(scenario, tried, ticked=ticked, now=now), "panel": None,
    }


@access.role(*PLANNERS)
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, pk: int, campaign_pk: int) -> HttpResponse:
    """GET shows what moving the bar by ``days`` from where the what-if has it would do; POST tries it."""
    scenario, now = found(request, pk), clock.now()
    campaign = get_object_or_404(Campaign.objects.select_related("department", "owner"), pk=campaign_pk)
    here = trying.days_of(scenario, campaign)
    if request.method == "POST":
        def deed() -> Any:
            return drafting.put(
                actor=access.current_user(request), scenario=scenario, kind=ChangeKind.MOVE, campaign=campaign,
                parameters={"days": _days(request.POST.get("total"))}, now=now,
            )

        return act(request, deed, lambda _row: redirect("campaigns:what-if", pk))
    days = _days(request.GET.get("days"))
    if start := request.GET.get("starts_on"):
        days = _until(start, campaign) - here
    context = trying.panel(scenario, campaign, days, now=now) | {
        "what_if": scenario, "channels": [each for each in Channel.choices if each[0] != Channel.UNADDRESSED],
        "steps": [(step, days + step) for step in (-7, -1, 1, 7)],
    }
    return render_page(request, "campaigns/scenarios/move.html", context, partial="panel")


def _until(start: str, campaign: Campaign) -> int:
    try:
        return _days(str((date.fromisoformat(start) - campaign.starts_on).days))
    except ValueError:
        return 0


@access.role(*PLANNERS)
@require_POST
def change(request: HttpRequest, pk: int, campaign_pk: int) -> HttpResponse:
    """Tries something else than a move: people left out, another channel, another priority, cancelling."""
    scenario = found(request, pk)
    campaign = get_object_or_404(Campaign, pk=campaign_pk)

    def deed() -> Any:
        kind, message_id, parameters = _asked_change(request, campaign)
        return drafting.put(
            actor=access.current_user(request), scenario=scenario, kind=kind, campaign=campaign, message_id=message_id,
            parameters=parameters, now=clock.now(),
        )

    return act(request, deed, lambda _row: redirect("campaigns:what-if", pk))


def _asked_change(request: HttpRequest, campaign: Campaign) -> tuple[str, int | None, dict[str, Any]]:
    kind = request.POST.get("kind", "")
    if kind == ChangeKind.LEAVE_OUT:
        sides = {"yielding": campaign.pk, "keeping": _number(request, "keeping"), "yielding_message": None, "keeping_message": None}
        return kind, None, sides
    if kind == ChangeKind.CHANNEL:
        return kind, _number(request, "message"), {"channel": request.POST.get("channel", "")}
    if kind == ChangeKind.PRIORITY:
        return kind, None, {"priority": _number(request, "priority")}
    if kind != ChangeKind.CANCEL:
        raise ValidationError(_("Choose what to try."))
    return kind, None, {}


def _number(request: HttpRequest, name: str) -> int:
    raw = request.POST.get(name, "")
    if not raw.isascii() or not raw.isdigit() or len(raw) > 17:
        raise ValidationError(_("Choose what to try."))
    return int(raw)


def _of(scenario: Scenario, change_pk: int) -> ScenarioChange:
    return get_object_or_404(ScenarioChange, pk=change_pk, scenario=scenario)


@access.role(*PLANNERS)
@require_POST
def take_back(request: HttpRequest, pk: int, change_pk: int) -> HttpResponse:
    """Leaves a change out again."""
    rows = ScenarioChange.objects.filter(pk=change_pk, scenario=found(request, pk))
    for row in rows:
        drafting.take_back(actor=access.current_user(request), change=row, now=clock.now())
    return redirect("campaigns:what-if", pk)


@access.role(*PLANNERS)
@require_POST
def answer(request: HttpRequest, pk: int, change_pk: int) -> HttpResponse:
    """Refuses one change of a proposal, or takes it up again."""
    row = _of(found(request, pk), change_pk)
    drafting.answer(actor=access.current_user(request), change=row, accepts=request.POST.get("answer") == "yes", now=clock.now())
    return redirect("campaigns:what-if", pk)


def _numbers(asked: QueryDict) -> list[int]:
    return [int(raw) for raw in asked.getlist("change") if raw.isascii() and raw.isdigit() and len(raw) < 18]


@access.role(*PLANNERS)
@require_POST
def tick(request: HttpRequest, pk: int) -> HttpResponse:
    """Counts the figures with the ticked changes alone; nothing is kept."""
    scenario, now, chosen = found(request, pk), clock.now(), _numbers(request.POST)
    if not wants_partial(request):
        asked = urlencode([("ticked", 1), *(("change", each) for each in chosen)])
        return redirect(f"{reverse('campaigns:what-if', args=[pk])}?{asked}#figures")
    ticked = table.ticked(scenario, chosen)
    shown = table.of(scenario, figures.ticked(scenario, ticked, now=now), ticked=ticked, now=now)
    return render(request, "campaigns/scenarios/_figures.html", {"table": shown})


@access.role(*PLANNERS)
@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Applies or proposes the chosen changes and says of each what became of it."""
    scenario = found(request, pk)
    chosen = _numbers(request.POST)
    if not chosen:
        messages.error(request, _("Choose the changes to apply."))
        return redirect("campaigns:what-if", pk)
    rows = applying.apply(actor=access.current_user(request), scenario=scenario, change_ids=chosen, now=clock.now())
    states = [row.state for row in rows]
    for state, words in table.OUTCOMES.items():
        if count := states.count(state):
            tone = messages.warning if state in (ChangeState.OUTDATED, ChangeState.TRIED) else messages.success
            tone(request, words(count))
    return redirect("campaigns:what-if", pk)


@access.role(*PLANNERS)
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Closes the what-if; the plan stays as it is."""
    drafting.discard(actor=access.current_user(request), scenario=Scenario(pk=pk), now=clock.now())
    messages.success(request, _("Closed. The plan is as it was, and what was proposed stays proposed."))
    return redirect("campaigns:what-ifs")
