"""Repairing what crashes and outages leave behind: expired leases, unsettled bursts, runs that are over or stuck."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from pyroaring import BitMap

from apps.campaigns.elsewhere import holds
from apps.campaigns.models import Burst, Chunk, Run
from apps.campaigns.models.plan import CampaignStatus, MessageKind
from apps.campaigns.models.sending import ChunkState, RunState
from apps.channels import calls, registry
from apps.channels.adapters.base import ABSENT, Adapter, AdapterError, Outcome, Receipt
from apps.channels.models import ContactEvent
from apps.channels.references import delivery_reference
from apps.core import bitmaps
from apps.core.blocks import split
from apps.core.reasons import Reason

from . import capacity, chunks, hand_over, ledger, transitions
from .halted import halts_for
from .settle import settle

# A provider that is slow but alive must have had its time before anybody says "unknown".
GRACE = timedelta(minutes=2)
# A reason and the rule behind it.
Why = tuple[str, str]


@dataclass
class Swept:
    """What was repaired: leases, bursts, people whose waiting ended, runs that came to
    their end, and places that another tool held and neither used nor gave back."""

    leases: int = 0
    bursts: int = 0
    unknown: int = 0
    ended: int = 0
    runs_done: int = 0
    recovered: int = 0
    places: int = 0


def sweep(*, now: datetime, grace: timedelta = GRACE) -> Swept:
    """Does all repairs once. May run at any time, twice, and beside workers."""
    swept = Swept()
    swept.leases = expired_leases()
    for burst in unsettled(now, grace):
        swept.bursts += 1
        swept.unknown += resolve(burst, now=now)
    hand_over.reopen_half_closed(now=now - grace)
    swept.places = holds.release_expired(now=now)
    own = Run.objects.exclude(message__kind=MessageKind.ELSEWHERE)
    for run in own.filter(state__in=[RunState.PLANNED, RunState.RUNNING]).order_by("pk"):
        swept.ended += end_waiting(run, now=now)
        done, recovered = finish(run, now=now)
        swept.runs_done += done
        swept.recovered += recovered
    transitions.update_statuses(now=now)
    return swept


def expired_leases() -> int:
    """Gives chunks back whose worker fell silent; its bursts stay unsettled. The database's clock decides."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM campaigns_chunk WHERE state = 'leased' AND leased_until < clock_timestamp() ORDER BY block, id"
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    count = 0
    for pk in ids:
        people = Chunk.objects.values_list("people", flat=True).get(pk=pk)
        count += chunks.decide(people, lambda _aliases, pk=pk: _expire(pk))  # type: ignore[misc]
    return count


def _expire(chunk_id: int) -> int:
    chunk = chunks.reread(chunk_id)
    over = chunk.leased_until is not None and chunk.leased_until < chunks.database_now()
    if chunk.state != ChunkState.LEASED or not over:
        return 0
    chunks.give_back(chunk)
    return 1


def unsettled(now: datetime, grace: timedelta) -> list[Burst]:
    """Bursts begun and not settled, old enough, that no living worker is at."""
    return list(
        Burst.objects.filter(settled_at=None, begun_at__lte=now - grace)
        .exclude(chunk__state=ChunkState.LEASED)
        .select_related("run__message__campaign", "run__message__purpose", "run__message__account", "account")
        .order_by("pk")
    )


def resolve(burst: Burst, *, now: datetime) -> int:
    """Finds out what became of a burst: by events, by asking the provider, else unknown. Returns how many stay unknown."""
    missing = burst.people - ledger.of_run(burst.run, burst.people)
    proven = proven_by_events(burst.run_id, missing)
    receipts = [_accepted(burst.run_id, customer_id) for customer_id in proven]
    receipts += _asked(burst, missing - proven)
    settle(burst, receipts, {}, now=now)
    return chunks.decide(burst.people, lambda _aliases: _unknown(burst, now))


def _accepted(run_id: int, customer_id: int) -> Receipt:
    return Receipt(delivery_reference(run_id, customer_id), Outcome.ACCEPTED, code="event")


def proven_by_events(run_id: int, people: BitMap) -> BitMap:
    """Those of whom a provider or the person themselves told something: then it was handed over."""
    rows = ContactEvent.objects.filter(run_id=run_id, customer_id__in=list(people)).values_list("customer_id", flat=True)
    return bitmaps.from_ids(sorted(set(rows)))  # type: ignore[arg-type]


def _asked(burst: Burst, people: BitMap) -> list[Receipt]:
    """What the provider knows of these people. Absent means certainly not handed over, so they may wait again."""
    try:
        adapter = registry.adapter_for(burst.account)
        return [receipt for customer_id in people if (receipt := _ask(adapter, burst.run_id, customer_id))]
    except (AdapterError, registry.UnknownAdapter):
        return []


def _ask(adapter: Adapter, run_id: int, customer_id: int) -> Receipt | None:
    reference = delivery_reference(run_id, customer_id)
    found = adapter.find(reference)
    if isinstance(found, Receipt):
        return found
    return Receipt(reference, Outcome.RETRY, code="absent") if found is ABSENT else None


