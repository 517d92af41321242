"""When a message is due: once, or repeating by an RFC 5545 rule, always by the wall clock of the company's zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from apps.campaigns.models import Message
from apps.campaigns.models.plan import Timing
from apps.core.clock import company_zone

ONCE = "once"
# A message at local time is due first where the day begins first, and last where it ends last (UTC+14 and UTC-12).
FARTHEST_EAST = timedelta(hours=14)
FARTHEST_WEST = timedelta(hours=12)
MOST_OCCURRENCES = 2000
PATIENCE = {"call": timedelta(days=14), "letter": timedelta(days=14)}
USUAL_PATIENCE = timedelta(hours=24)


class BadRecurrence(ValueError):
    """The rule of repetition cannot be read; the message says why."""


@dataclass(frozen=True)
class Occurrence:
    """One moment at which a message is due. `key` is stable for ever; `wall` the company's wall clock, without zone."""

    key: str
    wall: datetime
    at: datetime


def from_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC moment at which clocks in `zone` show `wall`.

    An hour that clocks skip is taken with the offset before the gap, so 02:30 becomes 03:30 (RFC 5545 section 3.3.5);
    of an hour that comes twice the first is meant.
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def is_gap_hour(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks in `zone` never show this time."""
    return from_wall(wall, zone).astimezone(zone).replace(tzinfo=None) != wall


def _rule(text: str, start: datetime) -> rrule:
    cleaned = text.strip().removeprefix("RRULE:").upper()
    # The rule counts on the wall clock; an UNTIL in UTC would not compare with it.
    parts = [part[:-1] if part.startswith("UNTIL=") and part.endswith("Z") else part for part in cleaned.split(";")]
    try:
        rule = rrulestr(";".join(parts), dtstart=start)
    except (ValueError, TypeError, KeyError) as error:
        raise BadRecurrence(str(error)) from error
    if not isinstance(rule, rrule) or rule._freq > 4:
        raise BadRecurrence("a message repeats every hour, day, week, month or year")
    return rule


def check_recurrence(text: str) -> None:
    """Raises BadRecurrence when the rule cannot be read or repeats more often than hourly."""
    _rule(text, datetime(2026, 1, 1, 12))  # noqa: DTZ001 - wall clock


def _last_day(message: Message) -> date:
    ends = message.campaign.ends_on
    return min(message.recurs_until, ends) if message.recurs_until else ends


def occurrences(message: Message, first: datetime, last: datetime) -> list[Occurrence]:
    """The occurrences from `first` to `last`, both included, in order. Raises BadRecurrence."""
    zone = company_zone()
    start = message.send_at.astimezone(zone).replace(tzinfo=None)
    if not message.recurrence:
        once = Occurrence(ONCE, start, message.send_at)
        return [once] if first <= message.send_at <= last else []
    return list(_repeating(message, start, first, last, zone))


def _repeating(
    message: Message, start: datetime, first: datetime, last: datetime, zone: ZoneInfo
) -> Iterator[Occurrence]:
    # A margin of a day on both sides: the wall clock is compared after it has become UTC.
    earliest = first.astimezone(zone).replace(tzinfo=None) - timedelta(days=1)
    latest = min(
        last.astimezone(zone).replace(tzinfo=None) + timedelta(days=1),
        datetime.combine(_last_day(message), time.max),
    )
    for wall in _rule(message.recurrence, start).xafter(earliest, count=MOST_OCCURRENCES, inc=True):
        if wall > latest:
            return
        at = from_wall(wall, zone)
        if first <= at <= last:
            yield Occurrence(wall.strftime("%Y%m%dT%H%M"), wall, at)


def first_moment(message: Message, occurrence: Occurrence) -> datetime:
    """The moment at which the first person anywhere may get this occurrence."""
    if message.timing != Timing.LOCAL:
        return occurrence.at
    return occurrence.wall.replace(tzinfo=UTC) - FARTHEST_EAST


def deadline(message: Message, occurrence: Occurrence) -> datetime:
    """After this nobody gets it any more: the stated deadline (as far after each occurrence as after the first), or a day."""
    if message.send_until:
        return occurrence.at + max(message.send_until - message.send_at, timedelta(0))
    end = occurrence.at
    if message.timing == Timing.LOCAL:
        end = occurrence.wall.replace(tzinfo=UTC) + FARTHEST_WEST
    return end + PATIENCE.get(message.channel, USUAL_PATIENCE)
