"""Audiences: list, rule editor with live counts, who is in, who fell out and why."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from pyroaring import BitMap

from apps.accounts import access, audit
from apps.core import clock, navigation
from apps.core.http import render_page
from apps.customers import segments
from apps.customers.models import Customer, Segment
from apps.customers.models.segments import SegmentKind
from apps.customers.segments import form as tree_form
from apps.customers.segments import keeping
from apps.customers.segments.counting import counted

from . import showing

PAGE = 50


@access.signed_in
def segment_list(request: HttpRequest) -> HttpResponse:
    words, whose = request.GET.get("q", "").strip(), request.GET.get("whose", "")
    found = (
        Segment.objects.filter(archived_at=None)
        .select_related("department", "owner")
        .defer("people", "previous_people")
    )
    if words:
        found = found.filter(name__icontains=words)
    user = access.current_user(request)
    if whose == "mine":
        found = found.filter(department=user.department)
    rows = [(one, segments.describe(one.rule) if one.kind == SegmentKind.RULE else "") for one in found]
    context = {"rows": rows, "q": words, "whose": whose, "can_make": user.role != "agent"}
    return render_page(request, "customers/segments.html", context, "segments")


def _may_edit(user: Any, segment: Segment) -> bool:
    return user.role != "agent" and (segment.department_id is None or access.can_edit(user, segment.department_id))


@access.signed_in
def segment_page(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Who is in now, who fell out since the last count and why."""
    user, now = access.current_user(request), clock.now()
    segment = get_object_or_404(Segment.objects.select_related("department", "owner"), pk=segment_id)
    context: dict[str, Any] = {"segment": segment, "can_edit": _may_edit(user, segment), "problems": []}
    try:
        people = segments.people_of(segment, now=now)
    except segments.BrokenRule as error:
        return render_page(request, "customers/segment.html", context | {"problems": error.problems})
    sample = showing.sample(user, people)
    if sample:
        audit.opened_people(actor=user, subject=segment, count=len(sample), where="segment", now=now)
    context |= {
        "count": len(people), "sample": sample, "now": now, "masked": not access.can_open_people(user),
        "sentence": segments.describe(segment.rule) if segment.kind == SegmentKind.RULE else "",
        "overlap_url": _overlap_url(segment), "used_url": "",
    } | _moves(user, segment, people, now)  # fmt: skip
    return render_page(request, "customers/segment.html", context)


def _overlap_url(segment: Segment) -> str:
    from django.urls import NoReverseMatch, reverse

    try:
        return reverse("campaigns:segment_overlap", args=[segment.pk])
    except NoReverseMatch:
        return navigation.address("campaigns:segment_overlap")


def _moves(user: Any, segment: Segment, people: BitMap, now: Any) -> dict[str, Any]:
    """Who came and went since the last count that differed."""
    if segment.kind == SegmentKind.STATIC:
        return {}
    earlier, since = segment.people, segment.computed_at
    if earlier is None or earlier == people:
        earlier, since = segment.previous_people, segment.previous_at
    if earlier is None:
        return {}
    fell = earlier - people
    reasons = [
        {"words": words, "count": len(who), "sample": showing.sample(user, who, 5)}
        for words, who in (segments.why_not(segment.rule, fell, now=now) if fell else [])
    ]
    return {"since": since, "fell": len(fell), "joined": len(people - earlier), "reasons": reasons}


@access.signed_in
def edit(request: HttpRequest, segment_id: int | None = None) -> HttpResponse:
    """The rule editor: every button posts the whole form, and gets it back changed and counted."""
    user, now = access.current_user(request), clock.now()
    segment = get_object_or_404(Segment, pk=segment_id) if segment_id else Segment()
    access.require(
        _may_edit(user, segment), _("Only the department that made this audience changes it. Copy it instead.")
    )
    if segment.kind == SegmentKind.STATIC:
        raise Http404
    problems: list[str] = []
    if request.method == "POST":
        root = tree_form.from_post(request.POST)
        action = request.POST.get("do", "")
        if action == "save":
            saved = _save(request, segment, root)
            if isinstance(saved, HttpResponse):
                return saved
            problems = saved
        root = tree_form.apply(root, action)
        segment.name = request.POST.get("name", "")[:120]
        segment.description = request.POST.get("description", "")
    else:
        start = segment.rule or {"all": [{"is": "attribute", "field": "country", "op": "is", "value": ""}]}
        root = tree_form.from_rule(start)
    context = {
        "segment": segment, "segment_id": segment_id, "version": request.POST.get("version", segment.version),
        "root": counted(root, segment_id, now), "problems": problems, "criteria": _criteria(),
        "describe": segments.describe(tree_form.to_rule(root)) if root.children else "",
    }  # fmt: skip
    return render_page(request, "customers/segment_edit.html", context, "editor")


