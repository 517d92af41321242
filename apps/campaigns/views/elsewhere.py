"""A message that another tool sends: its audience and its contacts come in here as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import access, audit
from apps.core import clock
from apps.customers.imports.dialect import FileRefused

from .. import partners
from ..elsewhere import files, lists, overview
from ..models import CatchAll, Message, MessageKind
from . import frame

# Larger files are for the command, which keeps nobody waiting at a page.
LARGEST = 10 * 1024 * 1024


def _load(pk: int, message_pk: int) -> Message:
    message = frame.load_message(pk, message_pk)
    if message.kind != MessageKind.ELSEWHERE:
        raise Http404
    return message


@access.signed_in
@require_GET
def show(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """What is planned, what was told, and where to hand files in."""
    return _page(request, _load(pk, message_pk))


def _page(request: HttpRequest, message: Message, status: int = 200, **extra: Any) -> HttpResponse:
    campaign = frame.load(message.campaign_id)
    page = frame.context(request, campaign, "messages", message=message, standing=overview.of(message, now=clock.now()), **extra)
    page["is_catch_all"] = CatchAll.objects.filter(message=message).exists()
    return render(request, "campaigns/message_elsewhere.html", page, status=status)


@contextmanager
def _uploaded(request: HttpRequest) -> Iterator[Path]:
    """The file of the request, on disk as long as it is read. Raises FileRefused in words."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise FileRefused(_("Choose a file first."))
    if (file.size or 0) > LARGEST:
        raise FileRefused(_("The file is larger than 10 MB. Hand it in by the command tell_contacts or in parts."))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as copy:
            for piece in file.chunks():
                copy.write(piece)
        yield path


@access.role("marketer", "lead")
@require_POST
def tell(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """Contacts that were made. What has happened is taken in whatever state the campaign is."""
    message, user, now = _load(pk, message_pk), access.current_user(request), clock.now()
    access.require(partners.may_edit(user, message.campaign))
    try:
        with _uploaded(request) as path:
            report = files.read_contacts(
                path, department=message.campaign.department, now=now, message=message, country=request.POST.get("country", "")
            )
    except FileRefused as problem:
        return _page(request, message, 422, refused=str(problem))
    figures = {"recorded": report.recorded, "known": report.known, "refused": report.refused}
    department = message.campaign.department
    audit.record(actor=user, action="contacts.told", subject=message, department=department, after=figures, now=now)
    return _page(request, message, report=report)


@access.role("marketer", "lead")
@require_POST
def audience(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """The people for whom the other tool plans it."""
    message, user = _load(pk, message_pk), access.current_user(request)
    frame.require_editor(request, message.campaign)
    try:
        with _uploaded(request) as path:
            people, report = files.read_people(path, country=request.POST.get("country", ""))
    except FileRefused as problem:
        return _page(request, message, 422, refused=str(problem))
    if not people:
        return _page(request, message, 422, refused=_("No row of the file names anybody Concord knows."), report=report)
    frame.attempt(
        request,
        lambda: lists.make_audience(message=message, people=people, actor=user, now=clock.now()),
        _("The list is the audience now."),
    )
    if report.refused:
        return _page(request, frame.load_message(pk, message_pk), report=report, is_audience=True)
    return redirect("campaigns:message-elsewhere", pk, message_pk)
