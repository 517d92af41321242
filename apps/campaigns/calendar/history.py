"""What has been sent lately, as people per run, for counting contacts that are already spent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import connection
from pyroaring import BitMap

from apps.consent.models import PurposeClass
from apps.core import bitmaps, clock

from .. import schedule
from ..conflicts.pressure import Contact
from ..elsewhere.runs import still_planned, told_by_day
from ..models import Message, Run
from ..models.plan import CampaignStatus, MessageKind
from ..models.sending import RunState

_BY_RUN = """
SELECT run_id, array_agg(customer_id ORDER BY customer_id)
FROM campaigns_delivery WHERE run_id = ANY(%s) AND run_day >= %s AND {} GROUP BY run_id
"""
REACHED = _BY_RUN.format("outcome IN ('sent', 'unknown')")
REFUSED = _BY_RUN.format("outcome NOT IN ('sent', 'unknown')")
KEPT = 7 * 24 * 3600


def sent_contacts(*, first: datetime, now: datetime) -> Iterator[Contact]:
    """Everybody whom a run from ``first`` to ``now`` really reached or still may reach (as far as it is not refused), at the
    run's moment, and whom another tool's campaign that is done was for. Each person stands under the id that lives on.
    """
    runs = list(
        Run.objects.filter(scheduled_at__gte=first, scheduled_at__lte=now)
        .select_related("message__campaign", "message__purpose").defer("audience", "message__plan_audience")
    )
    reached = _reached(runs, first)
    into = _merged() if runs else {}
    for run in runs:
        yield _contact(run.message, run.scheduled_at, _living(reached.get(run.pk, BitMap()), into))
    elsewhere = Message.objects.filter(
        kind=MessageKind.ELSEWHERE, campaign__status=CampaignStatus.DONE, is_stopped=False, campaign__ends_on__gte=first.date()
    )
    over = list(elsewhere.select_related("campaign", "purpose"))
    told = told_by_day(message.pk for message in over)
    for message in over:
        for at in schedule.occurrences(message, first=first, last=now, zone=clock.company_zone()):
            yield _contact(message, at, still_planned(message.plan_audience or BitMap(), told.get(message.pk, []), at))


def _contact(message: Message, at: datetime, people: BitMap) -> Contact:
    campaign = message.campaign
    return Contact(
        at, people, message.channel, message.purpose.purpose_class if message.purpose else PurposeClass.PROMOTION,
        campaign.department_id, message.pk, campaign.pk, campaign.priority if message.priority is None else message.priority,
    )


def _merged() -> dict[int, int]:
    """Every merged id with the id it was merged into."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, merged_into_id FROM customers_customer WHERE merged_into_id IS NOT NULL")
        return dict(cursor.fetchall())


def _living(people: BitMap, into: dict[int, int]) -> BitMap:
    gone = people & BitMap(into)
    while gone:
        people = (people - gone) | BitMap(into[pk] for pk in gone)
        gone = people & BitMap(into)
    return people


def _reached(runs: list[Run], first: datetime) -> dict[int, BitMap]:
    """People per run from the ledger in one query; those of our own finished runs are remembered: they do not change."""
    ours = [run for run in runs if run.message.kind == MessageKind.ADDRESSED]
    finished = {f"run-people:{run.pk}": run.pk for run in ours if run.state == RunState.DONE}
    kept = {finished[key]: BitMap.deserialize(raw) for key, raw in cache.get_many(list(finished)).items()}
    missing = [run.pk for run in runs if run.pk not in kept]
    if missing:
        found = _from_ledger(REACHED, missing, first)
        kept |= {pk: found.get(pk, BitMap()) for pk in missing}
        cache.set_many({key: kept[pk].serialize() for key, pk in finished.items() if pk in missing}, KEPT)
    return kept | _under_way([run.pk for run in runs if run.state in (RunState.PLANNED, RunState.RUNNING)], first)


def _under_way(run_ids: list[int], first: datetime) -> dict[int, BitMap]:
    """Of runs that are not over everybody whom they have not refused."""
    if not run_ids:
        return {}
    refused = _from_ledger(REFUSED, run_ids, first)
    audiences = Run.objects.filter(pk__in=run_ids).values_list("pk", "audience")
    return {pk: audience - refused.get(pk, BitMap()) for pk, audience in audiences}


def _from_ledger(sql: str, run_ids: list[int], first: datetime) -> dict[int, BitMap]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [run_ids, (first - timedelta(days=1)).date()])
        return {run_id: bitmaps.from_ids(people) for run_id, people in cursor.fetchall()}
