"""Calls and letters: the contact is the agent opening the call, or the print file closing, and the gate is asked again then.

Until then people stand on a list and stay reserved. Limits count the time of the call, or the day the letter is at home.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from pyroaring import BitMap

from apps.accounts.models import User
from apps.campaigns.models import Burst, Chunk, Run
from apps.campaigns.models.sending import ArmKind, ChunkState, Outcome
from apps.channels import calls, prints
from apps.channels.adapters.base import Adapter, AdapterError, OutgoingMessage, Receipt
from apps.channels.adapters.base import Outcome as Said
from apps.channels.kinds import Channel
from apps.channels.models import CallState, CallTask, PrintBatch
from apps.channels.references import delivery_reference, parse_reference
from apps.core.blocks import block_of, split
from apps.core.clock import company_day, company_zone
from apps.core.reasons import Reason

from . import attempt, capacity, chunks, ledger
from .aliases import Aliases
from .claim import Claim
from .halted import may_send
from .judging import Verdict, gate_again, judge
from .occurrences import from_wall
from .settle import settle, unit_cost
from .writing import Draft

# So many waiting calls are looked at for one that may be made now.
MOST_LOOKED_AT = 200


def put_on_list(
    claim: Claim, chunk: Chunk, people: BitMap, adapter: Adapter, drafts: dict[int, Draft], *, now: datetime
) -> int:
    """Puts approved people on the call list or into the print file; returns how many. Raises LeaseLost or Stopped."""
    try:
        return chunks.decide(people, lambda aliases: _put_locked(claim, chunk, people, adapter, drafts, aliases, now))
    except attempt.StoppedUnderLock:
        attempt.release([chunk])
        raise attempt.Stopped from None


def _put_locked(
    claim: Claim,
    chunk: Chunk,
    people: BitMap,
    adapter: Adapter,
    drafts: dict[int, Draft],
    aliases: Aliases,
    now: datetime,
) -> int:
    held, verdict = attempt.ask_again(chunk, people, claim.aliases, aliases, now)
    addresses = attempt.addresses_of(verdict, aliases)
    messages = [
        OutgoingMessage(
            reference=delivery_reference(held.run_id, customer_id),
            address=drafts[customer_id].address(addresses[customer_id]),
            language=drafts[customer_id].language,
            content=drafts[customer_id].content,
            slots=drafts[customer_id].slots,
            headers={"name": drafts[customer_id].name},
        )
        for customer_id in verdict.allowed
        if customer_id in drafts and customer_id in addresses
    ]
    impossible = _list_calls(adapter, messages) if held.run.message.channel == Channel.CALL else _print(held.run, messages, now)
    named = BitMap(_customer(message.reference) for message in messages)
    refused = {(str(Reason.NO_ADDRESS), ""): verdict.allowed - named, (str(Reason.RENDER_FAILED), ""): impossible}
    ledger.append(ledger.Book.of(held.run).refusals(refused, now))
    held.refresh_from_db(fields=["approved", "people"])
    chunks.settle_state(held)
    return len(named - impossible)


def _customer(reference: str) -> int:
    parsed = parse_reference(reference)
    return parsed[1] if parsed else 0


def _list_calls(adapter: Adapter, messages: list[OutgoingMessage]) -> BitMap:
    requests, impossible = [], BitMap()
    for message in messages:
        try:
            requests.append(adapter.build(message))
        except AdapterError:
            impossible.add(_customer(message.reference))
    for receipt in adapter.post(requests):
        if receipt.outcome != Said.ACCEPTED:
            impossible.add(_customer(receipt.reference))
    return impossible


def _print(run: Run, messages: list[OutgoingMessage], now: datetime) -> BitMap:
    account = run.message.account
    assert account is not None
    refused = prints.add(prints.open_batch(account=account, run_id=run.pk, now=now), messages)
    return BitMap(_customer(reference) for reference in refused)


# --- calls -------------------------------------------------------------------------------------------


def next_call(agent: User, *, now: datetime) -> CallTask | None:
    """Opens the next call for an agent, or returns the one they have open. Opening is the contact.

    Everybody is judged again first; whoever may not be called any more leaves the list with a reason in the ledger.
    """
    own = CallTask.objects.filter(state=CallState.OPEN, agent=agent).order_by("opened_at").first()
    if own is not None:
        return own
    sendable: dict[int, bool] = {}
    for task in calls.waiting(now)[:MOST_LOOKED_AT]:
        if not sendable.setdefault(task.run_id, may_send(task.run_id)):
            continue
        called = BitMap([task.customer_id])
        if chunks.decide(called, lambda aliases, task=task: _open(task, agent, aliases, now)):  # type: ignore[misc]
            return task
    return None


def _open(task: CallTask, agent: User, aliases: Aliases, now: datetime) -> bool:
    """Judges one call under the lock; True when this agent has it now."""
    if not CallTask.objects.filter(pk=task.pk, state=CallState.WAITING).exists() or not may_send(task.run_id):
        return False
    run = Run.objects.select_related("message__campaign", "message__purpose", "message__account").get(pk=task.run_id)
    one = BitMap([task.customer_id])
    called_before = bool(ledger.reached_by(run, one)) and task.outcome == "later"
    if not called_before and ledger.of_run(run, one):
        calls.withdraw(task, reason=Reason.SAME_PERSON, now=now)
        return False
    verdict = _judged(run, one, aliases, now, only_gate=called_before)
    if verdict.later:
        CallTask.objects.filter(pk=task.pk).update(not_before=verdict.later[0].until)
        return False
    if not verdict.allowed:
        _call_off(task, run, verdict, now, settled=called_before)
        return False
    # Whoever was put on the list today has a place of this day; from an earlier day they need one now.
    is_of_today = called_before or company_day(task.created_at) == company_day(now)
    places = None if is_of_today else capacity.take(run.message, 1, now, is_listed=True)
    if places is not None and not places.count:
        return False
    if not calls.open_call(task, agent=agent, now=now):
        if places is not None:
            capacity.give_back(places, 1)
        return False
    if not called_before:
        row = ledger.Book.of(run).entry(
            task.customer_id, Outcome.SENT, now, language=task.language, variant=variant_of(run, task.customer_id),
            cost=unit_cost(run), provider_id=f"call.{task.pk}",
        )
        ledger.append([row])
        _close_chunks(run, task.customer_id)
    return True


def _judged(run: Run, one: BitMap, aliases: Aliases, now: datetime, *, only_gate: bool) -> Verdict:
    verdict = Verdict(allowed=one)
    if run.deadline <= now:
        verdict.refuse(Reason.EXPIRED, "", one)
    elif only_gate:
        # They asked to be called at another time: that is no new contact, but their wish not to be called counts.
        gate_again(verdict, run, now, aliases, with_addresses=False)
    else:
        verdict = judge(run, one, now, aliases)
    return verdict


def _call_off(task: CallTask, run: Run, verdict: Verdict, now: datetime, *, settled: bool) -> None:
    reason = next((code for code, _ in verdict.refused), str(Reason.CONTROL_GROUP))
    calls.withdraw(task, reason=reason, now=now)
    if settled:
        return
    book = ledger.Book.of(run)
    rows = book.refusals(verdict.refused, now)
    rows += [book.entry(customer_id, Outcome.HELD_OUT, now) for customer_id in verdict.held_out]
    ledger.append(rows)
    _close_chunks(run, task.customer_id)


def _close_chunks(run: Run, customer_id: int) -> None:
    for chunk in Chunk.objects.filter(run=run, block=block_of(customer_id), state=ChunkState.OPEN):
        chunk.run = run
        chunks.settle_state(chunk)


def variant_of(run: Run, customer_id: int) -> str:
    """The version that this person was drawn for."""
    for arm in run.arms.filter(kind=ArmKind.VARIANT):
        if customer_id in arm.people:
            return arm.code
    return ""


# --- letters -----------------------------------------------------------------------------------------


@dataclass
class ClosedFile:
    """What closing a print file did, in people."""

    sent: int = 0
    failed: int = 0
    again: int = 0
    left_out: int = 0


def close_print_file(batch: PrintBatch, *, by: User | None, in_home_on: date | None = None, now: datetime) -> ClosedFile:
    """Hands the letters over to the printer, after asking for everybody again.

    Raises Stopped when the run may not send, and `channels.prints.AlreadyClosed`.
    """
    if not may_send(batch.run_id):
        raise attempt.Stopped
    if in_home_on is not None:
        PrintBatch.objects.filter(pk=batch.pk, closed_at=None).update(in_home_on=in_home_on)
        batch.in_home_on = in_home_on
    at = _at_home(batch, now)
    bursts: list[Burst] = []

    def still_allowed(ids: list[int]) -> set[int]:
        for block, people in split(BitMap(ids)):
            bursts.extend(_begin_letters(batch.run_id, block, people, at, now))
        return {customer_id for burst in bursts for customer_id in burst.people}

    closed = prints.close(batch, still_allowed=still_allowed, by=by, now=now)
    result = ClosedFile(left_out=len(closed.left_out))
    for burst in bursts:
        counted = _settle_letters(burst, closed.receipts, at, now)
        result.sent += counted[0]
        result.failed += counted[1]
        result.again += counted[2]
    return result


def _at_home(batch: PrintBatch, now: datetime) -> datetime:
    if batch.in_home_on is None:
        return now
    return max(now, from_wall(datetime.combine(batch.in_home_on, time(12)), company_zone()))


def _begin_letters(run_id: int, block: int, people: BitMap, at: datetime, now: datetime) -> list[Burst]:
    return chunks.decide(people, lambda aliases: _begin_letters_locked(run_id, block, people, aliases, at, now))


def _begin_letters_locked(
    run_id: int, block: int, people: BitMap, aliases: Aliases, at: datetime, now: datetime
) -> list[Burst]:
    run = Run.objects.select_related("message__campaign", "message__purpose", "message__account").get(pk=run_id)
    bursts: list[Burst] = []
    for chunk in Chunk.objects.filter(run=run, block=block, state=ChunkState.OPEN).order_by("generation"):
        chunk.run = run
        mine = people & (chunk.approved or BitMap())
        mine = mine - ledger.of_run(run, mine) - chunks.begun(chunk)
        verdict = judge(run, mine, at, aliases)
        for later in verdict.later:
            # The printer comes once: whoever may not be written to on that day is left out.
            verdict.refused[(later.reason, later.rule)] = later.people
        book = ledger.Book.of(run)
        rows = book.refusals(verdict.refused, now)
        ledger.append(rows + [book.entry(customer_id, Outcome.HELD_OUT, now) for customer_id in verdict.held_out])
        if verdict.allowed:
            bursts.append(attempt.start(run, chunk, verdict.allowed, now))
        chunks.settle_state(chunk)
    return bursts


def _settle_letters(burst: Burst, receipts: list[Receipt], at: datetime, now: datetime) -> tuple[int, int, int]:
    languages = {customer_id: _letter_draft(burst.run, customer_id) for customer_id in burst.people}
    counted = settle(burst, receipts, languages, now=now, contact_at=at)
    return counted.sent, counted.failed, counted.again


def _letter_draft(run: Run, customer_id: int) -> Draft:
    return Draft(content=None, slots={}, language="", variant=variant_of(run, customer_id))


def reopen_half_closed(*, now: datetime) -> int:
    """Opens print files again whose closing broke off before the letters were handed over; `now` less some patience."""
    reopened = 0
    for batch in PrintBatch.objects.filter(closed_at__lte=now, waiting_letters__isnull=False).distinct():
        begun = BitMap.union(
            BitMap(), *Burst.objects.filter(run=batch.run_id, chunk__run=batch.run_id).values_list("people", flat=True)
        )
        batch.waiting_letters.filter(customer_id__in=list(begun)).delete()
        if batch.waiting_letters.exists():
            batch.closed_at = None
            batch.save(update_fields=["closed_at"])
            reopened += 1
    return reopened
