"""One person with several ids: after a merge every id maps to its survivor for ever, and all count as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from django.db import connection
from pyroaring import BitMap

from apps.core.blocks import blocks_of

ID, INTO = "id", "merged_into_id"
MANY = 5_000
Ask = Callable[[str, Iterable[int]], list[tuple[int, int]]]


@dataclass(frozen=True)
class Aliases:
    """Who is whom among some people. Only ids that take part in a merge stand in the maps."""

    survivors: dict[int, int] = field(default_factory=dict)
    members: dict[int, BitMap] = field(default_factory=dict)

    def survivor(self, customer_id: int) -> int:
        """The id that lives on; the id itself when it was never merged."""
        return self.survivors.get(customer_id, customer_id)

    def group(self, customer_id: int) -> BitMap:
        """All ids of that person, living and merged."""
        return self.members.get(self.survivor(customer_id)) or BitMap([customer_id])

    def living(self, people: BitMap) -> BitMap:
        """The same people by their surviving ids."""
        merged = people & self._merged
        return (people - merged) | BitMap(self.survivors[customer_id] for customer_id in merged) if merged else people

    def everybody(self, people: BitMap) -> BitMap:
        """The people with all their other ids."""
        known = people & (self._merged | BitMap(self.members))
        return BitMap.union(people, *[self.group(customer_id) for customer_id in known])

    def known(self, customer_id: int) -> bool:
        """Whether this id takes part in any merge."""
        return customer_id in self.survivors or customer_id in self.members

    def back(self, survivors: BitMap, people: BitMap) -> BitMap:
        """Those of `people` whose surviving id is among `survivors`."""
        merged = people & self._merged
        return (survivors & (people - merged)) | BitMap(one for one in merged if self.survivors[one] in survivors)

    @cached_property
    def _merged(self) -> BitMap:
        return BitMap(self.survivors)

    def blocks(self, people: BitMap) -> list[int]:
        """The blocks that must be locked to decide about these people."""
        return blocks_of(self.everybody(people))


def of(people: Iterable[int]) -> Aliases:
    """Looks the merges of these people up, along chains in both directions. Of many people all merges are read at once."""
    ids = list(people)
    ask: Ask = _looked_up() if len(ids) > MANY else _pairs
    survivors = _climb(ids, ask)
    members = _descend(set(ids) | set(survivors.values()), survivors, ask)
    for survivor, group in members.items():
        group.add(survivor)
    for survivor in set(survivors.values()):
        members.setdefault(survivor, BitMap([survivor]))
    for customer_id, survivor in survivors.items():
        members[survivor].add(customer_id)
    # What stands in the ledger or on file under a merged id is the survivor's, also when only the survivor was asked about.
    every = {customer_id: survivor for survivor, group in members.items() for customer_id in group if customer_id != survivor}
    return Aliases(every, members)


def _pairs(column: str, ids: Iterable[int]) -> list[tuple[int, int]]:
    """The merges (id, survivor) with one of these ids in the column."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, merged_into_id FROM customers_customer WHERE {column} = ANY(%s) AND merged_into_id IS NOT NULL",
            [list(ids)],
        )
        return cursor.fetchall()


def _looked_up() -> Ask:
    """The same out of all merges there are: for most of the customers these are fewer rows than the customers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, merged_into_id FROM customers_customer WHERE merged_into_id IS NOT NULL")
        merges = cursor.fetchall()

    def ask(column: str, wanted: Iterable[int]) -> list[tuple[int, int]]:
        place, chosen = (0 if column == ID else 1), BitMap(wanted)
        return [merge for merge in merges if merge[place] in chosen]

    return ask


def _climb(ids: list[int], ask: Ask) -> dict[int, int]:
    """id -> survivor for those that were merged into another."""
    found = dict(ask(ID, ids))
    result = dict(found)
    above = set(found.values())
    while above and (next_step := dict(ask(ID, above))):
        result = {customer_id: next_step.get(survivor, survivor) for customer_id, survivor in result.items()}
        above = set(next_step.values())
    return result


def _descend(tops: set[int], survivors: dict[int, int], ask: Ask) -> dict[int, BitMap]:
    """survivor -> all ids merged into it, directly or through others."""
    members: dict[int, BitMap] = {}
    owner = dict(survivors)
    below = tops
    while below and (rows := ask(INTO, below)):
        for customer_id, parent in rows:
            owner.setdefault(parent, parent)
            owner[customer_id] = owner[parent]
            members.setdefault(owner[parent], BitMap()).add(customer_id)
        below = {customer_id for customer_id, _ in rows}
    return members
