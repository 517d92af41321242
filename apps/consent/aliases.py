"""One person with several ids: what was said under any of them counts for all of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from pyroaring import BitMap

# Above so many people one reading of all merges is quicker than asking for each person.
MANY = 20_000


def absorbed_into(people: BitMap) -> dict[int, int]:
    """merged id -> the surviving id among `people`, along chains. People who never merged do not stand in it."""
    if len(people) > MANY:
        return _all(people)
    found: dict[int, int] = {}
    owner = {customer_id: customer_id for customer_id in people}
    below = list(people)
    while below and (rows := _children(below)):
        for customer_id, parent in rows:
            owner[customer_id] = owner[parent]
            found[customer_id] = owner[parent]
        below = [customer_id for customer_id, _ in rows]
    return found


def groups(people: Iterable[int]) -> dict[int, list[int]]:
    """id -> all ids of that person (survivor first), for any ids, surviving or merged."""
    wanted = list(dict.fromkeys(people))
    tops = survivors(wanted)
    members: dict[int, list[int]] = {top: [top] for top in tops.values()}
    for customer_id, top in absorbed_into(BitMap(members)).items():
        members[top].append(customer_id)
    return {customer_id: members[tops[customer_id]] for customer_id in wanted}


def survivors(people: Iterable[int]) -> dict[int, int]:
    """id -> the id that lives on, for each of the people."""
    tops = {customer_id: customer_id for customer_id in people}
    above = set(tops)
    while above:
        step = dict(_pairs("id = ANY(%s) AND merged_into_id IS NOT NULL", list(above)))
        if not step:
            break
        tops = {customer_id: step.get(top, top) for customer_id, top in tops.items()}
        above = set(step.values())
    return tops


def _all(people: BitMap) -> dict[int, int]:
    parents = dict(_pairs("merged_into_id IS NOT NULL"))
    found = {}
    for customer_id in parents:
        top = parents[customer_id]
        while top in parents:
            top = parents[top]
        if top in people:
            found[customer_id] = top
    return found


def _children(parents: list[int]) -> list[tuple[int, int]]:
    return _pairs("merged_into_id = ANY(%s)", parents)


def _pairs(condition: str, ids: list[int] | None = None) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        sql = f"SELECT id, merged_into_id FROM customers_customer WHERE {condition}"
        cursor.execute(sql, [ids] if ids is not None else [])
        return cursor.fetchall()
