"""The worker's loop: claims, bursts, settles, until nothing is due or its time is up.

It holds at most one claim per provider account and goes round them, so that one slow provider holds no other up.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pyroaring import BitMap

from apps.campaigns.models import Chunk
from apps.channels import registry, throttle
from apps.channels.adapters.base import Adapter
from apps.channels.kinds import Channel
from apps.core.reasons import Reason

from . import attempt, capacity, hand_over, settle, writing
from .claim import Claim, claim
from .writing import Draft

log = logging.getLogger(__name__)
NEXT_TRY = timedelta(minutes=1)
# One burst is at most this much of an account's measured rate, so that a stop works within about a second.
BURST_SECONDS = 1.0
MOST_PER_BURST = 1000
SHORTEST_NAP, LONGEST_NAP = 0.02, 0.25
# Contacts that happen later than the hand-over to a list: an agent opens the call, the print file closes.
LISTED = {Channel.CALL, Channel.LETTER}


@dataclass
class Worked:
    """What a worker did, in people."""

    claims: int = 0
    judged: int = 0
    bursts: int = 0
    sent: int = 0
    failed: int = 0
    again: int = 0
    unknown: int = 0
    listed: int = 0


@dataclass
class Job:
    """One claim on its way: what is still to be handed over, chunk by chunk."""

    claim: Claim
    adapter: Adapter
    drafts: dict[int, Draft] = field(default_factory=dict)
    left: list[tuple[Chunk, BitMap]] = field(default_factory=list)
    rests_until: datetime | None = None

    @property
    def account_id(self) -> int:
        """The provider account that it uses."""
        return self.claim.run.message.account_id or 0


def name_of_this_worker() -> str:
    """Host and process, for the lease."""
    return f"{socket.gethostname()[:60]}.{os.getpid()}"


def work_runs(
    *, now: datetime, budget: float = 10.0, worker: str = "", channels: Iterable[str] | None = None
) -> Worked:
    """Sends what is due (on these channels, or on all) for at most `budget` seconds; returns early when nothing is left.

    `now` is the moment of the call; time passes from there by the clock of this process.
    """
    started = time.monotonic()

    def moment() -> datetime:
        return now + timedelta(seconds=time.monotonic() - started)

    worked = Worked()
    jobs: dict[int, Job] = {}
    only = None if channels is None else [str(channel) for channel in channels]
    try:
        while time.monotonic() - started < budget:
            moved = [_step(job, worked, moment) for job in jobs.values()]
            jobs = {account: job for account, job in jobs.items() if job.left}
            if not any(moved) and not _take_next(
                jobs, worked, moment, worker or name_of_this_worker(), only
            ):
                if not jobs:
                    break
                time.sleep(_nap(jobs))
    finally:
        for job in jobs.values():
            attempt.release([chunk for chunk, _ in job.left])
    return worked


def _nap(jobs: dict[int, Job]) -> float:
    waits = [
        throttle.seconds_for(job.claim.run.message.account, max(1, int(_burst_size(job) / 4)))  # type: ignore[arg-type]
        for job in jobs.values()
    ]
    return min(LONGEST_NAP, max(SHORTEST_NAP, min(waits)))


def _take_next(
    jobs: dict[int, Job], worked: Worked, moment: Callable[[], datetime], worker: str, channels: list[str] | None
) -> bool:
    """Claims for an account that is not being worked; False when there is nothing to claim."""
    found = claim(worker=worker, now=moment(), not_accounts=list(jobs), channels=channels)
    if found is None:
        return False
    worked.claims += 1
    worked.judged += found.judged
    job = _prepare(found, moment())
    if job is not None:
        jobs[job.account_id] = job
    return True


def _prepare(found: Claim, now: datetime) -> Job | None:
    """Reads facts, chooses versions and makes everybody's slots; who cannot get a message is refused."""
    if not found.chunks:
        return None
    try:
        adapter = registry.adapter_for(found.run.message.account)  # type: ignore[arg-type]
        drafts, refused = writing.prepare(found.run, found.people, found.aliases, now=now)
    except Exception as error:
        # Whatever is wrong with one message must not keep the others waiting; nobody of it has been handed over.
        log.exception("run %s cannot be prepared", found.run.pk)
        attempt.note_error(found.run.message.account_id or 0, f"{type(error).__name__}: {error}", now)
        attempt.release(found.chunks, not_before=now + NEXT_TRY)
        return None
    out = BitMap.union(BitMap(), *refused.values())
    left: list[tuple[Chunk, BitMap]] = []
    for chunk in found.chunks:
        approved = chunk.approved or BitMap()
        if out & approved:
            attempt.refuse(chunk, refused, now=now)
        left.append((chunk, approved - out))
    return Job(found, adapter, drafts, left)


