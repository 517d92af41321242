"""Chunks given back: people who were not handed over wait again, in a new generation of their chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Max
from pyroaring import BitMap

from apps.campaigns.models import Burst, Chunk
from apps.campaigns.models.sending import ChunkState
from apps.core.blocks import lock_blocks

from . import aliases as alias_lookup
from . import ledger
from .aliases import Aliases

T = TypeVar("T")


class Moved(Exception):
    """A merge changed who is whom between looking and locking: look again."""


def decide(people: BitMap, act: Callable[[Aliases], T]) -> T:
    """Does something in a transaction that holds the locks of all ids of these people, again if a merge came between."""
    while True:
        try:
            with _holding(people) as aliases:
                return act(aliases)
        except Moved:
            continue


@contextmanager
def _holding(people: BitMap) -> Iterator[Aliases]:
    found = alias_lookup.of(people)
    blocks = found.blocks(people)
    with transaction.atomic():
        lock_blocks(blocks)
        now_found = alias_lookup.of(people)
        if not set(now_found.blocks(people)) <= set(blocks):
            raise Moved
        yield now_found


def requeue(
    chunk: Chunk, people: BitMap, *, not_before: datetime | None = None, attempt: int | None = None, reason: str = "", rule: str = ""
) -> None:
    """Lets people wait in a new generation of the chunk, and says why, and gives their reservation up. Blocks are locked."""
    if not people:
        return
    last = Chunk.objects.filter(run=chunk.run_id, block=chunk.block).aggregate(last=Max("generation"))["last"]
    Chunk.objects.create(
        run_id=chunk.run_id,
        block=chunk.block,
        generation=last + 1,
        people=people,
        count=len(people),
        not_before=not_before,
        reason=reason,
        rule=rule[:40],
        attempt=chunk.attempt if attempt is None else attempt,
    )
    if chunk.approved is not None:
        chunk.approved = chunk.approved - people
    chunk.people = chunk.people - people
    chunk.save(update_fields=["approved", "people"])


def settle_state(chunk: Chunk) -> None:
    """Marks a chunk that nobody works any more as done, or as open while outcomes are awaited. Blocks are locked."""
    awaited = (chunk.approved or BitMap()) - ledger.of_run(chunk.run, chunk.approved or BitMap())
    chunk.state = ChunkState.OPEN if awaited else ChunkState.DONE
    chunk.leased_until = None
    chunk.save(update_fields=["state", "leased_until"])


def begun(chunk: Chunk) -> BitMap:
    """Everybody of the chunk who is in a burst that was begun."""
    groups = Burst.objects.filter(chunk=chunk).values_list("people", flat=True)
    return BitMap.union(BitMap(), *groups)


def give_back(chunk: Chunk, *, not_before: datetime | None = None) -> BitMap:
    """Ends a lease: bursts not begun go back (approved minus begun minus ledger). Blocks are locked.

    Returns who waits again.
    """
    approved = chunk.approved or BitMap()
    back = approved - begun(chunk) - ledger.of_run(chunk.run, approved)
    chunk.lease_epoch += 1
    chunk.save(update_fields=["lease_epoch"])
    requeue(chunk, back, not_before=not_before)
    settle_state(chunk)
    return back


def reread(chunk_id: int) -> Chunk:
    """The chunk as it stands, locked for change."""
    return (
        Chunk.objects.select_for_update(of=("self",))
        .select_related("run__message__campaign", "run__message__purpose", "run__message__account")
        .get(pk=chunk_id)
    )


def database_now() -> datetime:
    """The database's clock: leases compare moments of different machines."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
