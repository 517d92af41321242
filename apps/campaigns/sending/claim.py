"""Claiming: a worker leases adjacent chunks, locks their people and judges them, all in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from pyroaring import BitMap

from apps.campaigns.conflicts import defaults
from apps.campaigns.models import Chunk, Run
from apps.campaigns.models.sending import ChunkState, Outcome, RunState
from apps.channels import throttle
from apps.core.blocks import try_lock_blocks
from apps.core.reasons import Reason

from . import aliases as alias_lookup
from . import capacity, chunks, ledger
from .aliases import Aliases
from .halted import SENDABLE
from .judging import Verdict, judge

PEOPLE_PER_CLAIM = 1024
# A lease is renewed at every burst; a worker that is silent this long is taken for dead.
LEASE = timedelta(seconds=60)
CANDIDATES = 48


@dataclass
class Claim:
    """Chunks of one run that this worker may hand over, while their lease epochs last."""

    run: Run
    chunks: list[Chunk]
    aliases: Aliases
    judged: int = 0

    @property
    def people(self) -> BitMap:
        """Everybody approved in it."""
        return BitMap.union(BitMap(), *[chunk.approved or BitMap() for chunk in self.chunks])


def claim(
    *, worker: str, now: datetime, not_accounts: Iterable[int] = (), channels: list[str] | None = None
) -> Claim | None:
    """Leases the next chunks that are due and judges their people; None when nothing is due or all is busy.

    `channels` narrows to these, `not_accounts` are left to others.
    Conflicts that nobody decided in time are decided first, by the installation's policy, so that no claim goes before it.

    A claim may come back without anybody approved: then its people were all refused or wait for later.
    """
    defaults.decide_overdue(now=now)
    full_channels, full_accounts = capacity.closed(now)
    for run_id, candidates in _groups(_candidates(now, [*not_accounts, *full_accounts], channels, full_channels)):
        found = _try(run_id, candidates, worker, now)
        if found is not None:
            return found
    return None


def _candidates(
    now: datetime, not_accounts: list[int], channels: list[str] | None, not_channels: list[str]
) -> list[tuple[int, int, int]]:
    """(run, chunk, people) of chunks that are due, the most urgent first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT r.id, k.id, k.count FROM campaigns_chunk k
            JOIN campaigns_run r ON r.id = k.run_id
            JOIN campaigns_message m ON m.id = r.message_id
            JOIN campaigns_campaign c ON c.id = m.campaign_id
            JOIN channels_channelaccount a ON a.id = m.account_id AND NOT a.is_elsewhere AND {throttle.OPEN}
            LEFT JOIN consent_purpose p ON p.id = m.purpose_id
            WHERE k.state = 'waiting' AND (k.not_before IS NULL OR k.not_before <= %(now)s)
              AND r.scheduled_at <= %(now)s AND r.deadline > %(now)s
              AND NOT a.id = ANY(%(not_accounts)s) AND (%(channels)s::text[] IS NULL OR m.channel = ANY(%(channels)s))
              AND NOT m.channel = ANY(%(not_channels)s)
              AND {SENDABLE}
            ORDER BY (p.purpose_class = 'safety') DESC NULLS LAST, coalesce(m.priority, c.priority) DESC,
                     r.scheduled_at, r.id, k.block, k.generation
            LIMIT %(limit)s
            """,
            {"now": now, "not_accounts": not_accounts, "channels": channels, "not_channels": not_channels, "limit": CANDIDATES},
        )
        return cursor.fetchall()


def _groups(rows: list[tuple[int, int, int]]) -> Iterator[tuple[int, list[int]]]:
    """Adjacent chunks of one run, together up to about a thousand people."""
    group: list[int] = []
    size, current = 0, None
    for run_id, chunk_id, count in rows:
        if group and (run_id != current or size + count > PEOPLE_PER_CLAIM):
            yield current, group  # type: ignore[misc]
            group, size = [], 0
        group.append(chunk_id)
        size, current = size + count, run_id
    if group:
        yield current, group  # type: ignore[misc]


def _try(run_id: int, candidates: list[int], worker: str, now: datetime) -> Claim | None:
    looked = Chunk.objects.filter(pk__in=candidates, state=ChunkState.WAITING).only("id", "block", "people")
    people_of = {chunk.pk: chunk.people for chunk in looked}
    everybody = BitMap.union(BitMap(), *people_of.values())
    aliases = alias_lookup.of(everybody)
    needed = {pk: set(aliases.blocks(people)) for pk, people in people_of.items()}
    with transaction.atomic():
        # The first statement: whatever is read afterwards is as of after the locks.
        locked = try_lock_blocks(set().union(*needed.values())) if needed else set()
        free = [pk for pk, blocks in needed.items() if blocks <= locked]
        leased = _lease(free, worker) if free else []
        if not leased:
            return None
        run = Run.objects.select_related("message__campaign", "message__purpose", "message__account").get(pk=run_id)
        return _judge_all(run, leased, locked, now)


def _lease(free: list[int], worker: str) -> list[Chunk]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_chunk SET state = 'leased', lease_epoch = lease_epoch + 1, leased_by = %s,
                   leased_until = clock_timestamp() + make_interval(secs => %s)
            WHERE id IN (SELECT id FROM campaigns_chunk WHERE id = ANY(%s) AND state = 'waiting'
                         ORDER BY id FOR UPDATE SKIP LOCKED)
            RETURNING id
            """,
            [worker[:80], LEASE.total_seconds(), free],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(Chunk.objects.filter(pk__in=ids).order_by("block", "generation"))


