"""What is learnt after the hand-over. A delivery's present state follows from its events: monotone, bad news wins."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from apps.campaigns.models import Run
from apps.campaigns.models.sending import Outcome
from apps.channels.models import EventKind
from apps.core import bitmaps

# The further down, the more it says; a state never goes back up.
STATES: dict[str, tuple[int, Promise | str]] = {
    "waiting": (0, _("waiting")),
    "unknown": (1, _("handed over, the provider never answered")),
    "sent": (2, _("handed over")),
    "deferred": (3, _("delayed at the provider")),
    "delivered": (4, _("delivered")),
    "opened": (5, _("opened")),
    "clicked": (6, _("clicked")),
    "bounced": (7, _("bounced")),
    "failed": (8, _("failed")),
    "unsubscribed": (9, _("unsubscribed")),
    "complained": (10, _("complained")),
}
STATE_OF_EVENT: dict[str, str] = {
    EventKind.ACCEPTED: "sent",
    EventKind.DEFERRED: "deferred",
    EventKind.DELIVERED: "delivered",
    EventKind.PRINTED: "delivered",
    EventKind.OPENED: "opened",
    EventKind.CLICKED: "clicked",
    EventKind.REPLIED: "clicked",
    EventKind.ANSWERED: "clicked",
    EventKind.NO_ANSWER: "sent",
    EventKind.BOUNCED: "bounced",
    EventKind.REJECTED: "failed",
    EventKind.FAILED: "failed",
    EventKind.UNSUBSCRIBED: "unsubscribed",
    EventKind.COMPLAINED: "complained",
}
# These say that the message did leave, even where no receipt came.
PROVE_SENT = [kind for kind, state in STATE_OF_EVENT.items() if state != "failed"]
PROVE_FAILED = [EventKind.REJECTED, EventKind.FAILED]


def state(outcome: str, kinds: Iterable[str]) -> str:
    """The present state of a delivery: its ledger outcome ("" while it waits) raised by its events."""
    if outcome in (Outcome.REFUSED, Outcome.HELD_OUT):
        return outcome
    start = outcome if outcome in STATES else "waiting"
    reached = [start, *[STATE_OF_EVENT[kind] for kind in kinds if kind in STATE_OF_EVENT]]
    return max(reached, key=lambda code: STATES[code][0])


def words(code: str) -> str:
    """A state in words."""
    return str(STATES[code][1]) if code in STATES else str(Outcome(code).label)


def learnt_of_unknown(run: Run) -> tuple[BitMap, BitMap]:
    """Of the people written down as unknown: those who got it after all, and those of whom it is certain they did not."""
    return _unknown_with(run, PROVE_SENT), _unknown_with(run, PROVE_FAILED)


def _unknown_with(run: Run, kinds: Iterable[str]) -> BitMap:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT d.customer_id FROM campaigns_delivery d JOIN channels_contactevent e "
            "ON e.run_id = d.run_id AND e.customer_id = d.customer_id AND e.kind = ANY(%s) "
            "WHERE d.run_day = %s AND d.run_id = %s AND d.outcome = 'unknown' ORDER BY 1",
            [[str(kind) for kind in kinds], run.run_day, run.pk],
        )
        return bitmaps.from_ids(customer_id for (customer_id,) in cursor.fetchall())
