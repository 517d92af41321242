"""The desk and the reports."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.accounts import access, audit, masking
from apps.accounts.models import Department, Role, User
from apps.campaigns.models import Campaign, Programme, RefusedPermission, Run
from apps.campaigns.sending import explain
from apps.campaigns.views import frame
from apps.channels.kinds import Channel
from apps.core import bitmaps, clock
from apps.core.http import render_page
from apps.core.reasons import sentence
from apps.customers.models import Customer

from . import decisions, exports, filters, funnel, losses, pictures, sums, week
from . import desk as desks
from .models import CreditModel
from .scope import STEPS, Scope, people

PAGE = 50


@access.signed_in
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """What waits, what leaves next, what yesterday brought. An agent goes to the calls at once."""
    user, now = access.current_user(request), clock.now()
    if user.role == Role.AGENT:
        return redirect("campaigns:calls")
    rows = desks.yesterday(user, now=now)
    signs = decisions.signs(user, now=now)
    names = _campaign_names([row.key for row in rows])
    context = {
        **(_monday(user, now) if signs else {}), "tasks": desks.tasks(user, signs=signs),
        "campaigns": desks.campaigns(user), "sends": desks.next_sends(user, now=now),
        "yesterday": [(row, names.get(row.key, ""), pictures.purse(row.revenue)) for row in rows],
        "news": desks.news(user), "now": now,
    }  # fmt: skip
    return render(request, "reporting/desk.html", context)


def _monday(user: User, now: datetime) -> dict[str, Any]:
    """What a lead decides first, and the week in figures; an administrator's week is that of all departments."""
    waiting = decisions.ranked(user, now=now)
    led = access.departments_led(user, now=now)
    departments = Department.objects.all()
    return {
        "decisions": waiting[: decisions.MOST], "more": max(0, len(waiting) - decisions.MOST), "average": decisions.average_order(now=now),
        "week": week.of(departments.filter(pk__in=led) if led else departments, now=now),
    }


@access.signed_in
@require_safe
def all_decisions(request: HttpRequest) -> HttpResponse:
    """Everything that waits for this person's decision, in the same order as on the desk."""
    user, now = access.current_user(request), clock.now()
    waiting = decisions.ranked(user, now=now) if decisions.signs(user, now=now) else []
    page = Paginator(waiting, PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "decisions": list(page), "average": decisions.average_order(now=now), "total": len(waiting)}
    return render(request, "reporting/decisions.html", context)


