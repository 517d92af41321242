"""Handing over in bursts: begun in the database first, then the network, then settled.

Nothing is decided by the worker's memory: the beginning of a burst is conditional on the lease epoch, and asks consent,
do-not-contact list, erasure, pause and stop again under the locks of the people's blocks. So an opt-out committed before
a burst begins holds for all of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from pyroaring import BitMap

from apps.campaigns.models import Burst, Chunk, Run
from apps.campaigns.models.sending import ChunkState
from apps.channels import health, throttle
from apps.channels.adapters.base import Adapter, AdapterError, Outcome, OutgoingMessage, Receipt
from apps.channels.models import ChannelAccount
from apps.channels.references import delivery_reference
from apps.consent.gate import ContactAddress
from apps.core.reasons import Reason

from . import chunks, ledger
from .aliases import Aliases
from .claim import LEASE
from .halted import may_send
from .judging import Verdict, gate_again
from .writing import Draft

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker has the chunk now, or it was given back: this one must not begin a burst."""


class Stopped(Exception):
    """The run was stopped, paused, cancelled or is over; the lease was given back."""


@dataclass
class Begun:
    """A burst that is committed: these people, at these addresses, may be handed over once."""

    burst: Burst | None
    addresses: dict[int, ContactAddress]
    evidence: dict[int, int]


def begin(chunk: Chunk, people: BitMap, *, judged_as: Aliases, now: datetime) -> Begun:
    """Commits a burst for those of the people who may still be contacted; the others are settled or wait.

    `judged_as` is who was whom when they were judged.

    Raises LeaseLost or Stopped; then nothing may be handed over.
    """
    if not may_send(chunk.run_id):
        release([chunk])
        raise Stopped
    try:
        return chunks.decide(people, lambda aliases: _begin_locked(chunk, people, judged_as, aliases, now))
    except StoppedUnderLock:
        release([chunk])
        raise Stopped from None


class StoppedUnderLock(Exception):
    """As Stopped, found out inside the transaction that would have begun: it is rolled back first."""


def _begin_locked(chunk: Chunk, people: BitMap, judged_as: Aliases, aliases: Aliases, now: datetime) -> Begun:
    held, verdict = ask_again(chunk, people, judged_as, aliases, now)
    burst = start(chunk.run, held, verdict.allowed, now) if verdict.allowed else None
    return Begun(burst, addresses_of(verdict, aliases), evidence_of(verdict, aliases))


def start(run: Run, chunk: Chunk, people: BitMap, now: datetime) -> Burst:
    """Writes down that these people are being handed over; nobody is before this is committed."""
    account = run.message.account
    assert account is not None, "only messages with an account are claimed"
    return Burst.objects.create(
        chunk=chunk,
        run=run,
        lease_epoch=chunk.lease_epoch,
        account=account,
        people=people,
        count=len(people),
        begun_at=now,
    )


def ask_again(
    chunk: Chunk, people: BitMap, judged_as: Aliases, aliases: Aliases, now: datetime
) -> tuple[Chunk, Verdict]:
    """Under the locks: who of the approved people may still be handed over. Others are settled, or wait again.

    Raises LeaseLost, or StoppedUnderLock, after which the lease has still to be given back.
    """
    held = _holds_lease(chunk)
    if not may_send(chunk.run_id) or chunk.run.deadline <= now:
        raise StoppedUnderLock
    people = people & (held.approved or BitMap())
    people = people - ledger.of_run(chunk.run, people) - chunks.begun(held)
    merged = BitMap(each for each in people if aliases.known(each) and aliases.group(each) != judged_as.group(each))
    if merged:
        # Merged after they were judged: limits and agreements may look different for the one person they are now.
        chunks.requeue(held, merged)
        people = people - merged
    verdict = Verdict(allowed=people)
    gate_again(verdict, chunk.run, now, aliases, with_addresses=True)
    _take_out(held, verdict, now)
    return held, verdict


