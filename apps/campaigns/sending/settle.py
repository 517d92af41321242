"""Settling a burst: receipts become ledger rows, what was certainly not handed over waits again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from pyroaring import BitMap

from apps.campaigns.models import Burst, Run
from apps.campaigns.models.sending import ChunkState
from apps.campaigns.models.sending import Outcome as Settled
from apps.channels.adapters.base import Outcome, Receipt
from apps.channels.models import ContactEvent, EventKind
from apps.channels.references import parse_reference
from apps.core.reasons import Reason

from . import chunks, ledger
from .writing import Draft

# After the last attempt the people wait no more but have failed: the provider was down for hours.
MOST_ATTEMPTS = 12
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(minutes=30)
OUR_OWN_CODES = {Reason.NO_ADDRESS, Reason.RENDER_FAILED}


@dataclass
class Counted:
    """What a settlement did, in people."""

    sent: int = 0
    failed: int = 0
    again: int = 0
    unknown: int = 0
    late: BitMap = field(default_factory=BitMap)


def settle(
    burst: Burst,
    receipts: Iterable[Receipt],
    drafts: Mapping[int, Draft],
    *,
    now: datetime,
    contact_at: datetime | None = None,
    evidence: Mapping[int, int] | None = None,
) -> Counted:
    """Writes what is known of a burst. It stays unsettled while somebody's outcome is unknown; the sweep asks then.

    `contact_at` is when the contact happens, if not now (the in-home date of a letter). Settling twice is harmless.
    A receipt for somebody whom a sweep has meanwhile written down as unknown becomes an event.
    """
    known = {customer_id: receipt for receipt in receipts if (customer_id := _customer(burst, receipt)) is not None}
    return chunks.decide(
        burst.people, lambda _aliases: _settle_locked(burst, known, drafts, now, contact_at or now, evidence or {})
    )


def _customer(burst: Burst, receipt: Receipt) -> int | None:
    parsed = parse_reference(receipt.reference)
    return parsed[1] if parsed and parsed[0] == burst.run_id and parsed[1] in burst.people else None


def _settle_locked(
    burst: Burst,
    known: Mapping[int, Receipt],
    drafts: Mapping[int, Draft],
    now: datetime,
    contact_at: datetime,
    evidence: Mapping[int, int],
) -> Counted:
    counted = Counted()
    chunk = chunks.reread(burst.chunk_id)
    book = ledger.Book.of(chunk.run)
    cost = unit_cost(chunk.run)
    rows: list[ledger.Entry] = []
    for customer_id, receipt in known.items():
        more = {**_words(drafts.get(customer_id)), "evidence_id": evidence.get(customer_id)}
        if receipt.outcome == Outcome.ACCEPTED:
            more |= {"provider_id": receipt.provider_id[:120], "code": receipt.code[:60], "cost": cost}
            rows.append(book.entry(customer_id, Settled.SENT, contact_at, **more))
        elif receipt.outcome == Outcome.REJECTED:
            rows.append(_failure(book, customer_id, receipt, now, more))
    again = BitMap(each for each, receipt in known.items() if receipt.outcome == Outcome.RETRY)
    rows += _exhausted(book, chunk.attempt, again, known, now)
    added = ledger.append(rows).get(burst.run_id, BitMap())
    counted.sent = sum(row.outcome == Settled.SENT for row in rows if row.customer_id in added)
    counted.failed = len(added) - counted.sent
    counted.late = _learnt_late(book, [row for row in rows if row.customer_id not in added], now)
    again = again - ledger.of_run(chunk.run, again)
    counted.again = len(again)
    _wait_again(burst, again, now)
    chunk.refresh_from_db(fields=["approved", "people", "state"])
    counted.unknown = len(burst.people - ledger.of_run(chunk.run, burst.people))
    if not counted.unknown:
        Burst.objects.filter(pk=burst.pk, settled_at=None).update(settled_at=now)
    if chunk.state == ChunkState.OPEN:
        chunks.settle_state(chunk)
    return counted


def unit_cost(run: Run) -> Decimal:
    """What one message of the run costs at its provider."""
    return run.message.account.unit_cost if run.message.account else Decimal(0)


def _words(draft: Draft | None) -> dict[str, object]:
    return {"variant": draft.variant, "language": draft.language} if draft else {}


def _failure(
    book: ledger.Book, customer_id: int, receipt: Receipt, now: datetime, more: Mapping[str, object]
) -> ledger.Entry:
    if receipt.code in OUR_OWN_CODES:
        return book.entry(customer_id, Settled.REFUSED, now, **{**more, "reason": receipt.code})
    return book.entry(
        customer_id, Settled.FAILED, now, **{**more, "reason": Reason.PROVIDER_REFUSED, "code": receipt.code[:60]}
    )


def _exhausted(
    book: ledger.Book, attempt: int, again: BitMap, known: Mapping[int, Receipt], now: datetime
) -> list[ledger.Entry]:
    if attempt + 1 < MOST_ATTEMPTS:
        return []
    return [
        book.entry(customer_id, Settled.FAILED, now, reason=Reason.PROVIDER_DOWN, code=known[customer_id].code[:60])
        for customer_id in again
    ]


def _wait_again(burst: Burst, again: BitMap, now: datetime) -> None:
    if not again:
        return
    # They leave the burst, so that an unsettled rest of it does not cover them any more.
    burst.people = burst.people - again
    burst.count = len(burst.people)
    burst.save(update_fields=["people", "count"])
    chunk = chunks.reread(burst.chunk_id)
    wait = min(FIRST_WAIT * 2 ** min(chunk.attempt, 10), LONGEST_WAIT)
    chunks.requeue(chunk, again, not_before=now + wait, attempt=chunk.attempt + 1)


def _learnt_late(book: ledger.Book, rows: list[ledger.Entry], now: datetime) -> BitMap:
    """A receipt that comes after the person was written down as unknown: an event, the ledger is never changed."""
    late = [row for row in rows if row.outcome in (Settled.SENT, Settled.FAILED)]
    if not late:
        return BitMap()
    kinds = {Settled.SENT: EventKind.ACCEPTED, Settled.FAILED: EventKind.REJECTED}
    ContactEvent.objects.bulk_create(
        [
            ContactEvent(
                run_id=row.run_id,
                customer_id=row.customer_id,
                account_id=row.account_id,
                channel=row.channel,
                kind=kinds[Settled(row.outcome)],
                at=now,
                recorded_at=now,
                code=row.code,
                dedupe_key=f"receipt.{row.run_id}.{row.customer_id}",
            )
            for row in late
        ],
        ignore_conflicts=True,
    )
    return BitMap(row.customer_id for row in late)
