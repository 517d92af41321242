"""Capacities that cannot be exceeded hold when people are handed over: seats, print run, staff, a new sender's warm-up.

Each line has one count for each day of the company, changed under its row's lock, so that any number of workers and other
tools together never pass it. Who finds no room waits for the next day that has some. The order is that of the claim: safety
first, then the higher priority, then what was planned earlier, so that whoever was left over goes before later messages of the
same priority; within a run by ascending id. Who still waits at the run's end is refused as over capacity. Lines that may be
exceeded only warn, on the calendar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from apps.campaigns.conflicts import circumstances
from apps.campaigns.conflicts.circumstances import PlannedCapacity
from apps.campaigns.models import CapacityDay, Message
from apps.channels.kinds import Channel
from apps.channels.models import CallState, CallTask
from apps.core.clock import company_day, company_zone

from .ledger import REACHED

# A line without a free day for so long is taken to be shut for good.
HORIZON = 366
# What had left on that day before the line was made.
BEGUN = """
SELECT count(*) FROM campaigns_run r JOIN campaigns_delivery d ON d.run_day = r.run_day AND d.run_id = r.id
WHERE (r.finished_at IS NULL OR r.finished_at >= %(start)s) AND d.channel = %(channel)s AND d.outcome = ANY(%(reached)s)
  AND (%(account)s::int IS NULL OR d.account_id = %(account)s) AND d.at >= %(start)s AND d.at < %(end)s
"""


@dataclass(frozen=True)
class Places:
    """``count`` contacts, taken of each of these lines on a day."""

    day: date
    lines: tuple[int, ...]
    count: int


@dataclass(frozen=True)
class Shut:
    """A line that has no room, and the moment from which on all lines of the message may have some; None: not foreseeable."""

    line: PlannedCapacity
    until: datetime | None


def lines_for(message: Message) -> list[PlannedCapacity]:
    """The hard lines that this message uses."""
    return [line for line in _hard() if line.channel == message.channel and line.account_id in (None, message.account_id)]


def _hard() -> list[PlannedCapacity]:
    return [line for line in circumstances.capacities() if line.is_hard]


def take(message: Message, wanted: int, at: datetime, *, is_listed: bool = False) -> Places:
    """As many places as there are on the day of ``at``, at most ``wanted``; they count as used from now on.

    Calls that wait on the list since an earlier day come before new ones; ``is_listed`` asks for one of those.
    """
    day = company_day(at)
    lines = [(line, possible) for line in lines_for(message) if (possible := line.on(day)) is not None]
    if not lines or wanted <= 0:
        return Places(day, (), max(0, wanted))
    with transaction.atomic():
        used = _locked([line for line, _possible in lines], day)
        room = [possible - used[line.id] - (0 if is_listed else _carried(line, day)) for line, possible in lines]
        places = Places(day, tuple(used), max(0, min(wanted, *room)))
        _add(places, places.count)
    return places


def give_back(places: Places, unused: int) -> None:
    """Returns places that were not used after all."""
    if places.lines and unused > 0:
        _add(places, -unused)


def count(message: Message, contacts: int, day: date) -> None:
    """Contacts that happened without a place (told by another tool), or fewer of them (negative): they count all the same."""
    lines = [line for line in lines_for(message) if line.on(day) is not None]
    if lines and contacts:
        with transaction.atomic():
            used = _locked(lines, day)
            _add(Places(day, tuple(used), contacts), contacts)


def _add(places: Places, number: int) -> None:
    rows = CapacityDay.objects.filter(capacity__in=places.lines, day=places.day)
    if number:
        rows.update(used=Greatest(F("used") + number, 0))


def _locked(lines: Iterable[PlannedCapacity], day: date) -> dict[int, int]:
    """line -> used on that day, locked until the end of the transaction, always in the same order."""
    ids = {line.id: line for line in lines}
    known = set(CapacityDay.objects.filter(capacity__in=ids, day=day).values_list("capacity", flat=True))
    CapacityDay.objects.bulk_create(
        [CapacityDay(capacity_id=pk, day=day, used=_begun(line, day)) for pk, line in sorted(ids.items()) if pk not in known],
        ignore_conflicts=True,
    )
    rows = CapacityDay.objects.filter(capacity__in=ids, day=day).order_by("capacity").select_for_update()
    return dict(rows.values_list("capacity", "used"))


def _begun(line: PlannedCapacity, day: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BEGUN, {
            "start": _start(day), "end": _start(day + timedelta(days=1)), "channel": line.channel, "account": line.account_id,
            "reached": list(REACHED),
        })  # fmt: skip
        return int(cursor.fetchone()[0])


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, company_zone())


def _carried(line: PlannedCapacity, day: date) -> int:
    """Calls that stand on the list since an earlier day: they need a place of this one."""
    if line.channel != Channel.CALL:
        return 0
    tasks = CallTask.objects.filter(state=CallState.WAITING, created_at__lt=_start(day))
    return (tasks.filter(account=line.account_id) if line.account_id else tasks).count()


def _full(lines: list[PlannedCapacity], day: date) -> dict[int, int]:
    """line -> room left on that day, for the lines that say something about it. Only read: no promise."""
    possible = {line.id: (line, most) for line in lines if (most := line.on(day)) is not None}
    used = dict(CapacityDay.objects.filter(capacity__in=possible, day=day).values_list("capacity", "used")) if possible else {}
    return {pk: max(0, most - used.get(pk, 0) - _carried(line, day)) for pk, (line, most) in possible.items()}


def room(message: Message, at: datetime) -> tuple[int, int] | None:
    """(line, contacts left on the day of ``at``) of the line that is nearest to being full; None where nothing limits it."""
    left = _full(lines_for(message), company_day(at))
    return min(left.items(), key=lambda each: (each[1], each[0])) if left else None


def shut(message: Message, at: datetime) -> Shut | None:
    """The line of the message that has no room on the day of ``at``, if any."""
    lines, day = lines_for(message), company_day(at)
    left = _full(lines, day)
    found = next((line for line in lines if left.get(line.id) == 0), None)
    return Shut(found, _opens(lines, day)) if found else None


def _opens(lines: list[PlannedCapacity], day: date) -> datetime | None:
    ahead = (day + timedelta(days=place) for place in range(1, HORIZON))
    return next((_start(each) for each in ahead if all(line.on(each) != 0 for line in lines)), None)


def closed(at: datetime) -> tuple[list[str], list[int]]:
    """Channels and accounts for which nothing can be handed over any more on the day of ``at``."""
    lines = _hard()
    left = _full(lines, company_day(at)) if lines else {}
    full = [line for line in lines if left.get(line.id) == 0]
    return [line.channel for line in full if not line.account_id], [line.account_id for line in full if line.account_id]
