"""What a pass did by itself, on the record: in the history of each finding, and told to other programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from apps.accounts import audit

from .. import webhooks
from ..models import Conflict

# What other programs call it; what is found again after it had gone is open again.
TOLD = {
    "conflict.found": webhooks.OPENED, "conflict.reopened": webhooks.REOPENED, "conflict.settled": webhooks.RESOLVED,
    "conflict.gone": webhooks.GONE,
}


def keep(happened: Mapping[str, Iterable[Conflict]], *, now: datetime) -> None:
    """One line for each finding under each action, in a number of queries that does not grow with them."""
    lines = [(action, row) for action, rows in happened.items() for row in rows]
    if not lines:
        return
    audit.record_many(
        [(action, row, {"resolution": row.settled_by_id} if row.settled_by_id else None) for action, row in lines], now=now
    )
    for action, event in TOLD.items():
        webhooks.tell(event, [row for name, row in lines if name == action], now=now)
