"""The proof of a run, to the person: audience = waiting + sent + refused by reason + held_out + failed + unknown."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from pyroaring import BitMap

from apps.campaigns.models import Chunk, Delivery, Run
from apps.campaigns.models.sending import ChunkState, Outcome

from . import events, ledger


def run_proof(run: Run) -> dict[str, Any]:
    """Numbers of people: audience, waiting, sent, refused (reason -> people), held_out, failed, unknown.

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


def people(run: Run, outcome: str, reason: str = "") -> BitMap:
    """The people behind one number of the proof."""
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
