"""Places held for another tool: an open chunk of the message's run, reserved as for our own approved people.

``leased_until`` of such a chunk is the moment at which the place falls back when nobody confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max
from pyroaring import BitMap

from apps.campaigns.models import Chunk, Message, MessageKind, Run
from apps.campaigns.models.sending import ChunkState
from apps.campaigns.sending import capacity, chunks
from apps.core import tokens
from apps.core.blocks import blocks_of, split

from .runs import Runs

KIND = "elsewhere"

def hold(runs: Runs, people: Iterable[int], at: datetime, until: datetime) -> dict[int, str]:
    """Holds a place for each of these people till `until`; customer -> permission. Blocks are locked."""
    placed: dict[int, tuple[Run, BitMap]] = {}
    for customer_id in people:
        run = runs.take(customer_id, at)
        placed.setdefault(run.pk, (run, BitMap()))[1].add(customer_id)
    given: dict[int, str] = {}
    for run, group in placed.values():
        for block, part in split(group):
            last = Chunk.objects.filter(run=run, block=block).aggregate(last=Max("generation"))["last"]
            chunk = Chunk.objects.create(
                run=run, block=block, generation=0 if last is None else last + 1, people=part, approved=part,
                count=len(part), state=ChunkState.OPEN, leased_until=until,
            )  # fmt: skip
            given |= {customer_id: tokens.seal(KIND, (chunk.pk, customer_id)) for customer_id in part}
    return given


def read(permission: str) -> tuple[int, int]:
    """(chunk, customer) of a permission. Raises tokens.BadToken."""
    chunk_id, customer_id = tokens.unseal(KIND, permission)
    return int(chunk_id), int(customer_id)


def of(message: Message, people: BitMap) -> list[Chunk]:
    """The places held in this message in the blocks of these people, the first to fall back first. Blocks are locked."""
    found = Chunk.objects.filter(run__message=message, state=ChunkState.OPEN, block__in=blocks_of(people))
    return list(found.select_related("run").select_for_update(of=("self",)).order_by("leased_until", "pk"))


def give_up(chunk: Chunk, people: BitMap) -> None:
    """Ends the reservation of these people. Blocks are locked; the run's audience is the caller's."""
    left = (chunk.approved or BitMap()) - people
    if left:
        chunk.approved, chunk.people, chunk.count = left, left, len(left)
        chunk.save(update_fields=["approved", "people", "count"])
    else:
        chunk.delete()
        chunk.approved = left


def release(permission: str, *, department_id: int, now: datetime) -> bool:
    """Gives one place back. False when it is not held any more; twice is harmless. Raises tokens.BadToken."""
    chunk_id, customer_id = read(permission)
    mine = Chunk.objects.filter(pk=chunk_id, run__message__campaign__department=department_id)
    if not mine.exists():
        return False
    return bool(chunks.decide(BitMap([customer_id]), lambda _aliases: _drop(chunk_id, BitMap([customer_id]), now)))


def release_expired(*, now: datetime) -> int:
    """Gives back every place that was neither confirmed nor released in time; returns people."""
    expired = Chunk.objects.filter(
        state=ChunkState.OPEN, leased_until__lte=now, run__message__kind=MessageKind.ELSEWHERE
    ).values_list("pk", "people")
    return sum(chunks.decide(people, lambda _aliases, pk=pk: _drop(pk, None, now)) for pk, people in list(expired))  # type: ignore[misc]


def _drop(chunk_id: int, people: BitMap | None, now: datetime) -> int:
    """Gives these people of a chunk their place back; with None all of it, if its time is over."""
    chunk = Chunk.objects.select_related("run__message").filter(pk=chunk_id).first()
    if chunk is None:
        return 0
    runs = Runs(chunk.run.message, now=now)
    held = Chunk.objects.select_for_update(of=("self",)).get(pk=chunk_id).approved or BitMap()
    if people is None and (chunk.leased_until is None or chunk.leased_until > now):
        return 0
    leaving = held if people is None else held & people
    if leaving:
        chunk.approved = held
        give_up(chunk, leaving)
        runs.leave(chunk.run, leaving)
        runs.save()
        capacity.count(chunk.run.message, -len(leaving), chunk.run.run_day)
    return len(leaving)


def find(held: list[Chunk], customer_id: int, permission: str = "") -> Chunk | None:
    """The place of a person among those held: the one the permission names, else the first to fall back."""
    own = [chunk for chunk in held if chunk.approved and customer_id in chunk.approved]
    if permission:
        try:
            named = read(permission)
        except tokens.BadToken:
            named = (0, 0)
        own.sort(key=lambda chunk: (chunk.pk, customer_id) != named)
    return own[0] if own else None
