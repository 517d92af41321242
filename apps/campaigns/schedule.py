"""Moments of the plan: wall clock of the company's zone in, UTC out, and what is wrong with a schedule, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _

from .models import Message, MessageKind

MOST_OCCURRENCES = 1000


def local_moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The UTC moment of a wall-clock time in ``zone``; the first one where the clock shows it twice.

    Raises ValidationError when the clock jumps over that time (spring daylight-saving change).
    """
    naive = datetime.combine(day, clock)
    moment = naive.replace(tzinfo=zone, fold=0)
    back = moment.astimezone(UTC).astimezone(zone)
    if back.replace(tzinfo=None) != naive:
        raise ValidationError(
            _("On %(day)s there is no %(time)s in %(zone)s: the clock is put forward then. "
              "Choose %(instead)s or another time."),
            code="clock_gap",
            params={
                "day": formats.date_format(day, "DATE_FORMAT"), "time": clock.strftime("%H:%M"),
                "zone": zone.key, "instead": back.strftime("%H:%M"),
            },
        )
    return moment.astimezone(UTC)


def is_ambiguous(day: date, clock: time, zone: ZoneInfo) -> bool:
    """Whether the clock shows this time twice on that day (autumn daylight-saving change)."""
    naive = datetime.combine(day, clock)
    return naive.replace(tzinfo=zone, fold=0).utcoffset() != naive.replace(tzinfo=zone, fold=1).utcoffset()


def same_clock(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """``moment`` moved by whole days with the same wall clock in ``zone``; a gap hour moves to after the gap."""
    local = moment.astimezone(zone)
    moved = datetime.combine(local.date() + timedelta(days=days), local.time())
    return moved.replace(tzinfo=zone).astimezone(UTC)


def shifted(moment: datetime, minutes: int, zone: ZoneInfo) -> datetime:
    """``moment`` moved by so many minutes on the wall clock of ``zone``; a gap hour moves to after the gap."""
    local = moment.astimezone(zone).replace(tzinfo=None) + timedelta(minutes=minutes)
    return local.replace(tzinfo=zone).astimezone(UTC)


def recurrence_problem(rule: str) -> str:
    """What is wrong with a repetition rule (RFC 5545 RRULE), in words; empty when it is fine."""
    try:
        rrulestr(rule, dtstart=datetime.combine(date(2026, 1, 1), time()))
    except (ValueError, TypeError, KeyError):
        return _("The repetition cannot be understood.")
    wanted = dict(part.split("=", 1) for part in rule.upper().split(";") if "=" in part)
    if wanted.get("FREQ") not in {"DAILY", "WEEKLY", "MONTHLY", "HOURLY"}:
        return _("A message repeats every hour, day, week or month.")
    return ""


def occurrences(message: Message, *, first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The UTC moments at which the message goes out, from ``first`` to ``last``, both included.

    Repetition keeps the wall clock of ``zone``: 09:00 stays 09:00 over a daylight-saving change.
    """
    until = (message.recurs_until or message.campaign.ends_on) if message.recurrence else None
    return moments(message.send_at, message.recurrence, until, first=first, last=last, zone=zone)


def moments(
    send_at: datetime, recurrence: str, until: date | None, *, first: datetime, last: datetime, zone: ZoneInfo
) -> Iterator[datetime]:
    """The same from the single values; ``until`` is the last day of the repetition."""
    if not recurrence:
        if first <= send_at <= last:
            yield send_at
        return
    start = send_at.astimezone(zone).replace(tzinfo=None)
    rule = rrulestr(recurrence, dtstart=start)
    low = first.astimezone(zone).replace(tzinfo=None)
    high = last.astimezone(zone).replace(tzinfo=None)
    for naive in rule.xafter(low, count=MOST_OCCURRENCES, inc=True):
        if naive > high or (until and naive.date() > until):
            return
        yield naive.replace(tzinfo=zone).astimezone(UTC)


def problems(message: Message, *, now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with a message's timing: field -> sentence."""
    found: dict[str, str] = {}
    campaign = message.campaign
    day = message.send_at.astimezone(zone).date()
    if not campaign.starts_on <= day <= campaign.ends_on:
        found["send_at"] = _("The message goes out on %(day)s, outside the campaign's days %(first)s to %(last)s.") % {
            "day": formats.date_format(day, "DATE_FORMAT"),
            "first": formats.date_format(campaign.starts_on, "DATE_FORMAT"),
            "last": formats.date_format(campaign.ends_on, "DATE_FORMAT"),
        }
    if message.send_until and message.send_until <= message.send_at:
        found["send_until"] = _("The end is before the beginning.")
    if message.recurrence and (problem := recurrence_problem(message.recurrence)):
        found["recurrence"] = problem
    if message.recurs_until and message.recurs_until < day:
        found["recurs_until"] = _("The repetition ends before the first time.")
    return found


def is_past(message: Message, *, now: datetime) -> bool:
    """Whether the first moment has gone by: nobody can be promised a time in the past."""
    return message.send_at <= now and message.kind != MessageKind.ELSEWHERE
