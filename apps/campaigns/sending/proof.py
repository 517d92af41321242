"""The proof of a run, to the person: audience = waiting + sent + refused by reason + held_out + failed + unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count
from pyroaring import BitMap

from apps.campaigns.models import Chunk, Delivery, Run
from apps.campaigns.models.sending import ChunkState, Outcome
from apps.core import reasons

from . import events, ledger


@dataclass(frozen=True)
class Deferred:
    """People of a run who wait for a reason, and from when on they may go; without a moment: as soon as there is room."""

    reason: str
    rule: str
    until: datetime | None
    people: BitMap

    @property
    def words(self) -> str:
        """The reason as a sentence."""
        return reasons.sentence(self.reason)


def run_proof(run: Run) -> dict[str, Any]:
    """Numbers of people: audience, waiting, sent, refused (reason -> people), held_out, failed, unknown. ``deferred`` tells
    for some of the waiting why they wait (reason -> people); until when says `deferred`.

    Waiting is counted from the chunks and the rest from the ledger, so the sum is a real check. Somebody of whom it was
    learnt later that an unknown hand-over did arrive counts as sent.
    """
    counted: dict[str, int] = dict.fromkeys(Outcome.values, 0)
    refused: dict[str, int] = {}
    rows = Delivery.objects.filter(run_day=run.run_day, run_id=run.pk).values_list("outcome", "reason")
    for outcome, reason, number in rows.annotate(number=Count("customer_id")).order_by("reason", "outcome"):
        counted[outcome] += number
        if outcome == Outcome.REFUSED:
            refused[reason] = refused.get(reason, 0) + number
    if counted[Outcome.UNKNOWN]:
        sent, failed = events.learnt_of_unknown(run)
        failed = failed - sent
        counted[Outcome.SENT] += len(sent)
        counted[Outcome.FAILED] += len(failed)
        counted[Outcome.UNKNOWN] -= len(sent) + len(failed)
    return {
        "audience": run.audience_count,
        "waiting": len(waiting(run)),
        "deferred": _by_reason(deferred(run)),
        "sent": counted[Outcome.SENT],
        "refused": refused,
        "held_out": counted[Outcome.HELD_OUT],
        "failed": counted[Outcome.FAILED],
        "unknown": counted[Outcome.UNKNOWN],
    }


def adds_up(proof: dict[str, Any]) -> bool:
    """Whether nobody is missing and nobody is counted twice."""
    parts = sum(proof[key] for key in ("waiting", "sent", "held_out", "failed", "unknown"))
    return bool(proof["audience"] == parts + sum(proof["refused"].values()))


def waiting(run: Run) -> BitMap:
    """Everybody of the run who waits or is being handed over: in an open chunk and not in the ledger."""
    groups = Chunk.objects.filter(run=run).exclude(state=ChunkState.DONE).values_list("people", "approved")
    people = BitMap.union(BitMap(), *[(every | approved if approved else every) for every, approved in groups])
    return people - ledger.of_run(run) if people else people


def deferred(run: Run) -> list[Deferred]:
    """Those who wait for another reason than that it is not their turn yet, the soonest first."""
    rows = Chunk.objects.filter(run=run, state=ChunkState.WAITING).exclude(reason="")
    found: dict[tuple[str, str, datetime | None], BitMap] = {}
    for reason, rule, until, group in rows.values_list("reason", "rule", "not_before", "people"):
        found[reason, rule, until] = found.get((reason, rule, until), BitMap()) | group
    settled = ledger.of_run(run, BitMap.union(*found.values())) if found else BitMap()
    left = [Deferred(*key, group - settled) for key, group in found.items() if group - settled]
    return sorted(left, key=lambda each: (each.until is not None, each.until or run.deadline, each.reason))


def _by_reason(found: list[Deferred]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for each in found:
        counted[each.reason] = counted.get(each.reason, 0) + len(each.people)
    return counted


def people(run: Run, outcome: str, reason: str = "") -> BitMap:
    """The people behind one number of the proof."""
    if outcome == "waiting" and reason:
        return BitMap.union(BitMap(), *[each.people for each in deferred(run) if each.reason == reason])
    if outcome == "waiting":
        return waiting(run)
    rows = Delivery.objects.filter(run_day=run.run_day, run_id=run.pk, outcome=outcome)
    if reason:
        rows = rows.filter(reason=reason)
    found = BitMap(rows.values_list("customer_id", flat=True))
    if outcome in (Outcome.SENT, Outcome.FAILED, Outcome.UNKNOWN):
        sent, failed = events.learnt_of_unknown(run)
        late = {Outcome.SENT: sent, Outcome.FAILED: failed - sent}
        found = found - sent - failed if outcome == Outcome.UNKNOWN else found | late[Outcome(outcome)]
    return found
