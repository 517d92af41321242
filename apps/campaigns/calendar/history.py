"""What has been sent lately, as people per run, for counting contacts that are already spent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.cache import cache
from pyroaring import BitMap

from apps.consent.models import PurposeClass
from apps.core import bitmaps

from ..conflicts.pressure import Contact
from ..models import Run
from ..models.sending import RunState

SQL = """
SELECT run_id, array_agg(customer_id ORDER BY customer_id)
FROM campaigns_delivery WHERE run_id = ANY(%s) AND run_day >= %s AND outcome IN ('sent', 'unknown')
GROUP BY run_id
"""
KEPT = 7 * 24 * 3600


def sent_contacts(*, first: datetime, now: datetime) -> Iterator[Contact]:
    """Everybody whom a run from ``first`` to ``now`` really reached, at the run's moment."""
    runs = list(
        Run.objects.filter(scheduled_at__gte=first, scheduled_at__lte=now)
        .select_related("message__campaign", "message__purpose").defer("audience", "message__plan_audience")
    )
    reached = _reached(runs, first)
    for run in runs:
        message = run.message
        purpose_class = message.purpose.purpose_class if message.purpose else PurposeClass.PROMOTION
        yield Contact(
            run.scheduled_at, reached.get(run.pk, BitMap()), message.channel, purpose_class,
            message.campaign.department_id, message.pk,
        )


def _reached(runs: list[Run], first: datetime) -> dict[int, BitMap]:
    """People per run from the ledger in one query; those of finished runs are remembered, for they do not change."""
    finished = {f"run-people:{run.pk}": run.pk for run in runs if run.state == RunState.DONE}
    kept = {finished[key]: BitMap.deserialize(raw) for key, raw in cache.get_many(list(finished)).items()}
    missing = [run.pk for run in runs if run.pk not in kept]
    if missing:
        found = _from_ledger(missing, first)
        kept |= {pk: found.get(pk, BitMap()) for pk in missing}
        cache.set_many({key: kept[pk].serialize() for key, pk in finished.items() if pk in missing}, KEPT)
    return kept


def _from_ledger(run_ids: list[int], first: datetime) -> dict[int, BitMap]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(SQL, [run_ids, (first - timedelta(days=1)).date()])
        return {run_id: bitmaps.from_ids(people) for run_id, people in cursor.fetchall()}
