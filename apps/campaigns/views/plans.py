"""The list of campaigns, a new one, its brief, a copy."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts import access, audit
from apps.accounts.models import Department
from apps.core import clock
from apps.core.http import number, render_page

from .. import copying, inheritance, moving, planning
from ..forms.campaigns import CampaignForm, CopyForm
from ..models import Campaign, CampaignStatus, Programme
from ..models.plan import Lock
from . import frame

PAGE = 40


@access.signed_in
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """All departments' campaigns; filters stand in the address."""
    wanted = {name: request.GET.get(name, "") for name in ("status", "department", "q")}
    page = Paginator(_filtered(wanted), PAGE).get_page(request.GET.get("page"))
    return render_page(
        request,
        "campaigns/list.html",
        {
            "page": page, "wanted": wanted, "departments": Department.objects.all(), "statuses": CampaignStatus.choices,
            "may_plan": access.can_edit(request.user, access.current_user(request).department_id),
        },
        "rows",
    )  # fmt: skip


def _filtered(wanted: dict[str, str]) -> QuerySet[Campaign]:
    found = Campaign.objects.select_related("department", "owner", "programme").prefetch_related("partners").annotate(
        message_count=Count("messages"), planned_people=Sum("messages__plan_count")
    )
    if wanted["status"] in CampaignStatus.values:
        found = found.filter(status=wanted["status"])
    elif wanted["status"] == "open":
        found = found.exclude(status__in=planning.CLOSED)
    if wanted["department"]:
        joint = Campaign.objects.filter(partners__slug=wanted["department"])
        found = found.filter(Q(department__slug=wanted["department"]) | Q(pk__in=joint))
    if wanted["q"]:
        found = found.filter(Q(name__icontains=wanted["q"]) | Q(goal__icontains=wanted["q"]) | Q(owner__name__icontains=wanted["q"]))
    return found.order_by("-starts_on", "name")


@access.role("marketer", "lead")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new campaign of one's own department."""
    user = access.current_user(request)
    access.require(user.department is not None, _("You belong to no department yet; an administrator can change that."))
    assert user.department is not None
    programme = Programme.objects.filter(pk=number(request.GET.get("programme"))).first()
    form = CampaignForm(
        request.POST or None, department=user.department, instance=Campaign(programme=programme, department=user.department),
        initial={"owner": user} | _days(request, programme),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            campaign = planning.create_campaign(
                actor=user, department=user.department, values=form.values(), now=clock.now()
            )
        except ValidationError as problem:
            frame.put_errors(form, problem)
        else:
            return redirect("campaigns:messages", campaign.pk)
    return render(request, "campaigns/new.html", {"form": form})


def _days(request: HttpRequest, programme: Programme | None) -> dict[str, Any]:
    """The days to begin with: the programme's, else those of the address (a day of the calendar), else today."""
    if programme:
        return {"starts_on": programme.starts_on, "ends_on": programme.ends_on, "takes_dates": True}
    today = clock.company_day(clock.now())
    return {name: request.GET.get(name) or today for name in ("starts_on", "ends_on")}


@access.signed_in
@require_http_methods(["GET", "POST"])
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The brief: what the campaign is about."""
    campaign = frame.load(pk)
    form = CampaignForm(request.POST or None, instance=frame.load(pk), department=campaign.department)
    conflict: planning.EditedMeanwhile | None = None
    if request.method == "POST":
        frame.require_editor(request, campaign)
        if form.is_valid():
            try:
                _save_brief(request, campaign, form)
                return redirect("campaigns:detail", pk)
            except planning.EditedMeanwhile as edited:
                conflict = edited
                form = _again(form, edited)
            except ValidationError as problem:
                frame.put_errors(form, problem)
    history = [(_done(line.action), line) for line in audit.history(campaign).select_related("actor")[:20]]
    may_lock = access.can_approve(request.user, campaign.department_id) and campaign.status not in moving.BEGUN
    extra = {"form": form, "has": inheritance.of(campaign), "may_lock": may_lock, "locks": Lock.choices}
    extra |= {"conflict": conflict, "differing": differing(conflict, Campaign), "history": history}
    return render(
        request, "campaigns/brief.html", frame.context(request, campaign, "brief", **extra), status=409 if conflict else 200
    )


def _done(action: str) -> str:
    """An audit code in words."""
    words = {
        "campaign.created": _("Made"), "campaign.changed": _("Changed"), "campaign.copied": _("Copied"),
        "campaign.submitted": _("Approval asked for"), "campaign.approved": _("Approved"),
        "campaign.sent_back": _("Sent back"), "campaign.withdrawn": _("Question taken back"),
        "campaign.approval_void": _("Changed after approval"), "campaign.scheduled": _("Scheduled"),
        "campaign.paused": _("Paused"), "campaign.resumed": _("Resumed"), "campaign.cancelled": _("Cancelled"),
        "campaign.locked": _("Locked"), "campaign.unlocked": _("Unlocked"), "campaign.retimed": _("Messages moved"),
        "campaign.live": _("Went live"), "campaign.done": _("Done"), "campaign.signed_again": _("Signed again with a resolution"),
        "campaign.merged": _("Merged into a joint campaign"), "campaign.joined": _("Made of two campaigns"),
    }  # fmt: skip
    return words.get(action, action)


def _save_brief(request: HttpRequest, campaign: Campaign, form: CampaignForm) -> None:
    planning.change_campaign(
        actor=access.current_user(request), campaign=campaign, values=form.values(),
        expected_version=form.cleaned_data["version"] or 0, now=clock.now(),
    )  # fmt: skip
    notices.success(request, _("Saved."))


def _again(form: Any, edited: planning.EditedMeanwhile) -> Any:
    """The same form with what was typed, opened on the newest state: saving again then is a decision."""
    form.data = form.data.copy()
    form.data["version"] = edited.version
    return form


def differing(edited: planning.EditedMeanwhile | None, model: type[Any]) -> list[tuple[str, str, str]]:
    """(field in words, theirs, yours) for each field in which two versions differ."""
    if edited is None:
        return []
    names = {field.name: str(getattr(field, "verbose_name", field.name)) for field in model._meta.get_fields()}
    return [
        (names.get(field, field), _words(theirs), _words(yours)) for field, (theirs, yours) in edited.differing.items()
    ]


def _words(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value) or "–"
    return str(value) if value not in (None, "") else "–"


@access.role("marketer", "lead")
@require_http_methods(["GET", "POST"])
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Copy a campaign to other days."""
    campaign = frame.load(pk)
    start = max(clock.company_day(clock.now()), campaign.starts_on)
    form = CopyForm(request.POST or None, initial={"name": campaign.name, "starts_on": start})
    if request.method == "POST" and form.is_valid():
        made = copying.copy_campaign(
            actor=access.current_user(request), campaign=campaign, starts_on=form.cleaned_data["starts_on"],
            name=form.cleaned_data["name"], now=clock.now(),
        )  # fmt: skip
        notices.success(request, _("This is the copy. Its dates were moved; nothing is approved yet."))
        return redirect("campaigns:detail", made.pk)
    return render(request, "campaigns/copy.html", {"campaign": campaign, "form": form})
