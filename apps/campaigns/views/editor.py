"""The message editor: words per language and version, blocks, history, preview, test send."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from pyroaring import BitMap

from apps.accounts import access
from apps.channels.kinds import Channel
from apps.core import clock, formats
from apps.core.http import number, wants_partial
from apps.customers.models import Product

from .. import readiness
from ..content import blocks, editing, fields, liquid, mjml, sms, trial, versions
from ..models import Brand, ContentRevision, ContentVersion, Message, MessageKind
from . import frame

LANGUAGES = {"nb": "Norsk", "en": "English", "pl": "Polski", "de": "Deutsch", "sv": "Svenska", "da": "Dansk", "fr": "Français"}


@access.signed_in
@require_GET
def message(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """One message with all its versions; the chosen one open for editing."""
    shown = frame.load_message(pk, message_pk)
    if shown.kind == MessageKind.ELSEWHERE:
        return redirect("campaigns:message-elsewhere", pk, message_pk)
    return _page(request, shown, _chosen(request, shown))


def _chosen(request: HttpRequest, shown: Message) -> ContentVersion | None:
    every = list(shown.versions.all())
    return next((v for v in every if str(v.pk) == request.GET.get("version")), every[0] if every else None)


def _page(
    request: HttpRequest, shown: Message, version: ContentVersion | None, *, theirs: ContentVersion | None = None,
    status: int = 200, focus: str = "", saved: str = "",
) -> HttpResponse:  # fmt: skip
    campaign = frame.load(shown.campaign_id)
    every = list(shown.versions.order_by("variant", "language"))
    extra: dict[str, Any] = {
        "message": shown, "versions": every, "version": version, "theirs": theirs, "focus": focus, "saved": saved,
        "languages": LANGUAGES, "variants": sorted({v.variant for v in every} | {"A", "B"}),
        "fields": fields.offered(), "kinds": blocks.KINDS, "templates": mjml.TEMPLATES,
        "products": Product.objects.filter(is_active=True).only("id", "name")[:300],
        "people": list(versions.languages_in_use(BitMap(shown.plan_audience)))[:8] if shown.plan_audience else [],
        "person_wanted": request.GET.get("person", ""), "view": request.GET.get("view", "desktop"),
    }  # fmt: skip
    if version:
        extra |= _state(request, shown, version)
    page = frame.context(request, campaign, "messages", **extra)
    if wants_partial(request) and request.method == "POST":
        # HTMX swaps successful answers only; the words in the part say what went wrong
        return render(request, "campaigns/_editor.html", page)
    return render(request, "campaigns/message.html", page, status=status)


def _state(request: HttpRequest, shown: Message, version: ContentVersion) -> dict[str, Any]:
    """Problems, preview and history of the open version."""
    now, user = clock.now(), access.current_user(request)
    version.message = shown
    brand = Brand.objects.filter(department=shown.campaign.department_id).first()
    person = trial.person_for(shown, version, request.GET.get("person", ""))
    state: dict[str, Any] = {
        "problems": readiness.version_problems(version, brand, now=now),
        "revisions": version.revisions.select_related("saved_by")[:30],
        "person": person,
        "found": trial.search(user, request.GET.get("q", "")),
        "q": request.GET.get("q", ""),
        "testable": shown.channel in trial.TESTABLE and shown.account is not None,
    }
    try:
        seen = trial.preview(user, shown, version, person, now=now)
        state["seen"] = seen
        if shown.channel == Channel.SMS:
            state["measure"] = sms.priced(seen.text, version)
    except (liquid.TemplateProblem, ValidationError) as problem:
        state["unseen"] = str(problem)
    return state


def _version(pk: int, message_pk: int, version_pk: int) -> ContentVersion:
    version = get_object_or_404(ContentVersion, pk=version_pk, message_id=message_pk)
    version.message = frame.load_message(pk, message_pk)
    return version


def _address(version: ContentVersion) -> str:
    shown = version.message
    return f"{reverse('campaigns:message', args=[shown.campaign_id, shown.pk])}?version={version.pk}"


@access.role("marketer", "lead")
@require_POST
def save(request: HttpRequest, pk: int, message_pk: int, version_pk: int) -> HttpResponse:
    """Save the words; carry out a block's button; answer an autosave in JSON."""
    version = _version(pk, message_pk, version_pk)
    quiet = request.headers.get("X-Requested-With") == "autosave"
    try:
        saved = _saved(request, version)
    except versions.SavedMeanwhile as both:
        return JsonResponse({"text": str(both)}, status=409) if quiet else _both(request, version, both)
    except (ValidationError, PermissionDenied) as problem:
        text = " ".join(problem.messages) if isinstance(problem, ValidationError) else str(problem)
        if quiet:
            return JsonResponse({"text": text}, status=422)
        notices.error(request, text)
        return _unsaved(request, version)
    when = _("Saved %(time)s") % {"time": formats.moment(clock.now(), style="time")}
    if quiet:
        return JsonResponse({"version": saved.revision, "text": when})
    order = request.POST.get("do", "")
    if wants_partial(request):
        place = editing.next_place(version.blocks, saved.blocks, order)
        return _page(request, version.message, saved, focus=place, saved=when)
    moved = order.rpartition(":")[2]
    place = f"#block-{moved}" if any(block["id"] == moved for block in saved.blocks) else "#editor" if ":" in order else ""
    return redirect(_address(version) + place)


