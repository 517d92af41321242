"""The call list: calls wait, an agent opens one (that is the contact), and says how it ended.

Opening comes in two steps, because the gate has to be asked in between, and channels does not know the gate:
`next_for` proposes a call, the caller asks, then `open_call` takes it or `withdraw` takes it off the list.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User

from . import events, health
from .adapters.base import Outcome, Receipt
from .adapters.call_list import CallRequest
from .adapters.call_list.adapter import CallSink
from .models import CallState, CallTask, EventKind
from .references import delivery_reference, parse_reference

OUTCOMES = {
    "interested": _("Reached, interested"),
    "reached": _("Reached, not now"),
    "no_answer": _("No answer"),
    "later": _("Asked to be called later"),
    "wrong_number": _("Wrong number"),
    "stop": _("Does not want to be called again"),
}
_EVENTS = {
    "interested": EventKind.ANSWERED,
    "reached": EventKind.ANSWERED,
    "no_answer": EventKind.NO_ANSWER,
    "later": EventKind.ANSWERED,
    "wrong_number": EventKind.BOUNCED,
    "stop": EventKind.UNSUBSCRIBED,
}


class NotYours(Exception):
    """The call is not open with this agent: somebody else has it, or it was closed."""


def add(account_id: int, requests: list[CallRequest]) -> Mapping[str, str]:
    """Puts calls on the list, each (run, customer) once; per reference why it was not taken (never, here)."""
    tasks = []
    for request in requests:
        run_id, customer_id = parse_reference(request.reference) or (0, 0)
        tasks.append(
            CallTask(
                account_id=account_id,
                run_id=run_id,
                customer_id=customer_id,
                phone=request.phone,
                name=request.name,
                script=request.script,
                language=request.language,
                created_at=Now(),
            )
        )
    CallTask.objects.bulk_create(tasks, ignore_conflicts=True, batch_size=1000)
    return {}


def has(reference: str) -> bool:
    """True when the list knows this delivery, in whatever state."""
    run_id, customer_id = parse_reference(reference) or (0, 0)
    return CallTask.objects.filter(run_id=run_id, customer_id=customer_id).exists()


SINK = CallSink(add=add, has=has)


def waiting(now: datetime) -> QuerySet[CallTask]:
    """Calls that may be offered now, oldest promise first."""
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    return CallTask.objects.filter(due, state=CallState.WAITING).order_by(
        F("not_before").asc(nulls_last=True), "created_at", "id"
    )


def next_for(agent: User, *, now: datetime) -> CallTask | None:
    """The call this agent has open already, or else the next one on the list; it is not taken yet."""
    own = CallTask.objects.filter(state=CallState.OPEN, agent=agent).order_by("opened_at").first()
    return own or waiting(now).first()


def open_call(call: CallTask, *, agent: User, now: datetime) -> bool:
    """Takes a waiting call for this agent. False when another agent was quicker."""
    taken = CallTask.objects.filter(pk=call.pk, state=CallState.WAITING).update(
        state=CallState.OPEN, agent=agent, opened_at=now
    )
    if taken:
        call.refresh_from_db()
        handed_over = Receipt(delivery_reference(call.run_id, call.customer_id), Outcome.ACCEPTED)
        health.note(call.account_id, [handed_over], now=now)
    return bool(taken)


def withdraw(call: CallTask, *, reason: str, now: datetime) -> bool:
    """Takes a waiting call off the list: the person may no longer be contacted."""
    return bool(
        CallTask.objects.filter(pk=call.pk, state=CallState.WAITING).update(
            state=CallState.WITHDRAWN, reason=reason, closed_at=now
        )
    )


def withdraw_run(run_id: int, *, reason: str, now: datetime) -> int:
    """Takes every waiting call of a run off the list (it was stopped); how many there were."""
    return CallTask.objects.filter(run_id=run_id, state=CallState.WAITING).update(
        state=CallState.WITHDRAWN, reason=reason, closed_at=now
    )


@transaction.atomic
def close(
    call: CallTask, *, agent: User, outcome: str, note: str = "", call_again: datetime | None = None, now: datetime
) -> CallTask:
    """How an open call ended. "later" puts it back for `call_again`; every outcome becomes an event.

    Raises `NotYours`; ValueError for an outcome that is not in `OUTCOMES`.
    """
    if outcome not in OUTCOMES:
        raise ValueError(outcome)
    locked = CallTask.objects.select_for_update().get(pk=call.pk)
    if locked.state != CallState.OPEN or locked.agent_id != agent.pk:
        raise NotYours
    again = outcome == "later" and call_again is not None
    locked.state = CallState.WAITING if again else CallState.DONE
    locked.outcome, locked.note = outcome, note
    locked.not_before = call_again if again else None
    locked.closed_at = None if again else now
    locked.save()
    _tell(locked, outcome, now)
    return locked


def _tell(call: CallTask, outcome: str, now: datetime) -> None:
    opened = call.opened_at or now
    events.record(
        account=call.account,
        news=[
            events.News(
                channel=call.account.channel,
                kind=_EVENTS[outcome],
                at=now,
                dedupe_key=f"call:{call.pk}:{opened:%Y%m%d%H%M%S%f}",
                run_id=call.run_id,
                customer_id=call.customer_id,
                permanent=True if outcome == "wrong_number" else None,
                code=outcome,
                address=call.phone,
            )
        ],
        now=now,
    )
