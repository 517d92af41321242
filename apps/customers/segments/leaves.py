"""The people of one leaf, cached per company-zone day for as long as the tables it reads have not changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pyroaring import BitMap

from apps.core import bitmaps
from apps.customers import identity
from apps.customers.models import DataChange, SegmentLeaf

from .criteria import Criterion, Moment, Params

# Beyond this many transactions since the leaf was computed, one query over everybody is the cheaper way.
MOST_LINES = 2000


def digest_of(leaf: Params) -> str:
    """The same condition has the same digest, however it was typed in."""
    return hashlib.sha256(json.dumps(leaf, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def seen_changes(tables: tuple[str, ...]) -> BitMap:
    """The lines of all committed changes of these tables that are still kept."""
    return bitmaps.from_sql("SELECT id::int FROM customers_datachange WHERE subject = ANY(%s)", [list(tables)])


def people_of(criterion: Criterion, leaf: Params, moment: Moment) -> BitMap:
    """Who meets one condition: from the cache where it is still true; else brought up to date, and the cache with it.

    Only the customers whose rows have changed since are asked for again, as long as it is known who they are. Cost grows with
    them, not with everybody.
    """
    params = {key: value for key, value in leaf.items() if key != "is"}
    sql = criterion.sql(params, moment)
    if not criterion.tables:
        return bitmaps.from_sql(*sql)
    # Read before the people: what commits between the two is asked for once more the next time.
    seen = seen_changes(criterion.tables)
    digest = digest_of(leaf)
    cached = SegmentLeaf.objects.filter(digest=digest, day=moment.day).first()
    if cached is not None and seen <= cached.seen:
        return cached.people
    people = _brought_up(cached, seen, *sql)
    _keep(digest, moment, people, seen)
    return people


def _brought_up(cached: SegmentLeaf | None, seen: BitMap, sql: str, params: Sequence[Any]) -> BitMap:
    touched = None if cached is None else _touched(seen - cached.seen)
    if cached is None or touched is None:
        return bitmaps.from_sql(sql, params)
    return (cached.people - touched) | _among(touched, sql, params)


def _touched(lines: BitMap) -> BitMap | None:
    """Whom these changes touched; None when that is not known or they are too many to be worth it."""
    people: list[int] = []
    for touched in DataChange.objects.filter(pk__in=list(lines)[: MOST_LINES + 1]).values_list("touched", flat=True):
        if touched is None:
            return None
        people += touched
    if len(lines) > MOST_LINES:
        return None
    # What is kept under an absorbed id is the survivor's.
    return BitMap(people) | BitMap(identity.survivor_map(people).values())


def _among(touched: BitMap, sql: str, params: Sequence[Any]) -> BitMap:
    """Those of the touched who meet the condition; PostgreSQL carries the restriction down into the query."""
    return bitmaps.from_sql(
        f"SELECT one FROM ({sql}) AS leaf(one) WHERE one = ANY(%s)", [*params, list(touched)]
    )


def _keep(digest: str, moment: Moment, people: BitMap, seen: BitMap) -> None:
    SegmentLeaf.objects.bulk_create(
        [SegmentLeaf(digest=digest, day=moment.day, people=people, count=len(people), seen=seen, computed_at=moment.now)],
        update_conflicts=True,
        unique_fields=["digest", "day"],
        update_fields=["people", "count", "seen", "computed_at"],
    )


def forget_before(moment: Moment) -> int:
    """Drops leaves of earlier days, which nobody asks for again, and the lines of changes that only they needed."""
    DataChange.objects.filter(at__lt=moment.now - timedelta(days=2))._raw_delete("default")
    return SegmentLeaf.objects.filter(day__lt=moment.day)._raw_delete("default")
