"""Changes that what-ifs ask of departments: what waits for the reader's signature, what they asked themselves, one on its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET

from apps.accounts import access
from apps.accounts.models import User
from apps.core import clock
from apps.core.http import render_page

from ..conflicts import agree, asked
from ..models import Campaign, Resolution
from ..models.conflicts import ResolutionState, Severity
from ..scenarios import words

MOST = 100


@access.signed_in
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Proposed changes that are still open: those that wait for the reader first."""
    user, now = access.current_user(request), clock.now()
    departments = access.departments_led(user, now=now) | ({user.department_id} if user.department_id else set())
    rows = Resolution.objects.filter(campaign__isnull=False, state=ResolutionState.PROPOSED)
    rows = rows.filter(Q(needs_departments__in=departments) | Q(proposed_by=user)).distinct()
    items = [_item(row, user, now) for row in asked.rows(rows)[:MOST]]
    context = {"waiting": [each for each in items if each["may_sign"]], "others": [each for each in items if not each["may_sign"]]}
    return render_page(request, "campaigns/scenarios/proposed.html", context)


@access.signed_in
@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One proposed change; where it settles a conflict it is read there."""
    row = get_object_or_404(asked.rows(Resolution.objects.filter(campaign__isnull=False)), pk=pk)
    if row.conflict_id is not None:
        return redirect("campaigns:conflict", row.conflict_id)
    item = _item(row, access.current_user(request), clock.now())
    return render_page(request, "campaigns/scenarios/proposed_one.html", {"item": item, "campaign": row.campaign})


def _item(row: Resolution, user: User, now: datetime) -> dict[str, Any]:
    assert row.campaign is not None
    figures, found = row.parameters, [*row.measured.get("settles", ()), *row.measured.get("brings", ())]
    names = dict(Campaign.objects.filter(pk__in={pk for each in found for pk in each["campaigns"] if pk}).values_list("pk", "name"))
    label = words.step(figures["step"], row.campaign.name, figures, figures.get("message"))
    return asked.item(row, label, user=user, now=now) | {
        "url": agree.address(row), "departments": list(row.needs_departments.all()),
        "good": [words.settled(each, names, row.campaign.pk) for each in row.measured.get("settles", ())],
        "bad": [words.brought(each, names, row.campaign.pk) for each in row.measured.get("brings", ())], "whole": _whole(row),
    }


def _whole(row: Resolution) -> dict[str, int]:
    """The re-plan that the change is a part of: its changes, and the conflicts of weight before and after all of them."""
    change = row.scenario_changes.select_related("scenario").first()
    measured = change.scenario.measured if change else {}
    if not {"before", "after"} <= set(measured) or change is None:
        return {}
    found = {
        when: sum(n for level, n in measured[when]["conflicts"].items() if int(level) >= Severity.MEDIUM) for when in ("before", "after")
    }
    return found | {"changes": change.scenario.changes.count()}