def _criteria() -> list[tuple[str, str]]:
    return [(code, str(one.label)) for code, one in segments.CRITERIA.items()]


def _save(request: HttpRequest, segment: Segment, root: tree_form.Node) -> HttpResponse | list[str]:
    name = request.POST.get("name", "").strip()
    if not name:
        return [_("Give the audience a name.")]
    version = request.POST.get("version", "")
    try:
        saved = keeping.save(
            segment=segment, name=name, description=request.POST.get("description", ""), rule=tree_form.to_rule(root),
            expected_version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            actor=access.current_user(request), now=clock.now(),
        )  # fmt: skip
    except segments.BrokenRule as error:
        return error.problems
    except keeping.EditedMeanwhile as error:
        return [str(error)]
    messages.success(request, _("Saved."))
    return redirect("customers:segment", saved.pk)


@access.signed_in
def people(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Everybody in a segment now, a page at a time."""
    user, now = access.current_user(request), clock.now()
    segment = get_object_or_404(Segment, pk=segment_id)
    after = request.GET.get("after", "")
    try:
        found = segments.people_of(segment, now=now)
    except segments.BrokenRule as error:
        messages.error(request, str(error))
        return redirect("customers:segment", segment.pk)
    start = found.rank(int(after)) if after.isdecimal() and int(after) < 2**32 else 0
    ids = list(found[start : start + PAGE])
    shown = showing.lines(user, Customer.objects.filter(pk__in=ids).order_by("pk"))
    audit.opened_people(actor=user, subject=segment, count=len(shown), where="segment people", now=now)
    context = {
        "segment": segment, "people": shown, "count": len(found), "start": start + 1, "end": start + len(ids),
        "next": ids[-1] if start + PAGE < len(found) else None, "masked": not access.can_open_people(user),
    }  # fmt: skip
    return render_page(request, "customers/segment_people.html", context)


@access.role("marketer", "lead", "administrator")
def new_list(request: HttpRequest) -> HttpResponse:
    """A fixed list from lines of addresses or ids."""
    name, text, unknown = request.POST.get("name", "").strip(), request.POST.get("lines", ""), list[str]()
    if request.method == "POST":
        found, unknown = keeping.resolve(text.splitlines()[:5000])
        if name and found and (not unknown or request.POST.get("anyway")):
            made = keeping.make_list(name=name, people=found, actor=access.current_user(request), now=clock.now())
            return redirect("customers:segment", made.pk)
        if not name:
            messages.error(request, _("Give the list a name."))
        elif not found:
            messages.error(request, _("None of these lines names somebody Concord knows."))
    return render_page(request, "customers/segment_new_list.html", {"name": name, "text": text, "unknown": unknown})


@access.signed_in
@require_POST
def act(request: HttpRequest, segment_id: int, action: str) -> HttpResponse:
    """Count anew, copy, freeze as a fixed list, archive."""
    user, now = access.current_user(request), clock.now()
    segment = get_object_or_404(Segment, pk=segment_id)
    access.require(user.role != "agent")
    try:
        if action == "refresh":
            segments.refresh(segment, now=now)
        elif action == "copy":
            return redirect("customers:segment", keeping.copy(segment=segment, actor=user, now=now).pk)
        elif action == "freeze":
            found = segments.people_of(segment, now=now)
            name = _("%(name)s, fixed on %(day)s") % {"name": segment.name, "day": clock.company_day(now)}
            return redirect("customers:segment", keeping.make_list(name=name, people=found, actor=user, now=now).pk)
        elif action == "archive":
            access.require(_may_edit(user, segment))
            keeping.archive(segment=segment, actor=user, now=now)
            return redirect("customers:segments")
        else:
            raise Http404
    except segments.BrokenRule as error:
        messages.error(request, str(error))
    return redirect("customers:segment", segment.pk)