def _unknown(burst: Burst, now: datetime) -> int:
    burst.refresh_from_db()
    left = burst.people - ledger.of_run(burst.run, burst.people)
    book = ledger.Book.of(burst.run)
    ledger.append(
        book.entry(customer_id, "unknown", burst.begun_at, reason=Reason.NO_ANSWER_FROM_PROVIDER) for customer_id in left
    )
    Burst.objects.filter(pk=burst.pk, settled_at=None).update(settled_at=now)
    chunk = chunks.reread(burst.chunk_id)
    if chunk.state == ChunkState.OPEN:
        chunks.settle_state(chunk)
    return len(left)


def end_waiting(run: Run, *, now: datetime) -> int:
    """Turns the waiting people of a cancelled run, or of one past its deadline, into refused ones."""
    why = _end_reason(run, now)
    if why is None:
        return 0
    ended = 0
    for pk, people in Chunk.objects.filter(run=run).exclude(state=ChunkState.DONE).values_list("pk", "people"):
        ended += chunks.decide(people, lambda _aliases, pk=pk: _end(pk, why, now))  # type: ignore[misc]
    # Whoever stood on the call list had a place.
    calls.withdraw_run(run.pk, reason=Reason.EXPIRED if why[0] == Reason.OVER_CAPACITY else why[0], now=now)
    return ended


def _end_reason(run: Run, now: datetime) -> Why | None:
    campaign = run.message.campaign
    if campaign.status == CampaignStatus.CANCELLED:
        return Reason.CANCELLED, ""
    if run.deadline > now:
        return None
    if run.message.is_stopped or halts_for(run):
        return Reason.HALTED, ""
    # Full till the end: that is why they waited. Nobody is handed over after the deadline, so the counts still stand.
    if found := capacity.shut(run.message, run.deadline - timedelta(microseconds=1)):
        return Reason.OVER_CAPACITY, f"capacity.{found.line.id}"
    return Reason.EXPIRED, ""


def _why(chunk: Chunk, why: Why) -> Why:
    """Why the people of this very chunk came too late: for want of room, as it was noted; or because of their hours, or since
    nobody called them though they stood on the list.
    """
    if why[0] == Reason.EXPIRED and chunk.reason == Reason.OVER_CAPACITY:
        return chunk.reason, chunk.rule
    is_other = chunk.state == ChunkState.OPEN or chunk.reason not in ("", Reason.OVER_CAPACITY)
    return (Reason.EXPIRED, "") if why[0] == Reason.OVER_CAPACITY and is_other else why


def _end(chunk_id: int, why: Why, now: datetime) -> int:
    chunk = chunks.reread(chunk_id)
    people = chunk.people | (chunk.approved or BitMap())
    left = people - chunks.begun(chunk) - ledger.of_run(chunk.run, people)
    rows = ledger.Book.of(chunk.run).refusals({_why(chunk, why): left}, now)
    ledger.append(rows)
    # A worker that holds the lease finds the end itself when it begins its next burst.
    if chunk.state != ChunkState.LEASED:
        chunk.approved = (chunk.approved or BitMap()) - left
        chunk.save(update_fields=["approved"])
        chunks.settle_state(chunk)
    return len(left)


def finish(run: Run, *, now: datetime) -> tuple[int, int]:
    """Ends a run of which no chunk is open; people of the audience in no chunk and no ledger row wait again.

    Returns (runs ended, people recovered).
    """
    if run.chunks.exclude(state=ChunkState.DONE).exists():
        return 0, 0
    lost = run.audience - ledger.of_run(run)
    if lost and run.deadline > now:
        return 0, sum(chunks.decide(part, lambda _aliases, block=block, part=part: _recover(run, block, part))  # type: ignore[misc]
                      for block, part in split(lost))
    if lost:
        return 0, chunks.decide(lost, lambda _aliases: _write_off(run, lost, now))
    over = RunState.CANCELLED if run.message.campaign.status == CampaignStatus.CANCELLED else RunState.DONE
    changed = Run.objects.filter(pk=run.pk, state__in=[RunState.PLANNED, RunState.RUNNING]).update(
        state=over, finished_at=now
    )
    return changed, 0


def _recover(run: Run, block: int, people: BitMap) -> int:
    people = people - ledger.of_run(run, people)
    last = Chunk.objects.filter(run=run, block=block).order_by("-generation").first()
    generation = last.generation + 1 if last else 0
    if people and not Chunk.objects.filter(run=run, block=block).exclude(state=ChunkState.DONE).exists():
        Chunk.objects.create(run=run, block=block, generation=generation, people=people, count=len(people))
        return len(people)
    return 0


def _write_off(run: Run, people: BitMap, now: datetime) -> int:
    people = people - ledger.of_run(run, people)
    ledger.append(ledger.Book.of(run).refusals({_end_reason(run, now) or (Reason.EXPIRED, ""): people}, now))
    return len(people)
