"""The people of one leaf, cached per company-zone day for as long as the tables it reads have not changed."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

from django.db import connection
from pyroaring import BitMap

from apps.core import bitmaps
from apps.customers.models import DataChange, SegmentLeaf

from .criteria import Criterion, Moment, Params


def digest_of(leaf: Params) -> str:
    """The same condition has the same digest, however it was typed in."""
    return hashlib.sha256(json.dumps(leaf, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def data_version(tables: tuple[str, ...]) -> int:
    """A number that is another one after every committed change of these tables.

    The sum of visible changes counts too: the line of a transaction that commits late has an older id.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(id), 0) * 1048576 + coalesce(sum(changes), 0) %% 1048576 "
            "FROM customers_datachange WHERE subject = ANY(%s)",
            [list(tables)],
        )
        return int(cursor.fetchone()[0])


def people_of(criterion: Criterion, leaf: Params, moment: Moment) -> BitMap:
    """Who meets one condition: from the cache where it is still true, else from SQL, which refreshes the cache."""
    params = {key: value for key, value in leaf.items() if key != "is"}
    if not criterion.tables:
        return bitmaps.from_sql(*criterion.sql(params, moment))
    version = data_version(criterion.tables)
    digest = digest_of(leaf)
    cached = SegmentLeaf.objects.filter(digest=digest, day=moment.day, data_version=version).first()
    if cached is not None:
        return cached.people
    people = bitmaps.from_sql(*criterion.sql(params, moment))
    SegmentLeaf.objects.bulk_create(
        [
            SegmentLeaf(
                digest=digest, day=moment.day, people=people, count=len(people), data_version=version,
                computed_at=moment.now,
            )
        ],
        update_conflicts=True,
        unique_fields=["digest", "day"],
        update_fields=["people", "count", "data_version", "computed_at"],
    )  # fmt: skip
    return people


def forget_before(moment: Moment) -> int:
    """Drops leaves of earlier days, which nobody asks for again, and the lines of changes that only they needed."""
    DataChange.objects.filter(at__lt=moment.now - timedelta(days=2))._raw_delete("default")
    return SegmentLeaf.objects.filter(day__lt=moment.day)._raw_delete("default")
