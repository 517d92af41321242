"""The calendar: timeline, month, agenda, moving a campaign with its effect shown first, and the people over the limit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts import access, audit
from apps.accounts.models import Department
from apps.channels.kinds import Channel
from apps.core import clock
from apps.core.http import number, render_page

from .. import moving, partners, planning
from ..calendar import earlier, figures, layout, period, preview, reading
from ..conflicts import panels, sample, wayout
from ..models import Campaign, CampaignStatus, Conflict, ContactPolicy, Programme
from ..models.conflicts import Severity

LONGEST_MOVE = 366


def _common(request: HttpRequest, span: period.Period, view: str) -> dict[str, Any]:
    filters = reading.Filters.of(request.GET)
    found = reading.read(span, filters)
    kept = request.GET.copy()
    for name in ("from", "month", "conflict", "moved", "by", "links"):
        kept.pop(name, None)
    return {
        "view": view, "period": span, "reading": found, "filters": filters, "kept": kept.urlencode(),
        "today": clock.company_day(clock.now()), "all_departments": Department.objects.all(),
        "channels": [choice for choice in Channel.choices if choice[0] != Channel.UNADDRESSED],
        "statuses": [choice for choice in CampaignStatus.choices if choice[0] != CampaignStatus.CANCELLED],
        "severities": Severity.choices, "all_programmes": Programme.objects.filter(
            Q(starts_on__lte=span.last, ends_on__gte=span.first) | Q(pk__in=filters.programmes)),
        "open_count": len(layout.by_pair(row for row in found.conflicts if row.state in ("open", "acknowledged"))),
    }


@access.signed_in
@require_GET
def timeline(request: HttpRequest) -> HttpResponse:
    """Departments as lanes, campaigns as bars, conflicts as links; the chosen conflict explained below."""
    now = clock.now()
    span = period.chosen(
        request.GET.get("from"), request.GET.get("weeks"), today=clock.company_day(now), zone=clock.company_zone()
    )
    context = _common(request, span, "timeline")
    counted = figures.of(span.days, now=now)
    all_links = request.GET.get("links") == "all"
    changes = _changes(request, span, context["filters"], now)
    drawn = layout.lay_out(context["reading"], counted, all_links=all_links, changes=changes or ())
    context |= {
        "changes": changes, "then_url": _then_url(request, changes is not None),
        "timeline": drawn, "all_links": all_links, "most_links": layout.MOST_LINKS, "strip": _strip(span, counted),
        "before": span.moved(-span.weeks + 1), "after": span.moved(span.weeks - 1),
        "blackout_days": {day for day in span.days if context["reading"].is_blacked_out(day)}, "movable": wayout.MOVABLE,
        "legend": ["email", "sms", "call", "letter", "store", "onsite"],
        "panel": _chosen(request, context["reading"]), "moved": _moved(request), "agenda": context["reading"].by_day(),
        "over": counted.over,
    }
    return render_page(request, "campaigns/calendar/timeline.html", context)


def _changes(request: HttpRequest, span: period.Period, filters: reading.Filters, now: datetime) -> list[earlier.Change] | None:
    """What has changed in a week, when the address asks for it."""
    if request.GET.get("then") != "week":
        return None
    return earlier.changes(span, filters, since=now - timedelta(days=7))


def _then_url(request: HttpRequest, is_shown: bool) -> str:
    """The address of the same page with, or without, last week's plan beside it."""
    query = request.GET.copy()
    query.pop("then", None)
    if not is_shown:
        query["then"] = "week"
    return f"?{query.urlencode()}"


def _strip(span: period.Period, counted: figures.Figures) -> list[dict[str, Any]]:
    """One cell per day; numbers in thousands when there are any."""
    thousands = max(counted.over.values(), default=0) >= 1000
    return [
        {
            "day": day, "people": counted.over.get(day, 0), "heat": counted.heat(day), "thousands": thousands,
            "shown": _short(counted.over.get(day, 0), thousands),
        }
        for day in span.days
    ]


def _short(people: int, thousands: bool) -> str:
    if not thousands:
        return str(people) if people else ""
    return str(round(people / 1000)) if people >= 500 else ""


def _chosen(request: HttpRequest, found: reading.Reading) -> panels.Panel | None:
    """The conflict that the address names, else the weightiest on the page."""
    asked = request.GET.get("conflict", "")
    worst = max(found.conflicts, key=lambda row: (row.severity, row.people_count or 0), default=None)
    pk = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else worst.pk if worst else None
    if pk is None:
        return None
    try:
        return panels.of(pk, user=access.current_user(request), now=clock.now())
    except Conflict.DoesNotExist:
        return None


def _moved(request: HttpRequest) -> dict[str, Any] | None:
    """The campaign that was just moved, with what takes it back."""
    pk, days = request.GET.get("moved", ""), _days(request.GET.get("by"))
    if not days or not pk.isascii() or not pk.isdigit() or len(pk) > 17:
        return None
    campaign = Campaign.objects.filter(pk=pk).first()
    if not campaign or str(campaign.version) != request.GET.get("at"):  # somebody has changed it since: there is nothing to take back
        return None
    words = (
        ngettext("moved %(n)d day later", "moved %(n)d days later", abs(days)) if days > 0 else
        ngettext("moved %(n)d day earlier", "moved %(n)d days earlier", abs(days))
    )
    return {"campaign": campaign, "back": -days, "words": words % {"n": abs(days)}}


