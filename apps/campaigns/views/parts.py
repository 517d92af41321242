"""The tabs audience, messages, schedule; a new message, a copy, taking one out."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts import access
from apps.core import clock
from apps.core.http import number
from apps.customers import segments

from .. import audiences, copying, planning
from ..forms.messages import AudienceForm, MessageForm, NewMessageForm, ScheduleForm
from ..models import Campaign, Message
from . import frame
from .plans import _again, differing


@access.signed_in
@require_GET
def messages(request: HttpRequest, pk: int) -> HttpResponse:
    """The messages of a campaign."""
    return render(request, "campaigns/messages.html", frame.context(request, frame.load(pk), "messages"))


@access.role("marketer", "lead")
@require_http_methods(["GET", "POST"])
def new_message(request: HttpRequest, pk: int) -> HttpResponse:
    """One more message."""
    campaign = frame.load(pk)
    frame.require_editor(request, campaign)
    form = NewMessageForm(request.POST or None, instance=Message(campaign=campaign, send_at=clock.now()), initial=_usual(campaign))
    if request.method == "POST" and form.is_valid():
        try:
            made = planning.add_message(
                actor=access.current_user(request), campaign=campaign, values=form.values(), now=clock.now()
            )
        except ValidationError as problem:
            frame.put_errors(form, problem)
        else:
            return redirect("campaigns:message", pk, made.pk)
    return render(request, "campaigns/message_new.html", frame.context(request, campaign, "messages", form=form))


def _usual(campaign: Campaign) -> dict[str, Any]:
    """What the last message used is the likeliest for the next."""
    last = campaign.messages.order_by("-id").first()
    common = {"day": campaign.starts_on, "clock": "10:00"}
    if last is None:
        return common
    offer = None if last.offer_inherited else last.offer_id
    return common | {"purpose": last.purpose_id, "offer": offer, "include": list(last.include.all())}


Forms = type[AudienceForm] | type[ScheduleForm] | type[MessageForm]


def _forms_page(request: HttpRequest, pk: int, tab: str, kind: Forms) -> HttpResponse:
    """A tab with one form per message; a post saves the one it names."""
    campaign = frame.load(pk)
    plan = frame.plan_of(campaign)
    bound: dict[int, Any] = {}
    conflicts: dict[int, Any] = {}
    if request.method == "POST":
        frame.require_editor(request, campaign)
        message = frame.load_message(pk, number(request.POST.get("message")))
        form = kind(request.POST, instance=message, prefix=f"m{message.pk}")
        edited = save(request, form, message)
        if edited is None and form.is_valid():
            return redirect(f"campaigns:{tab}", pk)
        bound[message.pk] = form
        if edited:
            conflicts[message.pk] = differing(edited, Message)
    page = frame.context(
        request, campaign, tab, rows=_rows(plan, kind, bound, conflicts), plan=plan, zone=clock.company_zone().key
    )
    return render(request, f"campaigns/{tab}.html", page, status=409 if conflicts else 200)


def _rows(plan: list[Message], kind: Forms, bound: dict[int, Any], conflicts: dict[int, Any]) -> list[dict[str, Any]]:
    return [
        {
            "message": m,
            "form": bound.get(m.pk) or kind(instance=m, prefix=f"m{m.pk}"),
            "differing": conflicts.get(m.pk),
            "rule": segments.describe(m.audience_rule) if kind is AudienceForm and m.audience_rule else "",
        }
        for m in plan
    ]


def audience_with(request: HttpRequest, campaign: Campaign, **extra: Any) -> dict[str, Any]:
    """The context of the audience tab, with one card opened further by ``extra``."""
    plan = frame.plan_of(campaign)
    return frame.context(request, campaign, "audience", rows=_rows(plan, AudienceForm, {}, {}), plan=plan, **extra)


def save(request: HttpRequest, form: Any, message: Message) -> planning.EditedMeanwhile | None:
    """Save a message's form; the other's version when somebody was faster. Refusals stand in the form."""
    if not form.is_valid():
        return None
    try:
        saved = planning.change_message(
            actor=access.current_user(request), message=message, values=form.values(),
            expected_version=form.cleaned_data["version"] or 0, now=clock.now(),
        )  # fmt: skip
    except planning.EditedMeanwhile as edited:
        form.data = form.data.copy()
        form.data[form.add_prefix("version")] = edited.version
        return edited
    except ValidationError as problem:
        frame.put_errors(form, problem)
        return None
    if isinstance(form, AudienceForm):
        audiences.refresh(saved, now=clock.now())
    notices.success(request, _("Saved."))
    return None


@access.signed_in
@require_http_methods(["GET", "POST"])
def audience(request: HttpRequest, pk: int) -> HttpResponse:
    """For whom each message is."""
    return _forms_page(request, pk, "audience", AudienceForm)


@access.signed_in
@require_http_methods(["GET", "POST"])
def schedule(request: HttpRequest, pk: int) -> HttpResponse:
    """When each message goes out."""
    return _forms_page(request, pk, "schedule", ScheduleForm)


@access.signed_in
@require_http_methods(["GET", "POST"])
def settings(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """A message's channel, purpose, account, offer and split."""
    message = frame.load_message(pk, message_pk)
    form = MessageForm(request.POST or None, instance=frame.load_message(pk, message_pk))
    edited = None
    if request.method == "POST":
        frame.require_editor(request, message.campaign)
        edited = save(request, form, message)
        if edited is None and form.is_valid():
            return redirect("campaigns:message", pk, message_pk)
        if edited:
            form = _again(form, edited)
    extra = {"form": form, "message": message, "differing": differing(edited, Message)}
    page = frame.context(request, frame.load(pk), "messages", **extra)
    return render(request, "campaigns/message_settings.html", page, status=409 if edited else 200)


@access.role("marketer", "lead")
@require_POST
def copy_message(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    message = frame.load_message(pk, message_pk)
    frame.attempt(
        request,
        lambda: copying.copy_message(actor=access.current_user(request), message=message, now=clock.now()),
        _("Copied. Give the copy its own time."),
    )
    return redirect("campaigns:messages", pk)


@access.role("marketer", "lead")
@require_POST
def remove_message(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    message = frame.load_message(pk, message_pk)
    frame.attempt(
        request,
        lambda: planning.remove_message(actor=access.current_user(request), message=message, now=clock.now()),
        _("Taken out of the plan."),
    )
    return redirect("campaigns:messages", pk)
