"""The condition "got, opened or answered that message" for segments and audiences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.channels.models import EventKind
from apps.customers.segments.criteria import Criterion, Field, Moment, Params

from .models import Message, MessageKind

SENT = "sent"
ANSWERS = (EventKind.OPENED, EventKind.CLICKED, EventKind.REPLIED, EventKind.ANSWERED, EventKind.NO_ANSWER, EventKind.BOUNCED)
LIVING = "SELECT DISTINCT coalesce(c.merged_into_id, c.id) FROM customers_customer c JOIN ({found}) f(id) ON f.id = c.id"
GOT = "SELECT customer_id FROM campaigns_delivery WHERE message_id = %s AND outcome IN ('sent', 'unknown')"
DID = (
    "SELECT e.customer_id FROM channels_contactevent e JOIN campaigns_run r ON r.id = e.run_id "
    "WHERE r.message_id = %s AND e.kind = %s AND NOT e.machine"
)


class MessageCriterion(Criterion):
    """``message`` (its id) and ``event``: sent, opened, clicked, replied, answered, no_answer or bounced. Machines' opens do not count."""

    code = "message"

    @property
    def label(self) -> str:
        return _("What became of a message")

    def fields(self, params: Params) -> list[Field]:
        rows = Message.objects.exclude(kind=MessageKind.UNADDRESSED).select_related("campaign").defer("plan_audience")
        messages = [(str(row.pk), f"{row.campaign.name} · {row.name}") for row in rows.order_by("-send_at")[:300]]
        return [
            Field("message", _("message"), "choice", messages, required=True),
            Field("event", _("what happened"), "choice", _events(), required=True, default=SENT),
        ]

    def problems(self, params: Params) -> list[str]:
        found = []
        chosen = str(params.get("message", ""))
        if not chosen.isdecimal() or not Message.objects.filter(pk=int(chosen)).exists():
            found.append(_("Choose the message."))
        if params.get("event", SENT) not in dict(_events()):
            found.append(_("Choose what happened with the message."))
        return found

    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        message, event = int(params["message"]), params.get("event", SENT)
        if event == SENT:
            return LIVING.format(found=GOT), [message]
        return LIVING.format(found=DID), [message, event]

    def describe(self, params: Params) -> str:
        row = Message.objects.filter(pk=int(params["message"])).first() if str(params.get("message", "")).isdecimal() else None
        return _("%(message)s: %(event)s") % {
            "message": row.name if row else "?", "event": dict(_events()).get(params.get("event", SENT), "?")
        }


def _events() -> list[tuple[str, str]]:
    return [(SENT, _("sent")), *((kind.value, str(kind.label)) for kind in ANSWERS)]