@access.signed_in
@require_GET
def month(request: HttpRequest) -> HttpResponse:
    """A month as a sheet of days."""
    first, span = period.month_of(
        request.GET.get("month"), today=clock.company_day(clock.now()), zone=clock.company_zone()
    )
    context = _common(request, span, "month")
    by_day, over = context["reading"].by_day(), figures.of(span.days, now=clock.now()).over
    plates = context["reading"].first_days(layout.by_pair(context["reading"].conflicts))
    context |= {
        "first": first, "over": over, "month_before": _month_url(first - date.resolution, context["kept"]),
        "month_after": _month_url(_next(first), context["kept"]), "agenda": by_day,
        "cells": [
            {"day": day, "rows": by_day.get(day, []), "outside": day.month != first.month, "plates": plates.get(day, []),
             "blackout": context["reading"].is_blacked_out(day)}
            for day in span.days
        ],
    }
    return render_page(request, "campaigns/calendar/month.html", context)


def _next(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _month_url(day: date, kept: str) -> str:
    return f"?month={day:%Y-%m}" + (f"&{kept}" if kept else "")


@access.signed_in
@require_GET
def agenda(request: HttpRequest) -> HttpResponse:
    """Day by day what goes out: the view for a telephone."""
    span = period.chosen(
        request.GET.get("from"), request.GET.get("weeks"), today=clock.company_day(clock.now()), zone=clock.company_zone()
    )
    context = _common(request, span, "agenda")
    context |= {
        "agenda": context["reading"].by_day(), "before": span.moved(-span.weeks), "after": span.moved(span.weeks),
        "over": figures.of(span.days, now=clock.now()).over,
    }
    return render_page(request, "campaigns/calendar/agenda.html", context)


def _days(raw: str | None) -> int:
    try:
        days = int(raw or "0")
    except ValueError:
        return 0
    return days if abs(days) <= LONGEST_MOVE else 0


@access.signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows what moving by ``days`` would do and changes nothing; POST does it, if nobody was faster."""
    campaign = get_object_or_404(Campaign.objects.select_related("department", "owner", "programme"), pk=pk)
    if request.method == "POST":
        return _move(request, campaign)
    now, days = clock.now(), _days(request.GET.get("days"))
    if start := request.GET.get("starts_on"):
        days = _days_to(start, campaign)
    context = {
        "campaign": campaign, "days": days, "preview": preview.of(campaign, days, now=now),
        "may_move": partners.may_edit(request.user, campaign),
        "problem": moving.problem(campaign, days, now=now), "asks_again": campaign.status in ("approved", "scheduled"),
        "steps": [(step, days + step) for step in (-7, -1, 1, 7)], "calendar_url": _back(campaign),
        "sends": campaign.messages.defer("plan_audience").order_by("send_at"),
    }
    return render_page(request, "campaigns/calendar/move.html", context, partial="panel")


def _days_to(start: str, campaign: Campaign) -> int:
    try:
        return _days(str((date.fromisoformat(start) - campaign.starts_on).days))
    except ValueError:
        return 0


def _back(campaign: Campaign) -> str:
    first = period.monday(campaign.starts_on)
    today = period.monday(clock.company_day(clock.now()))
    near = abs((first - today).days) <= 21
    return reverse("campaigns:calendar") + ("" if near else f"?from={first.isoformat()}")


def _move(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    days, version = _days(request.POST.get("days")), number(request.POST.get("version"))
    try:
        moving.move_campaign(
            actor=access.current_user(request), campaign=campaign, days=days, now=clock.now(),
            expected_version=version,
        )
    except planning.EditedMeanwhile:
        messages.error(request, _("Somebody changed this campaign while you were moving it. Look at it again and move it then."))
        return redirect("campaigns:calendar-move", campaign.pk)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("campaigns:calendar-move", campaign.pk)
    campaign.refresh_from_db()
    back = _back(campaign)
    return redirect(f"{back}{'&' if '?' in back else '?'}moved={campaign.pk}&by={days}&at={campaign.version}")


@access.signed_in
@require_GET
def pressure_day(request: HttpRequest, day: str) -> HttpResponse:
    """The people over the contact policy on one day, and the messages that put them there. Opening them is logged."""
    try:
        chosen = date.fromisoformat(day)
    except ValueError as error:
        raise Http404(_("There is no such day.")) from error
    if not 2000 <= chosen.year <= 2100:
        raise Http404(_("There is no such day."))
    now, user = clock.now(), access.current_user(request)
    pressed = figures.pressed(chosen, now=now)
    policy = ContactPolicy.objects.filter(is_active=True).first()
    rows: list[sample.Person] = []
    if policy and request.GET.get("people"):
        rows = sample.draw(pressed.people, user=user, around=period.Period(chosen, 1, clock.company_zone()).bounds()[0], now=now)
        audit.opened_people(actor=user, subject=policy, count=len(rows), where=f"pressure {day}", now=now)
    campaigns = Campaign.objects.filter(messages__in=[part.message_id for part, _n in pressed.contacts]).distinct()
    by_message = {
        message.pk: message for campaign in campaigns.select_related("department").prefetch_related("messages")
        for message in campaign.messages.all()
    }
    context = {
        "pressed": pressed, "total": len(pressed.people), "day": chosen, "policy": policy, "people": rows,
        "parts": [(part, by_message[part.message_id], people) for part, people in pressed.contacts if part.message_id in by_message],
        "high": Severity.HIGH,
    }
    return render_page(request, "campaigns/calendar/pressure.html", context)
