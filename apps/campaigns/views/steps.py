"""Approve, schedule, pause, resume, cancel: the buttons that move a campaign on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.forms import DateField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import access
from apps.core import clock

from .. import approval, launch, locking, signing
from ..models import Campaign
from . import frame


@access.signed_in
@require_GET
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """What was asked, what would be signed, what changed since the last signature."""
    campaign = frame.load(pk)
    asked = approval.open_request(campaign)
    before = _signed_before(campaign)
    extra = {
        "asked": asked,
        "given": approval.current(campaign),
        "digest": signing.digest(signing.snapshot(campaign)),
        "changes": approval.changes_since(before) if before else [],
        "before": before,
        "rounds": campaign.approvals.select_related("asked_by", "decided_by"),
        "obstacles": launch.obstacles(campaign, now=clock.now()) if campaign.status in ("approved", "draft", "in_review") else [],
        "repeats": campaign.messages.exclude(recurrence="").exists(),
    }
    return render(request, "campaigns/approve.html", frame.context(request, campaign, "approve", **extra))


def _signed_before(campaign: Campaign) -> Any:
    """The newest approval that somebody once gave, when it is not in force any more."""
    if approval.current(campaign):
        return None
    return campaign.approvals.filter(state="void").exclude(decided_by=None).first()


@access.role("marketer", "lead", "administrator")
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The approver's yes or no."""
    campaign, user, now = frame.load(pk), access.current_user(request), clock.now()
    note = request.POST.get("note", "")
    try:
        until = DateField(required=False).clean(request.POST.get("valid_until", ""))
    except ValidationError as problem:
        notices.error(request, " ".join(problem.messages))
        return redirect("campaigns:approve", pk)
    if request.POST.get("answer") == "yes":
        frame.attempt(
            request,
            lambda: approval.approve(
                actor=user, campaign=campaign, seen_digest=request.POST.get("digest", ""), note=note,
                valid_until=until, now=now,
            ),
            _("Approved. It can be scheduled now."),
        )  # fmt: skip
    else:
        frame.attempt(
            request, lambda: approval.reject(actor=user, campaign=campaign, note=note, now=now), _("Sent back with your note.")
        )
    return redirect("campaigns:approve", pk)


STEPS: dict[str, Callable[..., Any]] = {
    "submit": approval.submit,
    "withdraw": approval.withdraw,
    "launch": launch.schedule,
    "pause": launch.pause,
    "resume": launch.resume,
    "cancel": launch.cancel,
}


@access.role("marketer", "lead")
@require_POST
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One step on; a second click finds it done and changes nothing."""
    campaign = frame.load(pk)
    given: dict[str, Any] = {"actor": access.current_user(request), "campaign": campaign, "now": clock.now()}
    if name == "submit":
        given["note"] = request.POST.get("note", "")
    done = frame.attempt(request, lambda: STEPS[name](**given), _said(name))
    stays = name == "submit" or (name == "launch" and not done)
    return redirect("campaigns:approve" if stays else "campaigns:detail", pk)


def _said(name: str) -> str:
    return {
        "submit": _("Asked. The lead of your department was told."),
        "withdraw": _("Taken back; the campaign is a draft again."),
        "launch": _("Scheduled. It goes out as planned."),
        "pause": _("Paused. Nothing more leaves until you resume."),
        "resume": _("It goes on."),
        "cancel": _("Cancelled. Nobody else is contacted by it."),
    }[name]


@access.role("lead", "administrator", "marketer")
@require_POST
def lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Its lead (or whoever stands in for one) locks the campaign as it is, or unlocks it."""
    campaign, why = frame.load(pk), request.POST.get("why", "")
    said = _("Locked: it stays as it is.") if why else _("Unlocked: it may be moved again.")

    def act() -> Campaign:
        user, reason = access.current_user(request), request.POST.get("reason", "")
        return locking.lock(actor=user, campaign=campaign, why=why, reason=reason, now=clock.now())

    frame.attempt(request, act, said)
    return redirect("campaigns:detail", pk)
