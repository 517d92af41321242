"""Runs of messages sent elsewhere: one a day, and a further one for whoever is contacted twice that day.

A run's audience is everybody who stands in its ledger or holds a place in it, so its proof adds up like any other's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from pyroaring import BitMap

from apps.campaigns.models import Message, MessageKind, Run
from apps.campaigns.models.sending import RunState
from apps.core.clock import company_day, company_zone

FIRST_WORD = "elsewhere"


class NotElsewhere(ValueError):
    """The message is sent by Concord itself, or reaches nobody by name."""


class Runs:
    """The runs of one message, locked for change until the end of the transaction. Blocks are locked before."""

    def __init__(self, message: Message, *, now: datetime) -> None:
        if message.kind != MessageKind.ELSEWHERE:
            raise NotElsewhere(message.name)
        Message.objects.select_for_update(no_key=True).only("pk").get(pk=message.pk)
        self.message = message
        self._now = now
        self._days: dict[date, list[Run]] = {}
        self._touched: dict[int, Run] = {}

    def take(self, customer_id: int, at: datetime) -> Run:
        """The run of that day in which the person has no contact and no place yet; the person is in it from now on."""
        day = company_day(at)
        runs = self._of(day)
        run = next((each for each in runs if customer_id not in each.audience), None)
        if run is None:
            run = self._create(day, len(runs) + 1, at)
            runs.append(run)
        run.audience.add(customer_id)
        run.scheduled_at = min(run.scheduled_at, at)
        self._touched[run.pk] = run
        return run

    def leave(self, run: Run, people: BitMap) -> None:
        """Takes people out again whose place was given up."""
        kept = self._touched.get(run.pk) or next(each for each in self._of(run.run_day) if each.pk == run.pk)
        kept.audience = kept.audience - people
        self._touched[kept.pk] = kept

    def save(self) -> None:
        """Writes the runs that changed; a run is done when nobody holds a place in it, and gone when nobody is in it."""
        for run in self._touched.values():
            if not run.audience:
                run.delete()
                continue
            held = run.chunks.filter(approved__isnull=False).exists()
            run.audience_count = len(run.audience)
            run.state = RunState.RUNNING if held else RunState.DONE
            # Not before the day is over: limits look for contacts by the ends of their runs.
            run.finished_at = None if held else _end_of(run.run_day)
            run.save(update_fields=["audience", "audience_count", "scheduled_at", "state", "finished_at"])
        self._touched = {}

    def _of(self, day: date) -> list[Run]:
        if day not in self._days:
            found = Run.objects.filter(message=self.message, run_day=day, occurrence__startswith=FIRST_WORD)
            self._days[day] = list(found.order_by("pk"))
        return self._days[day]

    def _create(self, day: date, number: int, at: datetime) -> Run:
        last = Run.objects.filter(message=self.message, run_day=day, occurrence__startswith=FIRST_WORD).order_by("pk").last()
        if last is not None:
            number = max(number, int(last.occurrence.rpartition(".")[2]) + 1)
        return Run.objects.create(
            message=self.message, occurrence=f"{FIRST_WORD}.{day}.{number}", run_day=day, scheduled_at=at,
            deadline=_end_of(day), state=RunState.RUNNING, audience=BitMap(), audience_count=0, planned_at=self._now,
            started_at=at,
        )  # fmt: skip


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, company_zone())


# Days around a planned moment whose contacts are taken to be those that were planned.
BEFORE, AFTER = timedelta(days=1), timedelta(days=3)
ToldDays = list[tuple[date, BitMap]]


def told_by_day(message_ids: Iterable[int]) -> dict[int, ToldDays]:
    """message -> (day, people who were contacted elsewhere that day or hold a place), in one query."""
    found: dict[int, ToldDays] = {}
    runs = Run.objects.filter(message__in=list(message_ids), occurrence__startswith=FIRST_WORD)
    for message_id, day, people in runs.values_list("message_id", "run_day", "audience"):
        found.setdefault(message_id, []).append((day, people))
    return found


def still_planned(people: BitMap, told: ToldDays, at: datetime) -> BitMap:
    """Those planned for a moment of whom the other tool has told nothing yet: who was told of counts by name."""
    first, last = company_day(at - BEFORE), company_day(at + AFTER)
    near = [group for day, group in told if first <= day <= last]
    return people - BitMap.union(BitMap(), *near) if near else people