def _judge_all(run: Run, leased: list[Chunk], locked: set[int], now: datetime) -> Claim | None:
    everybody = BitMap.union(*[chunk.people for chunk in leased])
    aliases = alias_lookup.of(everybody)
    if not set(aliases.blocks(everybody)) <= locked:
        # A merge came between looking and locking; somebody else's turn is soon again.
        transaction.set_rollback(True)
        return None
    people = everybody - ledger.of_run(run, everybody)
    verdict = judge(run, people, now, aliases)
    fitting, full = _of_the_day(run, verdict.allowed, now)
    _write(run, leased, verdict, now)
    for chunk in leased:
        if later := (chunk.approved or BitMap()) - fitting:
            chunks.requeue(chunk, later, reason=Reason.OVER_CAPACITY, rule=full)
            _keep(chunk)
    _started(run, now)
    return Claim(run, [chunk for chunk in leased if chunk.state == ChunkState.LEASED], aliases, judged=len(people))


def _of_the_day(run: Run, allowed: BitMap, now: datetime) -> tuple[BitMap, str]:
    """Those for whom the account's day and the capacities have room, and what is full for the others. They wait as they are,
    and no claim asks for them till there is room.

    No promise: several workers may see the same room. Throttle and capacities count when people are handed over.
    """
    account = run.message.account
    assert account is not None
    left = [(left, f"account.{account.pk}")] if (left := throttle.left_today(account, now)) is not None else []
    if (found := capacity.room(run.message, now)) is not None:
        left.append((found[1], f"capacity.{found[0]}"))
    least, rule = min(left, default=(len(allowed), ""))
    return (allowed[:least], rule) if least < len(allowed) else (allowed, "")


def _write(run: Run, leased: list[Chunk], verdict: Verdict, now: datetime) -> None:
    """Refusals and control group to the ledger, later ones to new generations, approvals onto the chunks."""
    book = ledger.Book.of(run)
    rows: list[Any] = book.refusals(verdict.refused, now)
    rows += [book.entry(customer_id, Outcome.HELD_OUT, now) for customer_id in verdict.held_out]
    if rows:
        ledger.append(rows)
    for chunk in leased:
        chunk.run = run
        chunk.approved = verdict.allowed & chunk.people
        _keep(chunk)
        for later in verdict.later:
            chunks.requeue(
                chunk, later.people & chunk.people, not_before=later.until, reason=later.reason, rule=later.rule
            )


def _keep(chunk: Chunk) -> None:
    if not chunk.approved:
        chunk.state = ChunkState.DONE
        chunk.leased_until = None
    chunk.save(update_fields=["approved", "state", "leased_until"])


def _started(run: Run, now: datetime) -> None:
    if run.state == RunState.PLANNED:
        Run.objects.filter(pk=run.pk, state=RunState.PLANNED).update(state=RunState.RUNNING, started_at=now)
        run.state, run.started_at = RunState.RUNNING, now
