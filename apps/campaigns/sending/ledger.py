"""The ledger of every person: appended by COPY, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal

from django.db import connection
from pyroaring import BitMap

from apps.campaigns.models import Run
from apps.campaigns.models.sending import Outcome
from apps.core import bitmaps

# What reached somebody, or may have: it counts against caps and agreements.
REACHED = (Outcome.SENT, Outcome.UNKNOWN)


@dataclass(frozen=True)
class Entry:
    """One row of the ledger: what became of one run for one customer."""

    run_day: date
    run_id: int
    customer_id: int
    outcome: str
    reason: str
    rule: str
    at: datetime
    message_id: int
    campaign_id: int
    department_id: int
    channel: str
    purpose_class: str
    account_id: int | None
    variant: str = ""
    language: str = ""
    address_hash: str = ""
    provider_id: str = ""
    code: str = ""
    evidence_id: int | None = None
    cost: Decimal = Decimal(0)


COLUMNS = tuple(field.name for field in fields(Entry))


@dataclass(frozen=True)
class Book:
    """What all rows of one run have in common."""

    run_day: date
    run_id: int
    message_id: int
    campaign_id: int
    department_id: int
    channel: str
    purpose_class: str
    account_id: int | None

    @classmethod
    def of(cls, run: Run) -> Book:
        message = run.message
        return cls(
            run_day=run.run_day,
            run_id=run.pk,
            message_id=message.pk,
            campaign_id=message.campaign_id,
            department_id=message.campaign.department_id,
            channel=message.channel,
            purpose_class=message.purpose.purpose_class if message.purpose else "",
            account_id=message.account_id,
        )

    def entry(self, customer_id: int, outcome: str, at: datetime, **more: object) -> Entry:
        """A row of this run; `more` are the columns that differ from person to person."""
        given: dict[str, object] = {"reason": "", "rule": ""} | more
        return Entry(**vars(self), customer_id=customer_id, outcome=outcome, at=at, **given)  # type: ignore[arg-type]

    def refusals(self, people: Mapping[tuple[str, str], BitMap], at: datetime) -> list[Entry]:
        """Rows for refused people, given as (reason, rule) -> people."""
        return [
            self.entry(customer_id, Outcome.REFUSED, at, reason=reason, rule=rule[:40])
            for (reason, rule), group in people.items()
            for customer_id in group
        ]


def append(entries: Iterable[Entry]) -> dict[int, BitMap]:
    """Appends rows by COPY; a person who already has a row in that run keeps it. Returns run id -> people really added.

    The caller's transaction holds the locks of these people's blocks.
    """
    columns = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS settling (LIKE campaigns_delivery INCLUDING DEFAULTS) "
            "ON COMMIT DELETE ROWS"
        )
        with cursor.copy(f"COPY settling ({columns}) FROM STDIN") as copy:
            for entry in entries:
                copy.write_row([getattr(entry, column) for column in COLUMNS])
        cursor.execute(
            f"INSERT INTO campaigns_delivery ({columns}) SELECT {columns} FROM settling "
            "ORDER BY run_id, customer_id ON CONFLICT DO NOTHING RETURNING run_id, customer_id"
        )
        added: dict[int, list[int]] = {}
        for run_id, customer_id in cursor.fetchall():
            added.setdefault(run_id, []).append(customer_id)
        cursor.execute("DELETE FROM settling")
    return {run_id: BitMap(ids) for run_id, ids in added.items()}


def of_run(run: Run, people: BitMap | None = None) -> BitMap:
    """Everybody of these (or all) who already has a row in this run."""
    if people is None:
        return bitmaps.from_sql(
            "SELECT customer_id FROM campaigns_delivery WHERE run_day = %s AND run_id = %s", [run.run_day, run.pk]
        )
    return bitmaps.from_sql(
        "SELECT customer_id FROM campaigns_delivery WHERE run_day = %s AND run_id = %s AND customer_id = ANY(%s)",
        [run.run_day, run.pk, list(people)],
    )


def reached(messages: Iterable[int], people: Iterable[int]) -> BitMap:
    """Those of the people whom one of these messages reached, or may have."""
    return bitmaps.from_sql(
        "SELECT DISTINCT customer_id FROM campaigns_delivery "
        "WHERE customer_id = ANY(%s) AND message_id = ANY(%s) AND outcome = ANY(%s)",
        [list(people), list(messages), list(REACHED)],
    )


def reached_by(run: Run, people: BitMap) -> BitMap:
    """Those of the people whom this very run reached, or may have."""
    return bitmaps.from_sql(
        "SELECT customer_id FROM campaigns_delivery "
        "WHERE run_day = %s AND run_id = %s AND customer_id = ANY(%s) AND outcome = ANY(%s)",
        [run.run_day, run.pk, list(people), list(REACHED)],
    )
