"""People who are approved but not yet in the ledger: they count as if they had been reached already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from pyroaring import BitMap

from apps.campaigns.models import Chunk
from apps.campaigns.models.sending import ChunkState
from apps.core.blocks import blocks_of


@dataclass(frozen=True)
class Held:
    """People of one run for whom something is held: reserved, or (for `waiting`) not yet judged."""

    run_id: int
    message_id: int
    department_id: int
    channel: str
    purpose_class: str
    people: BitMap


FACTS = (
    "run_id",
    "run__message_id",
    "run__message__campaign__department_id",
    "run__message__channel",
    "run__message__purpose__purpose_class",
)


def reserved(people: BitMap, *, apart_from: int | None = None, messages: Iterable[int] | None = None) -> list[Held]:
    """Reservations of these people: approved minus ledger, one entry per chunk. `apart_from` is a run not to count."""
    chunks = Chunk.objects.exclude(state=ChunkState.DONE).filter(block__in=blocks_of(people), approved__isnull=False)
    if apart_from is not None:
        chunks = chunks.exclude(run_id=apart_from)
    if messages is not None:
        chunks = chunks.filter(run__message__in=list(messages))
    rows = chunks.order_by("run_id", "block", "generation").values_list(*FACTS, "approved")
    return _unsettled([_held(facts, approved & people) for *facts, approved in rows])


def waiting(runs: Iterable[int], people: BitMap) -> dict[int, BitMap]:
    """run id -> those of the people who wait in it, neither reserved nor in the ledger."""
    rows = (
        Chunk.objects.exclude(state=ChunkState.DONE)
        .filter(run_id__in=list(runs), block__in=blocks_of(people))
        .values_list(*FACTS, "people", "approved")
    )
    held = [_held(facts, (every & people) - (approved or BitMap())) for *facts, every, approved in rows]
    found: dict[int, BitMap] = {}
    for each in _unsettled(held):
        found[each.run_id] = found.get(each.run_id, BitMap()) | each.people
    return found


def _held(facts: list[Any], people: BitMap) -> Held:
    run_id, message_id, department_id, channel, purpose_class = facts
    return Held(run_id, message_id, department_id, channel, purpose_class or "", people)


def _unsettled(held: list[Held]) -> list[Held]:
    """The same without those who already have a ledger row in that run."""
    held = [each for each in held if each.people]
    if not held:
        return []
    everybody = BitMap.union(*[each.people for each in held])
    settled: dict[int, BitMap] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT run_id, customer_id FROM campaigns_delivery WHERE customer_id = ANY(%s) AND run_id = ANY(%s)",
            [list(everybody), list({each.run_id for each in held})],
        )
        for run_id, customer_id in cursor.fetchall():
            settled.setdefault(run_id, BitMap()).add(customer_id)
    left = [
        Held(**(vars(each) | {"people": each.people - settled.get(each.run_id, BitMap())})) for each in held
    ]
    return [each for each in left if each.people]
