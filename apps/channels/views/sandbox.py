"""The sandbox inbox: what was really handed over to the local counterparts."""

import json
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import access, audit, masking
from apps.channels.counterparts import inbox, place
from apps.channels.kinds import Channel
from apps.channels.models import CallTask, ChannelAccount
from apps.core import clock
from apps.core.http import render_page

TABS = (Channel.EMAIL, Channel.SMS, Channel.LETTER, Channel.CALL)
_NOTHING = ["'none'"]


def _mask(request: HttpRequest, channel: str, address: str) -> str:
    if channel == Channel.EMAIL:
        return masking.mask_email(request.user, address)
    if channel == Channel.LETTER:
        return masking.mask_name(request.user, address)
    return masking.mask_phone(request.user, address)


def _may_open(request: HttpRequest) -> bool:
    # where nothing real is sent, messages are there to be looked at; in production they are people's own
    return not settings.PRODUCTION or access.can_open_people(request.user)


@access.signed_in
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Everything the counterparts of one channel got, newest first."""
    channel = request.GET.get("channel", Channel.EMAIL)
    if channel not in TABS:
        raise Http404
    counts = inbox.counts()
    calls = CallTask.objects.order_by("-created_at", "-id")
    sizes = {each: counts[each].messages if each in counts else 0 for each in TABS} | {Channel.CALL: calls.count()}
    context: dict[str, Any] = {
        "channel": channel,
        "tabs": [(c.value, f"{c.label} ({sizes[c]})", f"?channel={c.value}") for c in TABS],
        "search": request.GET.get("q", ""),
        "count": counts.get(channel),
        "running": place.find(Path(settings.SANDBOX_DIR)) is not None,
    }
    context |= _calls(request, calls) if channel == Channel.CALL else _messages(request, channel)
    return render_page(request, "channels/inbox.html", context, partial="list")


def _number(request: HttpRequest) -> int:
    given = request.GET.get("page", "1")
    return int(given) if given.isdecimal() and len(given) < 7 else 1


def _messages(request: HttpRequest, channel: str) -> dict[str, Any]:
    found = inbox.messages(channel, request.GET.get("q", "")[:100], _number(request))
    rows = [
        {"got": got, "address": _mask(request, channel, got.address), "at": _moment(got.at)} for got in found.messages
    ]
    pages = Paginator(range(found.total), 50)
    return {"rows": rows, "page": pages.get_page(found.number)}


def _calls(request: HttpRequest, calls: Any) -> dict[str, Any]:
    page = Paginator(calls.select_related("agent"), 50).get_page(_number(request))
    rows = [
        {
            "call": call,
            "name": masking.mask_name(request.user, call.name),
            "phone": masking.mask_phone(request.user, call.phone),
        }
        for call in page
    ]
    return {"rows": rows, "page": page}


def _moment(seconds: float) -> Any:
    return clock.now().fromtimestamp(seconds, tz=clock.now().tzinfo)


def _got(request: HttpRequest, number: int) -> inbox.Got:
    access.require(_may_open(request), _("Messages to people may be opened by those who handle personal data."))
    got = inbox.message(number) if number < 2**63 else None
    if got is None:
        raise Http404
    return got


@access.signed_in
@require_safe
def message(request: HttpRequest, number: int) -> HttpResponse:
    """One message, as the person sees it, with what lies behind."""
    got = _got(request, number)
    account = ChannelAccount.objects.filter(channel=got.channel, is_sandbox=True).first()
    if account:
        where = f"/inbox/{number}/"
        audit.opened_people(actor=request.user, subject=account, count=1, where=where, now=clock.now())  # type: ignore[arg-type]
    context: dict[str, Any] = {"got": got, "at": _moment(got.at), "channel": got.channel}
    if got.channel == Channel.EMAIL:
        context |= _mail(got)
    elif got.channel == Channel.SMS:
        context["fields"] = json.loads(got.body)
    else:
        name, page, pages = got.body.decode().split()
        context |= {"file": name, "first_page": page, "pages": pages}
    return render_page(request, "channels/inbox_message.html", context)


def _mail(got: inbox.Got) -> dict[str, Any]:
    mail: EmailMessage = message_from_bytes(got.body, policy=policy.default)
    text = mail.get_body(("plain",))
    return {
        "headers": [(name, str(value)) for name, value in mail.items()],
        "text": text.get_content() if text else "",
        "size": len(got.body),
    }


@access.signed_in
@require_safe
@xframe_options_sameorigin
@csp_replace(  # type: ignore[arg-type]  # its types know no view with arguments
    {
        "default-src": _NOTHING,
        "img-src": ["https:", "http:", "data:"],
        "style-src": ["'unsafe-inline'"],
        "font-src": ["https:", "data:"],
        "script-src": _NOTHING,
        "frame-ancestors": ["'self'"],
        "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    }
)
def html(request: HttpRequest, number: int) -> HttpResponse:
    """The HTML of an e-mail, for a frame that may run nothing."""
    got = _got(request, number)
    mail: EmailMessage = message_from_bytes(got.body, policy=policy.default)
    body = mail.get_body(("html",)) if got.channel == Channel.EMAIL else None
    if body is None:
        raise Http404
    page = body.get_content()
    # links open beside Concord; the frame itself has nowhere to go
    head = '<base target="_blank">'
    start = page.lower().find("<head>")
    return HttpResponse(page[: start + 6] + head + page[start + 6 :] if start >= 0 else head + page)


@access.signed_in
@require_safe
@xframe_options_sameorigin
def letter(request: HttpRequest, number: int) -> FileResponse:
    """The PDF in which a letter stands."""
    got = _got(request, number)
    if got.channel != Channel.LETTER:
        raise Http404
    path = Path(settings.SANDBOX_DIR) / "letters" / Path(got.body.decode().split()[0]).name
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), content_type="application/pdf", filename=path.name)


@access.signed_in
@require_POST
def reply(request: HttpRequest, number: int) -> HttpResponse:
    """Lets the person of a text message answer it: the counterpart posts it to our webhook, signed."""
    _got(request, number)
    endpoints = place.find(Path(settings.SANDBOX_DIR))
    text = request.POST.get("text", "")[:300].strip()
    words = _("The sandbox's provider does not run.")
    if endpoints and text:
        status, words = _say(endpoints, {"id": str(number), "text": text})
        if status == 200:
            messages.success(request, _("The answer was posted to Concord as the provider would."))
            return redirect("channels:inbox_message", number=number)
    messages.error(request, words)
    return redirect("channels:inbox_message", number=number)


def _say(endpoints: place.Endpoints, fields: dict[str, str]) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", endpoints.http, timeout=10)
    try:
        connection.request("POST", "/control/reply", urlencode(fields))
        answer = connection.getresponse()
        return answer.status, str(json.loads(answer.read()).get("message", ""))
    except (OSError, ValueError) as problem:
        return 0, str(problem)
    finally:
        connection.close()