@access.role("marketer", "lead")
@require_POST
def measure(request: HttpRequest, pk: int, message_pk: int, version_pk: int) -> HttpResponse:
    """Encoding, parts and cost of a text message as it is being typed; nothing is saved."""
    version, now = _version(pk, message_pk, version_pk), clock.now()
    version.body = editing.read(request.POST, {}).get("body", version.body)
    person = trial.person_for(version.message, version, request.GET.get("person", ""))
    known = trial.facts_of(access.current_user(request), version.message, person, now=now, looked=False)
    context: dict[str, Any] = {}
    try:
        context["measure"] = sms.measure(version, known, now=now)
    except (liquid.TemplateProblem, ValidationError) as problem:
        context["unseen"] = str(problem)
    return render(request, "campaigns/_measure.html", context)


def _saved(request: HttpRequest, version: ContentVersion) -> ContentVersion:
    kinds = {block["id"]: block["kind"] for block in version.blocks}
    values = editing.read(request.POST, kinds)
    order = request.POST.get("do", "")
    if ":" in order and "blocks" in values:
        values["blocks"] = editing.act(values["blocks"], order)
    return versions.save(
        actor=access.current_user(request), version=version, values=values,
        expected_revision=number(request.POST.get("version")), now=clock.now(),
    )  # fmt: skip


def _both(request: HttpRequest, version: ContentVersion, both: versions.SavedMeanwhile) -> HttpResponse:
    """Your words in the form, theirs beside it; saving again is a decision, and theirs stay in the history."""
    mine = _with_posted(version, both.yours)
    mine.revision = both.current.revision
    return _page(request, version.message, mine, theirs=both.current, status=409)


def _unsaved(request: HttpRequest, version: ContentVersion) -> HttpResponse:
    """The form as it was typed: what could not be saved is not lost."""
    kinds = {block["id"]: block["kind"] for block in version.blocks}
    return _page(request, version.message, _with_posted(version, editing.read(request.POST, kinds)), status=422)


def _with_posted(version: ContentVersion, values: dict[str, Any]) -> ContentVersion:
    for name, value in values.items():
        setattr(version, name, value)
    version.blocks = [block for block in version.blocks if block.get("kind") in blocks.KINDS]
    return version


@access.role("marketer", "lead")
@require_POST
def add(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """One more language or version, with the words of an existing one to begin with."""
    shown = frame.load_message(pk, message_pk)
    source = shown.versions.filter(pk=number(request.POST.get("copy_of"))).first()
    language = request.POST.get("language", "")
    variant = request.POST.get("variant", "").strip() or "A"
    if language not in LANGUAGES or not re.fullmatch(r"[\w -]{1,40}", variant):
        notices.error(request, _("Choose a language of the list, and a short name for the version, such as B."))
        return redirect("campaigns:message", pk, message_pk)
    made = versions.add(
        actor=access.current_user(request), message=shown, language=language, variant=variant, copy_of=source, now=clock.now()
    )
    made.message = shown
    return redirect(_address(made))


@access.role("marketer", "lead")
@require_POST
def change(request: HttpRequest, pk: int, message_pk: int, version_pk: int, what: str) -> HttpResponse:
    """Make a version the fallback, remove it, or bring an earlier state back."""
    version, user, now = _version(pk, message_pk, version_pk), access.current_user(request), clock.now()
    if what == "fallback":
        versions.make_fallback(actor=user, version=version, now=now)
    elif what == "remove":
        versions.remove(actor=user, version=version, now=now)
        notices.success(request, _("The version was removed."))
        return redirect("campaigns:message", pk, message_pk)
    else:
        revision = get_object_or_404(ContentRevision, version=version, number=number(request.POST.get("number")))
        frame.attempt(
            request,
            lambda: versions.restore(actor=user, revision=revision, expected_revision=version.revision, now=now),
            _("Brought back. The newer words are in the history."),
        )
    return redirect(_address(version))


@access.signed_in
@require_GET
def revision(request: HttpRequest, pk: int, message_pk: int, version_pk: int, number: int) -> HttpResponse:
    """An earlier state beside the present one."""
    version = _version(pk, message_pk, version_pk)
    earlier = get_object_or_404(ContentRevision, version=version, number=number)
    rows = [(name, earlier.content.get(name), getattr(version, name)) for name in versions.CONTENT]
    changed = [(name, _readable(was), _readable(now)) for name, was, now in rows if was != now]
    extra = {"message": version.message, "version": version, "earlier": earlier, "changed": changed}
    return render(request, "campaigns/revision.html",
                  frame.context(request, frame.load(pk), "messages", **extra))  # fmt: skip


def _readable(value: Any) -> str:
    if isinstance(value, list):
        return "\n\n".join(
            "\n".join(f"{name}: {block[name]}" for name in ("kind", *blocks.FIELDS[block["kind"]]) if block.get(name))
            for block in value
        )
    return str(value or "")


@access.role("marketer", "lead")
@require_http_methods(["POST"])
def test_send(request: HttpRequest, pk: int, message_pk: int, version_pk: int) -> HttpResponse:
    """Really send the message to the author, as the customer looked at."""
    version = _version(pk, message_pk, version_pk)
    person = trial.person_for(version.message, version, request.POST.get("person", ""))
    try:
        to = trial.send(
            actor=access.current_user(request), message=version.message, version=version, person=person,
            number=request.POST.get("number", ""), now=clock.now(),
        )  # fmt: skip
        notices.success(request, _("Sent to %(address)s.") % {"address": to})
    except (trial.NotSent, liquid.TemplateProblem) as problem:
        notices.error(request, str(problem))
    return redirect(_address(version))
