"""Aligned blocks of customer ids and their advisory locks.

Whoever decides about people (claim, burst, settle, sweep, opt-out, merge) locks the blocks of these people as the first
statement of a transaction, in ascending order. So nobody ever counts a person zero times or twice.
"""

from collections.abc import Iterable

from django.db import connection
from pyroaring import BitMap

BLOCK_SIZE = 1024
# The first of the two numbers of an advisory lock: "people blocks" in Concord.
LOCK_SPACE = 0x434F4E43


def block_of(customer_id: int) -> int:
    """The block in which a customer id lies."""
    return customer_id // BLOCK_SIZE


def blocks_of(people: Iterable[int]) -> list[int]:
    """The blocks of all these people, ascending."""
    return sorted({customer_id // BLOCK_SIZE for customer_id in people})


def split(people: BitMap) -> list[tuple[int, BitMap]]:
    """The people parted by block, ascending; blocks without people are left out."""
    parts: list[tuple[int, BitMap]] = []
    first = people.min() if people else None
    while first is not None:
        block = block_of(first)
        end = (block + 1) * BLOCK_SIZE
        part = people & BitMap(range(block * BLOCK_SIZE, end))
        parts.append((block, part))
        rank = people.rank(end - 1)
        first = people[rank] if rank < len(people) else None
    return parts


def lock_blocks(blocks: Iterable[int]) -> None:
    """Waits for the locks of these blocks until the end of the transaction. Must be its first statement."""
    ordered = sorted(set(blocks))
    if not ordered:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, block) FROM unnest(%s::int[]) AS t(block)", [LOCK_SPACE, ordered]
        )


def try_lock_blocks(blocks: Iterable[int]) -> set[int]:
    """Takes those of the locks that nobody else holds, without waiting, and says which."""
    ordered = sorted(set(blocks))
    if not ordered:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT block, pg_try_advisory_xact_lock(%s, block) FROM unnest(%s::int[]) AS t(block)",
            [LOCK_SPACE, ordered],
        )
        return {block for block, taken in cursor.fetchall() if taken}