def _holds_lease(chunk: Chunk) -> Chunk:
    """Renews the lease and returns the chunk as it stands; a zombie finds its epoch gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_chunk SET leased_until = clock_timestamp() + make_interval(secs => %s) "
            "WHERE id = %s AND lease_epoch = %s AND state = 'leased'",
            [LEASE.total_seconds(), chunk.pk, chunk.lease_epoch],
        )
        if cursor.rowcount != 1:
            raise LeaseLost
    held = Chunk.objects.get(pk=chunk.pk)
    held.run = chunk.run
    return held


def _take_out(chunk: Chunk, verdict: Verdict, now: datetime) -> None:
    if verdict.refused:
        ledger.append(ledger.Book.of(chunk.run).refusals(verdict.refused, now))
    for later in verdict.later:
        chunks.requeue(chunk, later.people, not_before=later.until, reason=later.reason, rule=later.rule)


def addresses_of(verdict: Verdict, aliases: Aliases) -> dict[int, ContactAddress]:
    """customer id -> the address that the gate chose, for everybody allowed."""
    given = verdict.judgement.addresses if verdict.judgement else {}
    found = ((customer_id, given.get(aliases.survivor(customer_id))) for customer_id in verdict.allowed)
    return {customer_id: address for customer_id, address in found if address is not None}


def evidence_of(verdict: Verdict, aliases: Aliases) -> dict[int, int]:
    """customer id -> the line of the consent ledger on which the contact rests, where there is one."""
    given = verdict.judgement.evidences() if verdict.judgement else {}
    found = ((customer_id, given.get(aliases.survivor(customer_id))) for customer_id in verdict.allowed)
    return {customer_id: event for customer_id, event in found if event is not None}


def refuse(chunk: Chunk, refused: dict[tuple[str, str], BitMap], *, now: datetime) -> None:
    """Writes people off who were approved but for whom no message could be made."""
    people = BitMap.union(BitMap(), *refused.values())

    def write_off(_aliases: Aliases) -> None:
        approved = _holds_lease(chunk).approved or BitMap()
        mine = {key: group & approved for key, group in refused.items()}
        ledger.append(ledger.Book.of(chunk.run).refusals(mine, now))

    if people:
        chunks.decide(people, write_off)


def leave_waiting(chunk: Chunk, people: BitMap, *, reason: str = "") -> Chunk:
    """Lets some of a leased chunk's people wait again, for a reason, while it keeps its lease. Raises LeaseLost."""
    def requeue(_aliases: Aliases) -> Chunk:
        held = _holds_lease(chunk)
        chunks.requeue(held, people & (held.approved or BitMap()), reason=reason)
        return held

    return chunks.decide(people, requeue)


def release(leased: Iterable[Chunk], *, not_before: datetime | None = None) -> None:
    """Gives chunks back whose lease this worker still holds; people not begun wait again."""
    def give_back(chunk: Chunk) -> None:
        held = chunks.reread(chunk.pk)
        if held.lease_epoch == chunk.lease_epoch and held.state == ChunkState.LEASED:
            chunks.give_back(held, not_before=not_before)

    for chunk in leased:
        chunks.decide(chunk.approved or BitMap(), lambda _aliases, chunk=chunk: give_back(chunk))  # type: ignore[misc]


def post(adapter: Adapter, begun: Begun, drafts: dict[int, Draft]) -> list[Receipt]:
    """Hands a begun burst over. People without a receipt in the result have an unknown outcome."""
    if begun.burst is None:
        return []
    receipts: list[Receipt] = []
    requests: list[Any] = []
    for customer_id in begun.burst.people:
        built = _build(adapter, begun, customer_id, drafts)
        (receipts if isinstance(built, Receipt) else requests).append(built)
    try:
        for receipt in adapter.post(requests):
            receipts.append(receipt)
    except Exception as error:
        # Nobody knows what the provider took: whoever has no receipt stays in the burst, and the sweep asks.
        log.exception("burst %s broke off", begun.burst.pk)
        note_error(begun.burst.account_id, f"{type(error).__name__}: {error}", begun.burst.begun_at)
    health.note(begun.burst.account_id, receipts, now=begun.burst.begun_at)
    if peace := max((receipt.retry_after for receipt in receipts), default=0.0):
        throttle.rest(begun.burst.account_id, peace, begun.burst.begun_at)
    return receipts


def _build(adapter: Adapter, begun: Begun, customer_id: int, drafts: dict[int, Draft]) -> Any:
    burst = begun.burst
    assert burst is not None
    reference = delivery_reference(burst.run_id, customer_id)
    draft, address = drafts.get(customer_id), begun.addresses.get(customer_id)
    if draft is None or address is None:
        return Receipt(reference, Outcome.REJECTED, code=Reason.NO_ADDRESS, by_us=True)
    try:
        return adapter.build(
            OutgoingMessage(
                reference=reference,
                address=draft.address(address),
                language=draft.language,
                content=draft.content,
                slots=draft.slots,
                headers=draft.headers,
            )
        )
    except AdapterError as error:
        outcome = Outcome.REJECTED if error.permanent else Outcome.RETRY
        return Receipt(reference, outcome, code=Reason.RENDER_FAILED, detail=error.message, by_us=True)


def note_error(account_id: int, words: str, at: datetime) -> None:
    """Keeps the provider's last failure for the channels page."""
    ChannelAccount.objects.filter(pk=account_id).update(last_error=words[:500], last_error_at=at)
