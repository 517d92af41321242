"""The further rule of a message's audience, edited with the tree of the segments and counted while it changes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts import access
from apps.core import clock
from apps.core.http import number, wants_partial
from apps.customers import segments
from apps.customers.segments import form as tree
from apps.customers.segments.counting import counted

from .. import audiences, planning
from ..models import Message
from . import frame, parts

_FIRST: dict[str, Any] = {"all": []}


@access.role("marketer", "lead")
@require_http_methods(["GET", "POST"])
def rule(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """Every button posts the whole tree and gets it back changed and counted; saving puts it on the message."""
    message = frame.load_message(pk, message_pk)
    frame.require_editor(request, message.campaign)
    problems: list[str] = []
    version = message.version
    root = tree.from_rule(message.audience_rule or _FIRST)
    if request.method == "POST":
        root, action = tree.from_post(request.POST), request.POST.get("do", "")
        version = number(request.POST.get("version"))
        if action in ("save", "clear"):
            problems, version = _save(request, message, {} if action == "clear" else _rule(root), version)
            if not problems:
                return redirect(f"{reverse('campaigns:audience', args=[pk])}#m{message.pk}")
        root = tree.apply(root, action)
    ruling = _shown(message, root) | {"problems": problems, "version": version}
    if wants_partial(request):
        return render(request, "campaigns/_rule.html", ruling | {"campaign": message.campaign})
    page = parts.audience_with(request, frame.load(pk), ruling=message.pk, **ruling)
    return render(request, "campaigns/audience.html", page, status=409 if problems else 200)


def _rule(root: tree.Node) -> dict[str, Any]:
    return tree.to_rule(root) if root.children else {}


def _save(request: HttpRequest, message: Message, wanted: dict[str, Any], version: int) -> tuple[list[str], int]:
    """What prevents saving, in words, and the version on which a second try would build."""
    problems = segments.problems(wanted) if wanted else []
    if problems:
        return problems, version
    try:
        saved = planning.change_message(
            actor=access.current_user(request), message=message, values={"audience_rule": wanted},
            expected_version=version, now=clock.now(),
        )  # fmt: skip
    except planning.EditedMeanwhile as edited:
        return [str(edited)], edited.version
    except ValidationError as problem:
        return list(problem.messages), version
    audiences.refresh(saved, now=clock.now())
    notices.success(request, _("Saved."))
    return [], version


def _shown(message: Message, root: tree.Node) -> dict[str, Any]:
    """The tree with a count at every node, and how many people of the message's segments it leaves."""
    now, wanted = clock.now(), _rule(root)
    left = None
    if not segments.problems(whole := audiences.rule_of(message, wanted)):
        left = segments.count(whole, now=now)
    return {
        "message": message, "root": counted(root, None, now), "left": left,
        "criteria": [(code, str(one.label)) for code, one in segments.CRITERIA.items()],
        "describe": segments.describe(wanted) if wanted else "",
    }  # fmt: skip