@access.signed_in
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Departments and channels over a period; ``format=csv`` gives the campaigns as a file."""
    period = filters.period(request.GET, clock.now())
    campaigns = sums.by(period, "campaign_id")
    names = _campaign_names([row.key for row in campaigns])
    if request.GET.get("format") == "csv":
        rows = pictures.export_rows(campaigns, names)
        return exports.csv_response(f"reports-{period.first}-{period.last}.csv", pictures.EXPORT_HEAD, rows)
    scope = Scope(department=period.department, channel=period.channel, first=period.first, last=period.last)
    departments = {each.pk: each for each in Department.objects.all()}
    whole = sums.by(period)
    context = {
        "period": period, "departments": departments.values(), "channels": Channel.choices,
        "whole": _shown(whole[0], scope) if whole else None,
        "by_department": [
            (departments.get(row.key), _shown(row, scope, department=row.key)) for row in sums.by(period, "department_id")
        ],
        "by_channel": [(row.key, _shown(row, scope, channel=row.key)) for row in sums.by(period, "channel")],
        "by_campaign": [
            (row.key, names.get(row.key, ""), _shown(row, scope, campaign=row.key)) for row in campaigns[:25]
        ],
        "per_day": _per_day(period, departments),
        "query": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "reporting/overview.html", context)


@access.signed_in
@require_safe
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """What one campaign brought, counted now from the ledger."""
    found, now = frame.load(pk), clock.now()
    scope = Scope(campaign=pk)
    lines = funnel.lines(scope)
    if request.GET.get("format") == "csv":
        return exports.csv_response(f"campaign-{pk}.csv", _LINE_HEAD, [_line_cells(line) for line in lines])
    whole = funnel.total(scope)
    credited = funnel.credit(pk)
    context = frame.context(
        request, found, "results",
        lines=[(line, _links(line, scope), pictures.purse(line.cost)) for line in lines], whole=whole,
        chart=pictures.funnel(whole, scope) if whole["sent"] else "", refusals=_refusals(scope), losses=losses.of_campaign(pk),
        lift=funnel.lift(pk, now=now), credited=credited, revenue=pictures.purse(_purse(credited)),
        orders=sum((row[3] for row in credited), Decimal(0)), step_urls=_links(whole, scope), now=now,
    )  # fmt: skip
    return render(request, "reporting/campaign.html", context)


@access.signed_in
@require_safe
def programme(request: HttpRequest, pk: int) -> HttpResponse:
    """What the campaigns of a programme have spent and brought, from the daily facts; a part of its page, or a page."""
    found = get_object_or_404(Programme, pk=pk)
    campaigns = {each.pk: each for each in found.campaigns.select_related("department").order_by("starts_on", "name")}
    rows = {row.key: row for row in sums.of_campaigns(campaigns)}
    lines = [(campaign, rows[pk]) for pk, campaign in campaigns.items() if pk in rows]
    context = {
        "programme": found, "orders": sum((row.orders for row in rows.values()), Decimal(0)),
        "sent": sum(row["sent"] for row in rows.values()), "spent": pictures.purse(sums.added(row.cost for row in rows.values())),
        "revenue": pictures.purse(sums.added(row.revenue for row in rows.values())),
        "lines": [(campaign, row["sent"], pictures.purse(row.cost), row.orders) for campaign, row in lines],
    }  # fmt: skip
    return render_page(request, "reporting/programme.html", context, "brought")


@access.signed_in
@require_safe
def attribution(request: HttpRequest) -> HttpResponse:
    """First, last and linear credit side by side, by campaign and by channel."""
    period = filters.period(request.GET, clock.now())
    by_campaign, by_channel = _credited(period)
    if request.GET.get("format") == "csv":
        rows = [[name, currency, *cells] for (name, currency, *cells) in _side_by_side(by_campaign)]
        return exports.csv_response(
            f"credit-{period.first}-{period.last}.csv", ["campaign", "currency", *CreditModel.values], rows
        )
    context = {
        "period": period, "models": CreditModel.choices, "by_campaign": _side_by_side(by_campaign),
        "by_channel": _side_by_side(by_channel), "chart": _credit_chart(by_campaign), "query": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "reporting/attribution.html", context)


@access.signed_in
@require_safe
def people_page(request: HttpRequest) -> HttpResponse:
    """The people behind a number of a report: names by role, and the look is logged."""
    user = access.current_user(request)
    scope, step, reason = filters.scope(request.GET), filters.step(request.GET), request.GET.get("reason", "")
    rules = request.GET.getlist("rule")[:200]
    found = people(scope, step, reason, rules)
    # A number that counts other tools' questions too opens to those people as well.
    asked = losses.asked(scope, reason, rules) if step == "refused" and request.GET.get("asked") else RefusedPermission.objects.none()
    found |= bitmaps.from_ids(asked.values_list("customer_id", flat=True))
    page = Paginator(list(found), PAGE).get_page(request.GET.get("page"))
    persons = {person.pk: person for person in Customer.objects.filter(pk__in=list(page))}
    campaign = Campaign.objects.filter(pk=scope.campaign).first() if scope.campaign else None
    audit.opened_people(actor=user, subject=campaign or user, count=len(page), where=f"report {step}", now=clock.now())
    why = losses.why(scope, page, reason, rules) if step == "refused" else {}
    told = losses.why_asked(asked, page)
    shown = [
        (persons[pk], masking.mask_name(user, str(persons[pk])), [*why.get(pk, ()), *told.get(pk, ())]) for pk in page if pk in persons
    ]
    context = {
        "page": page, "shown": shown, "count": len(found), "campaign": campaign, "scope": scope,
        "step": STEPS[step][0], "reason": sentence(reason) if reason else "", "tells_why": step == "refused",
    }  # fmt: skip
    return render(request, "reporting/people.html", context)


@access.signed_in
@require_safe
def permissions(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom other tools asked about for a campaign and may not contact: who asked, when, why; names by role, the look is logged."""
    found, user = frame.load(pk), access.current_user(request)
    rows = losses.permissions(pk, request.GET.get("reason", "")[:30], request.GET.get("rule", "")[:40])
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    persons = Customer.objects.in_bulk({row.customer_id for row in page})
    audit.opened_people(actor=user, subject=found, count=len(persons), where="refused permissions", now=clock.now())
    shown = [
        (row, masking.mask_name(user, str(persons[row.customer_id])) if row.customer_id in persons else f"#{row.customer_id}",
         sentence(row.reason), explain.rule_name(row.rule, pk))
        for row in page
    ]  # fmt: skip
    return render(request, "reporting/permissions.html", {"campaign": found, "page": page, "shown": shown})


