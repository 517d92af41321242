"""Where people hand over: the agent's page of calls, the print files; and why one person did or did not get a message."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import DateField
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from apps.accounts import access, audit
from apps.accounts.masking import mask_name
from apps.accounts.models import User
from apps.channels import calls, prints
from apps.channels.models import CallState, CallTask, PrintBatch
from apps.core import clock
from apps.core.http import render_page
from apps.customers.models import Customer
from apps.customers.views import care

from .. import partners
from ..models import Delivery, Run
from ..sending import attempt, explain, hand_over, proof
from ..sending.occurrences import from_wall

CALLERS = ("agent", "lead", "administrator")
# When to call somebody again who asked for it: words are made in the page.
AGAIN = {"hour": timedelta(hours=1), "hours": timedelta(hours=3), "tomorrow": timedelta(days=1), "week": timedelta(days=7)}


@access.role(*CALLERS)
@require_GET
def calls_page(request: HttpRequest) -> HttpResponse:
    """The agent's page: the open call with its script, or the button for the next one."""
    user, now = access.current_user(request), clock.now()
    call = CallTask.objects.filter(state=CallState.OPEN, agent=user).order_by("opened_at").first()
    run = Run.objects.select_related("message__campaign__department").get(pk=call.run_id) if call else None
    context = {
        "call": call,
        "run": run,
        "care": care.card(request, Customer.objects.get(pk=call.customer_id)) if call else None,
        "outcomes": calls.OUTCOMES.items(),
        "waiting": calls.waiting(now).count(),
        "done_today": CallTask.objects.filter(agent=user, state=CallState.DONE, closed_at__gte=_midnight(now)).count(),
    }
    return render_page(request, "campaigns/calls.html", context)


def _midnight(now: datetime) -> datetime:
    return from_wall(datetime.combine(clock.company_day(now), time.min), clock.company_zone())


@access.role(*CALLERS)
@require_POST
def next_call(request: HttpRequest) -> HttpResponse:
    """Opens the next call: that is the contact, so the gate is asked once more."""
    user, now = access.current_user(request), clock.now()
    call = hand_over.next_call(user, now=now)
    if call is None:
        messages.info(request, _("Nobody may be called at the moment. Come back later."))
    else:
        audit.opened_people(actor=user, subject=call, count=1, where="call", now=now)
    return redirect("campaigns:calls")


@access.role(*CALLERS)
@require_POST
def close_call(request: HttpRequest, pk: int) -> HttpResponse:
    """Keeps how a call ended."""
    call = get_object_or_404(CallTask, pk=pk)
    user, now = access.current_user(request), clock.now()
    outcome = request.POST.get("outcome", "")
    again = now + AGAIN.get(request.POST.get("again", ""), AGAIN["tomorrow"]) if outcome == "later" else None
    try:
        calls.close(call, agent=user, outcome=outcome, note=request.POST.get("note", "")[:2000], call_again=again, now=now)
    except calls.NotYours:
        messages.error(request, _("This call is not open with you any more. Nothing was changed."))
    except ValueError:
        messages.error(request, _("Choose how the call ended. Your note is kept: go back to send it again."))
    else:
        messages.success(request, _("Kept."))
    return redirect("campaigns:calls")


@access.role("marketer", "lead", "administrator")
@require_GET
def print_files(request: HttpRequest) -> HttpResponse:
    """Print files that collect letters, and those that were closed."""
    user = access.current_user(request)
    batches = list(PrintBatch.objects.select_related("account", "closed_by")[:60])
    runs = Run.objects.select_related("message__campaign__department").defer("audience", "message__plan_audience")
    found = runs.in_bulk({batch.run_id for batch in batches})
    rows = [
        {
            "batch": batch,
            "run": found.get(batch.run_id),
            "letters": batch.letters if batch.closed_at else batch.waiting_letters.count(),
            "may_close": batch.closed_at is None and _may_close(user, found.get(batch.run_id)),
            "files": batch.closed_at is not None and bool(prints.files_of(batch)),
        }
        for batch in batches
    ]
    earliest = clock.company_day(clock.now()) + timedelta(days=1)
    context = {"rows": rows, "earliest": earliest, "usual": earliest + timedelta(days=3),
               "may_download": access.can_export_people(user)}  # fmt: skip
    return render_page(request, "campaigns/print_files.html", context)


def _may_close(user: User, run: Run | None) -> bool:
    if run is None:
        return False
    return access.is_administrator(user) or partners.may_edit(user, run.message.campaign)


@access.role("marketer", "lead", "administrator")
@require_POST
def close_print_file(request: HttpRequest, pk: int) -> HttpResponse:
    """Closes a print file: that hands its letters over."""
    batch = get_object_or_404(PrintBatch.objects.select_related("account"), pk=pk)
    user, now = access.current_user(request), clock.now()
    run = Run.objects.select_related("message__campaign").filter(pk=batch.run_id).first()
    access.require(_may_close(user, run))
    try:
        day = DateField(required=False).clean(request.POST.get("in_home_on", ""))
        result = hand_over.close_print_file(batch, by=user, in_home_on=day, now=now)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    except prints.AlreadyClosed:
        messages.info(request, _("This print file was closed already; its files stand as they are."))
    except attempt.Stopped:
        messages.error(request, _("The message is paused or stopped. Nothing was handed over."))
    else:
        audit.record(actor=user, action="print_file.closed", subject=batch, department=run.message.campaign.department_id,  # type: ignore[union-attr]
                     after={"sent": result.sent, "left_out": result.left_out}, now=now)  # fmt: skip
        words = ngettext("%(count)d letter is with the printer.", "%(count)d letters are with the printer.", result.sent)
        messages.success(request, words % {"count": result.sent})
    return redirect("campaigns:print-files")


@access.role("marketer", "lead", "administrator")
@require_GET
def download(request: HttpRequest, pk: int, kind: str) -> HttpResponse | FileResponse:
    """A file of a closed print file, for people with the privacy role; logged."""
    batch = get_object_or_404(PrintBatch, pk=pk)
    user = access.current_user(request)
    access.require(access.can_export_people(user))
    path = next((each for each in prints.files_of(batch) if each.suffix == f".{kind}"), None)
    if path is None:
        raise Http404(_("There is no such file."))
    audit.record(actor=user, action="people.exported", subject=batch, after={"count": batch.letters, "what": kind}, now=clock.now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name)


@access.signed_in
@require_GET
def delivery(request: HttpRequest, run_pk: int, customer_pk: int) -> HttpResponse:
    """Why one person did or did not get one message."""
    run = get_object_or_404(Run.objects.select_related("message__campaign__department", "message__purpose"), pk=run_pk)
    customer = get_object_or_404(Customer, pk=customer_pk)
    if customer_pk not in run.audience:
        raise Http404(_("This person was not in the audience."))
    user, now = access.current_user(request), clock.now()
    row = Delivery.objects.filter(run_day=run.run_day, run_id=run.pk, customer_id=customer_pk).first()
    audit.opened_people(actor=user, subject=customer, count=1, where="delivery", now=now)
    context = {
        "run": run, "customer": customer, "name": mask_name(user, customer.name) or f"#{customer.pk}",
        "told": explain.explained([row])[0] if row else None,
        "variant": hand_over.variant_of(run, customer_pk),
        "is_waiting": row is None and customer_pk in proof.waiting(run),
        "deferred": None if row else next((each for each in proof.deferred(run) if customer_pk in each.people), None),
    }  # fmt: skip
    return render_page(request, "campaigns/delivery.html", context)
