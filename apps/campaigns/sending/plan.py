"""Planning: what is due becomes a run, whose audience, arms and chunks are frozen in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from pyroaring import BitMap

from apps.campaigns import approval, audiences, launch
from apps.campaigns.conflicts import defaults, passes
from apps.campaigns.models import Chunk, Message, Run, RunArm
from apps.campaigns.models.plan import CampaignStatus, MessageKind, Timing
from apps.channels.kinds import ADDRESS_KIND
from apps.consent import gate
from apps.core import bitmaps
from apps.core.blocks import split
from apps.core.clock import company_day
from apps.core.reasons import Reason

from . import arms, ledger, left_out, local_time, partitions
from .occurrences import BadRecurrence, Occurrence, deadline, first_moment, occurrences

# A worker that comes back after a long outage still plans what it missed, and the proof says that it came too late.
LOOK_BACK = timedelta(days=45)
LOOK_AHEAD = timedelta(hours=28)


def plan_due_runs(*, now: datetime) -> list[Run]:
    """Plans a run for every occurrence that is due and has none. Doing it twice, or twice at once, is harmless."""
    # What nobody decided in time must hold nothing up: the policy decides it first.
    defaults.decide_overdue(now=now)
    planned: list[Run] = []
    for message in _candidates(now):
        for occurrence in due(message, now):
            run = plan_run(message, occurrence, now=now)
            if run is not None:
                planned.append(run)
    return planned


def _candidates(now: datetime) -> Iterator[Message]:
    return (
        Message.objects.filter(
            campaign__status__in=[CampaignStatus.SCHEDULED, CampaignStatus.LIVE],
            kind=MessageKind.ADDRESSED,
            is_stopped=False,
            send_at__lte=now + LOOK_AHEAD,
        )
        .exclude(runs__occurrence="once")
        .select_related("campaign", "purpose", "account")
        .defer("plan_audience")
        .order_by("send_at", "pk")
        .iterator()
    )


def due(message: Message, now: datetime) -> list[Occurrence]:
    """The occurrences of a message that are due, have no run, and are covered by its approval and free of conflicts."""
    try:
        found = occurrences(message, _look_back(message, now), now + LOOK_AHEAD)
    except BadRecurrence:
        return []
    found = [each for each in found if first_moment(message, each) <= now]
    if not found:
        return []
    known = set(Run.objects.filter(message=message).values_list("occurrence", flat=True))
    # Of a repeating message an occurrence that is already over is left out: nobody waits for last week's newsletter.
    found = [
        each
        for each in found
        if each.key not in known and not (message.recurrence and deadline(message, each) <= now)
    ]
    if not found or passes.blocking(message.campaign):
        return []
    return [each for each in found if approval.is_covered(message.campaign, each.at)]


def _look_back(message: Message, now: datetime) -> datetime:
    return now - LOOK_BACK if message.recurrence else message.send_at


def plan_run(message: Message, occurrence: Occurrence, *, now: datetime) -> Run | None:
    """Freezes the audience of one occurrence. Returns None when a run for it exists already."""
    run_day = company_day(occurrence.at)
    partitions.ensure(run_day)
    audience = audiences.compute(message, now=now)
    decided = {(str(Reason.LEFT_OUT), rule): people for rule, people in left_out.of(message, audience, occurrence.at, now=now).items()}
    left = audience - BitMap.union(BitMap(), *decided.values())
    doubles = same_address(message, left, now)
    try:
        with transaction.atomic():
            run = _create(message, occurrence, BitMap.union(audience, *decided.values()), now)
            _draw_arms(run)
            ledger.append(ledger.Book.of(run).refusals({(str(Reason.SAME_ADDRESS), ""): doubles, **decided}, now))
            _cut(run, occurrence, left - doubles)
            launch.go_live(campaign=message.campaign, now=now)
    except IntegrityError:
        if Run.objects.filter(message=message, occurrence=occurrence.key).exists():
            return None
        raise
    return run


def _create(message: Message, occurrence: Occurrence, audience: BitMap, now: datetime) -> Run:
    return Run.objects.create(
        message=message,
        occurrence=occurrence.key,
        run_day=company_day(occurrence.at),
        scheduled_at=first_moment(message, occurrence),
        deadline=deadline(message, occurrence),
        audience=audience,
        audience_count=len(audience),
        planned_at=now,
    )


def _draw_arms(run: Run) -> None:
    RunArm.objects.bulk_create(
        RunArm(run=run, kind=arm.kind, code=arm.code, people=arm.people, count=len(arm.people))
        for arm in arms.drawn(run.message, run.audience)
    )


def _cut(run: Run, occurrence: Occurrence, people: BitMap) -> None:
    """Cuts the people into chunks inside aligned blocks; at local time each moment is a generation of its own."""
    moments = local_time.moments(occurrence, people) if run.message.timing == Timing.LOCAL else [(None, people)]
    chunks: list[Chunk] = []
    generations: dict[int, int] = {}
    for not_before, group in moments:
        for block, part in split(group):
            generation = generations.get(block, 0)
            generations[block] = generation + 1
            chunks.append(
                Chunk(run=run, block=block, generation=generation, people=part, count=len(part), not_before=not_before)
            )
    Chunk.objects.bulk_create(chunks, batch_size=2000)


def same_address(message: Message, people: BitMap, now: datetime) -> BitMap:
    """Those whose address on this channel belongs to somebody else of the audience who keeps the message.

    Of several people with one address the first keeps it whom the gate allows, else the first.
    """
    kind = ADDRESS_KIND.get(message.channel)
    if kind is None or not people or message.purpose is None:
        return BitMap()
    groups = _sharing(kind, people, now)
    if not groups:
        return BitMap()
    everybody = BitMap.union(*groups)
    judgement = gate.judge(people=everybody, channel=message.channel, purpose=message.purpose, at=now)
    reachable = everybody - BitMap.union(BitMap(), *judgement.denied.values())
    out = BitMap()
    for group in groups:
        keeper = (group & reachable or group).min()
        out |= group - BitMap([keeper])
    return out


def _sharing(kind: str, people: BitMap, now: datetime) -> list[BitMap]:
    """Groups of people with the same first address of that kind: preferred before others, then the newest."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH first AS (
                SELECT DISTINCT ON (customer_id) customer_id, value FROM customers_contactpoint
                WHERE kind = %s AND customer_id = ANY(%s) AND valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)
                ORDER BY customer_id, is_preferred DESC, valid_from DESC, id DESC
            )
            SELECT array_agg(customer_id) FROM first GROUP BY value HAVING count(*) > 1 ORDER BY min(customer_id)
            """,
            [kind, list(people), now, now],
        )
        return [bitmaps.from_ids(ids) for (ids,) in cursor.fetchall()]