def _campaign_names(ids: list[int]) -> dict[Any, str]:
    return dict(Campaign.objects.filter(pk__in=ids).values_list("pk", "name"))


def _shown(row: sums.Row, scope: Scope, **changes: Any) -> dict[str, Any]:
    """A row with the addresses of the people behind its numbers and its money in words."""
    urls = {step: pictures.people_url(scope, step, **changes) for step in STEPS}
    return {"row": row, "urls": urls, "revenue": pictures.purse(row.revenue), "cost": pictures.purse(row.cost)}


def _per_day(period: sums.Period, departments: dict[Any, Department]) -> Any:
    sent = sums.sent_per_day(period, "department_id")
    return pictures.sent_per_day(sent, departments, period.days()) if sent else ""


def _links(line: funnel.Line, scope: Scope) -> dict[str, str]:
    return {step: pictures.people_url(scope, step, channel=line.channel, variant=line.variant) for step in STEPS}


def _refusals(scope: Scope) -> list[tuple[str, int, str]]:
    return [
        (sentence(reason), number, pictures.people_url(scope, "refused", reason))
        for reason, number in funnel.refusals(scope)
    ]


def _purse(credited: list[Any]) -> dict[str, Decimal]:
    money: dict[str, Decimal] = {}
    for _channel, _variant, currency, _orders, amount in credited:
        money[currency] = money.get(currency, Decimal(0)) + amount
    return money


_LINE_HEAD = ("channel", "variant", *STEPS, "people_reached", "people_who_clicked", "cost")


def _line_cells(line: funnel.Line) -> list[object]:
    cost = " ".join(f"{amount} {currency}" for currency, amount in sorted(line.cost.items()))
    return [line.channel, line.variant, *(line[step] for step in STEPS), line.reached, line.clickers, cost]


Credited = dict[tuple[str, str], dict[str, Decimal]]


def _credited(period: sums.Period) -> tuple[Credited, Credited]:
    """(name, currency) -> model -> amount, by campaign and by channel."""
    found = sums.credits_by_run(period)
    runs = {
        run: (name, channel)
        for run, name, channel in Run.objects.filter(pk__in={row[0] for row in found}).values_list(
            "pk", "message__campaign__name", "message__channel"
        )
    }
    by_campaign: Credited = {}
    by_channel: Credited = {}
    for run, model, currency, _orders, amount in found:
        name, channel = runs.get(run, (_("unknown"), ""))
        for book, key in ((by_campaign, name), (by_channel, str(dict(Channel.choices).get(channel, channel)))):
            amounts = book.setdefault((key, currency), dict.fromkeys(CreditModel.values, Decimal(0)))
            amounts[model] += amount
    return by_campaign, by_channel


def _side_by_side(book: Credited) -> list[list[Any]]:
    """Name, currency and the amount by each model, most linear credit first."""
    ordered = sorted(book.items(), key=lambda item: (item[0][1], -item[1]["linear"], item[0][0]))
    return [
        [name, currency, *(amounts[model] for model in CreditModel.values)] for (name, currency), amounts in ordered
    ]


def _credit_chart(book: Credited) -> Any:
    totals: dict[str, Decimal] = {}
    for (_name, currency), amounts in book.items():
        totals[currency] = totals.get(currency, Decimal(0)) + amounts["linear"]
    if not totals:
        return ""
    currency = max(totals, key=lambda code: totals[code])
    rows = {name: amounts for (name, code), amounts in book.items() if code == currency}
    title = _("Revenue in %(currency)s, credited to all contacts alike") % {"currency": currency}
    return pictures.credit_bars(title, rows, currency)
