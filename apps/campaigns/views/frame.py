"""What all pages of one campaign share: heading, tabs with their state, the next step."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from apps.accounts import access
from apps.core import clock, formats

from .. import approval, locking, partners, readiness, schedule
from ..conflicts import passes
from ..models import Campaign, CampaignStatus, Message, MessageKind


def load(pk: int) -> Campaign:
    """The campaign with what its heading needs; 404 when there is none."""
    return get_object_or_404(Campaign.objects.select_related(
        "department", "owner", "programme__offer", "product", "offer", "merged_into"
    ).prefetch_related("partners"), pk=pk)


def load_message(pk: int, message_pk: int) -> Message:
    """One message of a campaign, without its people."""
    found = Message.objects.select_related(
        "campaign__department", "campaign__product", "purpose", "account", "offer__product", "stands_in__original"
    ).defer("plan_audience")
    return get_object_or_404(found, pk=message_pk, campaign_id=pk)


def plan_of(campaign: Campaign) -> list[Message]:
    """The messages in the order they go out, for lists."""
    return list(
        campaign.messages.select_related("campaign", "purpose", "account", "offer", "offer__product")
        .prefetch_related("versions", "include", "exclude")
        .defer("plan_audience", "include__people", "exclude__people")
    )


def context(request: HttpRequest, campaign: Campaign, tab: str, **extra: Any) -> dict[str, Any]:
    """The context of a campaign's page: ``extra`` and the frame."""
    user = access.current_user(request)
    plan = extra.pop("plan", None)
    plan = plan if plan is not None else plan_of(campaign)
    return {
        "campaign": campaign,
        "plan": plan,
        "tab": tab,
        "tabs": tabs(campaign, plan),
        "subtitle": subtitle(campaign, plan),
        "may_edit": partners.may_edit(user, campaign) and campaign.status not in ("done", "cancelled"),
        "is_own": partners.may_edit(user, campaign),
        "may_decide": approval.may_decide(user, campaign),
        "first_mail": next((m for m in plan if m.versions.all()), None),
        "locked": locking.problem(campaign),
        "void": approval.last_void(campaign) if campaign.status in ("draft", "paused") else None,
        **extra,
    }


def subtitle(campaign: Campaign, plan: list[Message]) -> str:
    """Department, owner, days, goal and money in one line."""
    departments = [str(campaign.department), *(str(partner) for partner in campaign.partners.all())]
    parts = [" + ".join(departments), str(campaign.owner), formats.span(campaign.starts_on, campaign.ends_on)]
    if campaign.goal_value and campaign.goal_metric:
        value = formats.number(campaign.goal_value)
        parts.append(_("goal: %(value)s %(metric)s") % {"value": value, "metric": campaign.get_goal_metric_display()})
    elif campaign.goal:
        parts.append(_("goal: %(goal)s") % {"goal": campaign.goal})
    planned = sum((cost(message) for message in plan), Decimal(0))
    if campaign.budget:
        money = {"budget": formats.money(campaign.budget, campaign.currency), "planned": formats.money(planned, campaign.currency)}
        parts.append(_("budget %(budget)s, planned %(planned)s") % money)
    return " · ".join(parts)


def cost(message: Message, people: int | None = None) -> Decimal:
    """What a message will cost: as planned, or the account's price for its people."""
    if message.planned_cost is not None:
        return message.planned_cost
    count = people if people is not None else message.plan_count or 0
    return message.account.unit_cost * count if message.account else Decimal(0)


def tabs(campaign: Campaign, plan: list[Message]) -> list[tuple[str, str, str, str]]:
    """(code, words, address, state) for each part of the page, in the order people think."""
    now, zone = clock.now(), clock.company_zone()
    mine = [message for message in plan if message.kind == MessageKind.ADDRESSED]
    settled = campaign.status not in (CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW)
    late = not settled and any(schedule.is_past(message, now=now) for message in plan)
    states = {
        "brief": "done" if campaign.goal or campaign.goal_value or campaign.brief else "",
        "audience": "done" if plan and all(m.include.all() or m.audience_rule for m in mine) else "",
        "messages": "done" if plan and all(m.versions.all() for m in mine) else "",
        "schedule": "high" if late else "done" if plan and not any(schedule.problems(m, now=now, zone=zone) for m in plan) else "",
        "check": _check_state(campaign, plan, mine),
        "approve": "done" if approval.current(campaign) else "",
    }
    words = {
        "brief": _("Brief"), "audience": _("Audience"), "messages": _("Messages"), "schedule": _("Schedule"),
        "check": _("Check"), "approve": _("Approve"), "live": _("Live"), "results": _("Results"),
    }  # fmt: skip
    found = [(code, label, address(code, campaign), states.get(code, "")) for code, label in words.items()]
    return [row for row in found if row[2]]


def _check_state(campaign: Campaign, plan: list[Message], mine: list[Message]) -> str:
    if not all(m.account and m.versions.all() and (m.include.all() or m.audience_rule) for m in mine):
        return "blocking"
    worst = passes.blocking(campaign).order_by("-severity").first()
    if worst:
        return str(worst.severity)
    return "medium" if passes.warnings(campaign).exists() else "done" if plan else ""


def address(tab: str, campaign: Campaign) -> str:
    """The address of a part of the campaign's page, empty when this installation has none."""
    names = {"brief": ["campaigns:detail"], "results": ["reporting:campaign", "reporting:results"]}.get(tab, [f"campaigns:{tab}"])
    for name in names:
        try:
            return reverse(name, args=[campaign.pk])
        except NoReverseMatch:
            continue
    return ""


def attempt(request: HttpRequest, act: Any, success: str = "") -> bool:
    """Do one domain call of a button; say in words what happened. True when it was done."""
    try:
        act()
    except approval.NotReady as obstacle:
        for problem in obstacle.problems:
            notices.error(request, problem)
        return False
    except ValidationError as problem:
        for text in problem.messages:
            notices.error(request, text)
        return False
    if success:
        notices.success(request, success)
    return True


def require_editor(request: HttpRequest, campaign: Campaign) -> None:
    """PermissionDenied in words for people of another department."""
    if not partners.may_edit(access.current_user(request), campaign):
        raise PermissionDenied(
            _("%(department)s plans this campaign; only its people change it.") % {"department": campaign.department}
        )


def put_errors(form: Any, problem: ValidationError) -> None:
    """A domain's refusal beside the fields it is about."""
    if hasattr(problem, "error_dict"):
        for name, errors in problem.message_dict.items():
            field = {"send_at": "clock", "send_until": "until_clock", "recurrence": "repeats", "control_share": "control_percent",
                     "variants_share": "split"}.get(name, name)  # fmt: skip
            for text in errors:
                form.add_error(field if field in form.fields else None, text)
    else:
        form.add_error(None, problem)


def problems_of(campaign: Campaign) -> list[readiness.Problem]:
    """What stands in the way, for the check."""
    return readiness.problems(campaign, now=clock.now())
