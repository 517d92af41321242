"""What moving one bar within a what-if would do, measured beside the what-if's other changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..calendar.preview import Preview, _changes
from ..conflicts import loading, resolve, wayout
from ..conflicts.passes import find
from ..conflicts.snapshot import Plan
from ..models import Campaign, Scenario
from ..models.scenarios import ChangeKind, ChangeState
from . import figures, words


def days_of(scenario: Scenario, campaign: Campaign) -> int:
    """By how many days the what-if has the campaign moved already."""
    row = scenario.changes.filter(kind=ChangeKind.MOVE, campaign=campaign, state=ChangeState.TRIED).first()
    return row.parameters["days"] if row else 0


def panel(scenario: Scenario, campaign: Campaign, days: int, *, now: datetime) -> dict[str, Any]:
    """What a page shows of the campaign, ``days`` on from where the what-if has it."""
    here = days_of(scenario, campaign)
    plan = figures.plan_with(scenario, now=now, apart_from=campaign.pk)
    problem = _problem(plan, campaign, here + days)
    before = _at(plan, campaign, here)
    after = before if problem else _at(plan, campaign, here + days)
    shown = Preview(
        campaign, days, campaign.starts_on + timedelta(days=here + days), campaign.ends_on + timedelta(days=here + days),
        tuple(_changes(campaign, before, after)),
    )
    others = sorted({pk for each in before.values() for pk in each.campaigns if pk and pk != campaign.pk})
    return {
        "campaign": campaign, "days": days, "total": here + days, "here": here, "preview": shown, "problem": problem,
        "drawn_from": campaign.starts_on + timedelta(days=here), "drawn_to": campaign.ends_on + timedelta(days=here),
        "others": list(Campaign.objects.filter(pk__in=others).select_related("department")),
        "sends": campaign.messages.defer("plan_audience").order_by("send_at"),
    }


def _problem(plan: Plan, campaign: Campaign, total: int) -> str:
    planned = plan.campaigns.get(campaign.pk)
    if planned is None:
        return words.misfit("gone")
    if planned.status not in wayout.MOVABLE:
        return words.misfit("begun")
    return "" if not total or resolve.is_movable(plan, planned, total) else words.misfit("not_movable")


def _at(plan: Plan, campaign: Campaign, days: int) -> dict[str, Any]:
    planned = plan.campaigns.get(campaign.pk)
    if planned is None:
        return {}
    there = plan.with_campaign(loading.moved(planned, days, plan.zone)).focused([campaign.pk])
    return {each.identity: each for each in find(there)}
