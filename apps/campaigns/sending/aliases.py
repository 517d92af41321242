"""One person with several ids: after a merge every id maps to its survivor for ever, and all count as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection
from pyroaring import BitMap

from apps.core.blocks import blocks_of


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
        if not self.survivors:
            return people
        return BitMap(self.survivor(customer_id) for customer_id in people)

    def everybody(self, people: BitMap) -> BitMap:
        """The people with all their other ids."""
        return BitMap.union(people, *[self.group(customer_id) for customer_id in people if self.known(customer_id)])

    def known(self, customer_id: int) -> bool:
        """Whether this id takes part in any merge."""
        return customer_id in self.survivors or customer_id in self.members

    def back(self, survivors: BitMap, people: BitMap) -> BitMap:
        """Those of `people` whose surviving id is among `survivors`."""
        if not self.survivors:
            return survivors & people
        return BitMap(customer_id for customer_id in people if self.survivor(customer_id) in survivors)

    def blocks(self, people: BitMap) -> list[int]:
        """The blocks that must be locked to decide about these people."""
        return blocks_of(self.everybody(people))


def of(people: Iterable[int]) -> Aliases:
    """Looks the merges of these people up, along chains in both directions."""
    ids = list(people)
    survivors = _climb(ids)
    members = _descend(set(ids) | set(survivors.values()), survivors)
    for survivor, group in members.items():
        group.add(survivor)
    for survivor in set(survivors.values()):
        members.setdefault(survivor, BitMap([survivor]))
    for customer_id, survivor in survivors.items():
        members[survivor].add(customer_id)
    # What stands in the ledger or on file under a merged id is the survivor's, also when only the survivor was asked about.
    every = {customer_id: survivor for survivor, group in members.items() for customer_id in group if customer_id != survivor}
    return Aliases(every, members)


def _pairs(sql: str, ids: Iterable[int]) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(ids)])
        return cursor.fetchall()


def _climb(ids: list[int]) -> dict[int, int]:
    """id -> survivor for those that were merged into another."""
    sql = "SELECT id, merged_into_id FROM customers_customer WHERE id = ANY(%s) AND merged_into_id IS NOT NULL"
    found = dict(_pairs(sql, ids))
    result = dict(found)
    above = set(found.values())
    while above and (next_step := dict(_pairs(sql, above))):
        result = {customer_id: next_step.get(survivor, survivor) for customer_id, survivor in result.items()}
        above = set(next_step.values())
    return result


def _descend(tops: set[int], survivors: dict[int, int]) -> dict[int, BitMap]:
    """survivor -> all ids merged into it, directly or through others."""
    sql = "SELECT id, merged_into_id FROM customers_customer WHERE merged_into_id = ANY(%s)"
    members: dict[int, BitMap] = {}
    owner = {top: survivors.get(top, top) for top in tops}
    below = tops
    while below and (rows := _pairs(sql, below)):
        for customer_id, parent in rows:
            owner[customer_id] = owner[parent]
            members.setdefault(owner[parent], BitMap()).add(customer_id)
        below = {customer_id for customer_id, _ in rows}
    return members