def _burst_size(job: Job) -> int:
    rate = float(job.claim.run.message.account.rate)  # type: ignore[union-attr]
    return max(1, min(MOST_PER_BURST, int(rate * BURST_SECONDS)))


def _step(job: Job, worked: Worked, moment: Callable[[], datetime]) -> bool:
    """Hands one burst over, if the account's throttle lets it. True when something was done."""
    chunk, people = job.left[0]
    if not people:
        attempt.release([chunk])
        job.left.pop(0)
        return True
    try:
        if job.claim.run.message.channel in LISTED:
            return _list(job, chunk, people, worked, moment)
        return _burst(job, chunk, people, worked, moment)
    except attempt.LeaseLost:
        job.left = [pair for pair in job.left if pair[0].pk != chunk.pk]
    except attempt.Stopped:
        attempt.release([other for other, _ in job.left])
        job.left.clear()
    return True


def _list(job: Job, chunk: Chunk, people: BitMap, worked: Worked, moment: Callable[[], datetime]) -> bool:
    """Puts as many on the list as the account's day has room for."""
    account = job.claim.run.message.account
    assert account is not None
    places = _take(job, throttle.take(account, len(people), moment(), at_rate=False), moment(), tokens=False)
    if not places.count:
        raise attempt.Stopped
    now_people = people[:places.count]
    job.left.pop(0)
    listed = 0
    try:
        if len(now_people) < len(people):
            chunk = attempt.leave_waiting(chunk, people - now_people, reason=Reason.OVER_CAPACITY)
        listed = hand_over.put_on_list(job.claim, chunk, now_people, job.adapter, job.drafts, now=moment())
    finally:
        _give_back(job, places, places.count - listed, tokens=False)
    worked.listed += listed
    return True


def _take(job: Job, granted: int, now: datetime, *, tokens: bool = True) -> capacity.Places:
    """Of what the account lets through as much as the capacities have room for; the account gets the rest back."""
    message = job.claim.run.message
    places = capacity.take(message, granted, now)
    throttle.give_back(message.account, granted - places.count, tokens=tokens)  # type: ignore[arg-type]
    return places


def _give_back(job: Job, places: capacity.Places, unused: int, *, tokens: bool = True) -> None:
    """Returns what was not handed over to the account and the capacities."""
    throttle.give_back(job.claim.run.message.account, unused, tokens=tokens)  # type: ignore[arg-type]
    capacity.give_back(places, unused)


def _burst(job: Job, chunk: Chunk, people: BitMap, worked: Worked, moment: Callable[[], datetime]) -> bool:
    account = job.claim.run.message.account
    assert account is not None
    if job.rests_until and moment() < job.rests_until:
        return False
    places = _take(job, throttle.take(account, min(len(people), _burst_size(job)), moment()), moment())
    if not places.count:
        if throttle.shut_until(account, moment()) or capacity.shut(job.claim.run.message, moment()):
            raise attempt.Stopped
        return False
    # Half of the burst's time at rest, so that the next is no burst of two or three; the bucket loses nothing by it.
    job.rests_until = moment() + timedelta(seconds=min(BURST_SECONDS, throttle.seconds_for(account, places.count)) / 2)
    now_people = people[:places.count]
    job.left[0] = (chunk, people - now_people)
    begun_count = 0
    try:
        begun = attempt.begin(chunk, now_people, judged_as=job.claim.aliases, now=moment())
        begun_count = begun.burst.count if begun.burst else 0
    finally:
        _give_back(job, places, places.count - begun_count)
    if begun.burst is None:
        return True
    receipts = attempt.post(job.adapter, begun, job.drafts)
    counted = settle.settle(begun.burst, receipts, job.drafts, now=moment(), evidence=begun.evidence)
    _give_back(job, places, counted.again, tokens=False)
    worked.bursts += 1
    worked.sent += counted.sent
    worked.failed += counted.failed
    worked.again += counted.again
    worked.unknown += counted.unknown
    return True
