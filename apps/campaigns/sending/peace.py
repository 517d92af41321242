"""When people are left in peace: blackouts, quiet hours and public holidays, by the clock where each of them lives.

The same rules as the calendar's, asked about the moment of the contact. Every zone in which somebody may live must be open.
Quiet hours and holidays that planners accepted for a message hold it back no more, unless the law asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from pyroaring import BitMap

from apps.campaigns.conflicts import circumstances, days_off, parameters
from apps.campaigns.models import Blackout, Conflict, Message
from apps.campaigns.models.conflicts import ConflictState
from apps.consent.models import PurposeClass
from apps.core.clock import company_day
from apps.core.reasons import Reason

from . import places
from .occurrences import from_wall

FARTHEST = timedelta(hours=14)
QUIET, HOLIDAY = "quiet_hours", "holiday"


@dataclass(frozen=True)
class Closed:
    """People who may not be contacted now, why, and from when on they may; the deadline, when that is not before it."""

    people: BitMap
    until: datetime
    reason: str
    rule: str


@dataclass(frozen=True)
class Hold:
    """What keeps a message from a place at a moment; it is over there at ``until``, whatever the zone."""

    reason: str
    rule: str
    until: datetime


@dataclass(frozen=True)
class Rules:
    """What one message has to keep."""

    blackouts: tuple[Blackout, ...] = ()
    quiet: tuple[circumstances.PlannedQuiet, ...] = ()
    holidays: bool = False

    def __bool__(self) -> bool:
        return bool(self.blackouts or self.quiet or self.holidays)

    def hold(self, country: str, zones: tuple[ZoneInfo, ...], at: datetime) -> Hold | None:
        """What holds at that moment in any of the zones: the first reason, and when the last one is over."""
        found = [*self._blackouts(country, zones, at), *self._quiet(country, zones, at), *self._holidays(country, zones, at)]
        return replace(found[0], until=max(each.until for each in found)) if found else None

    def opens(self, country: str, zones: tuple[ZoneInfo, ...], at: datetime, before: datetime) -> datetime:
        """The first moment from ``at`` on at which nothing holds; ``before``, when there is none until then."""
        while at < before and (hold := self.hold(country, zones, at)):
            at = hold.until
        return min(at, before)

    def _blackouts(self, country: str, zones: tuple[ZoneInfo, ...], at: datetime) -> Iterator[Hold]:
        for blackout in self.blackouts:
            if blackout.countries and country not in {str(code).upper() for code in blackout.countries}:
                continue
            if any(blackout.starts_on <= at.astimezone(zone).date() <= blackout.ends_on for zone in zones):
                over = max(_midnight_after(blackout.ends_on, zone) for zone in zones)
                yield Hold(Reason.BLACKOUT, f"blackout.{blackout.pk}", over)

    def _quiet(self, country: str, zones: tuple[ZoneInfo, ...], at: datetime) -> Iterator[Hold]:
        for rule in self.quiet:
            if rule.countries and country not in rule.countries:
                continue
            ends = [_after(end, zone, at) for zone in zones if (end := rule.until(at.astimezone(zone)))]
            if ends:
                yield Hold(Reason.QUIET_HOURS, f"quiet.{rule.id}", max(ends))

    def _holidays(self, country: str, zones: tuple[ZoneInfo, ...], at: datetime) -> Iterator[Hold]:
        if not self.holidays:
            return
        for day in sorted({at.astimezone(zone).date() for zone in zones}):
            if days_off.name(country, day):
                over = max(_midnight_after(day, zone) for zone in zones)
                yield Hold(Reason.HOLIDAY, f"holiday.{country}.{day}", over)


def _midnight_after(day: date, zone: ZoneInfo) -> datetime:
    return from_wall(datetime.combine(day + timedelta(days=1), time.min), zone)


def _after(wall: datetime, zone: ZoneInfo, at: datetime) -> datetime:
    """When clocks show ``wall`` after ``at``: the second time where they are put back between."""
    moment = from_wall(wall, zone)
    return moment if moment > at else wall.replace(tzinfo=zone, fold=1).astimezone(UTC)


def rules_for(message: Message, at: datetime, before: datetime) -> Rules:
    """What the message has to keep from ``at`` to ``before`` somewhere on earth. Safety keeps nothing."""
    purpose_class = message.purpose.purpose_class if message.purpose else PurposeClass.PROMOTION
    if purpose_class == PurposeClass.SAFETY:
        return Rules()
    department = message.campaign.department_id
    quiet = tuple(rule for rule in circumstances.quiet() if rule.concerns(message.channel, purpose_class, department))
    return Rules(_blackouts(message, purpose_class, at, before), quiet, days_off.concerns(message.channel, purpose_class))


def _blackouts(message: Message, purpose_class: str, at: datetime, before: datetime) -> tuple[Blackout, ...]:
    first, last = (at - FARTHEST).date(), (max(at, before) + FARTHEST).date()
    found = Blackout.objects.filter(is_active=True, starts_on__lte=last, ends_on__gte=first).filter(
        Q(department=None) | Q(department=message.campaign.department_id)
    )
    if purpose_class == PurposeClass.SERVICE:
        found = found.filter(includes_service=True)
    return tuple(each for each in found if not each.channels or message.channel in each.channels)


def closed(message: Message, people: BitMap, at: datetime, before: datetime) -> list[Closed]:
    """Those of the people who are left in peace at that moment, by reason and by when that is over."""
    rules = rules_for(message, at, before) if people else Rules()
    if not rules:
        return []
    homes = places.of(people)
    found = _closed(rules, homes, at, before)
    # Only where somebody is struck is it asked whether the department keeps these rules, and whether it was accepted.
    if found and (rules.quiet or rules.holidays):
        found = _closed(_in_force(rules, message, at), homes, at, before)
    return found


def _closed(rules: Rules, homes: list[places.Place], at: datetime, before: datetime) -> list[Closed]:
    found: dict[tuple[datetime, str, str], BitMap] = {}
    for home in homes:
        if hold := rules.hold(home.country, home.zones, at):
            key = (rules.opens(home.country, home.zones, at, before), hold.reason, hold.rule)
            found[key] = found.get(key, BitMap()) | home.people
    return [Closed(people, *key) for key, people in found.items()]


def _accepted(message: Message, at: datetime) -> set[str]:
    """Which of the findings of the calendar the departments accepted for this message, and still do."""
    if message.pk is None:
        return set()
    found = Conflict.objects.filter(rule__in=[QUIET, HOLIDAY], first_message=message.pk, state=ConflictState.ACCEPTED)
    stands = Q(settled_by__expires_on=None) | Q(settled_by__expires_on__gte=company_day(at))
    return set(found.filter(stands).values_list("rule", flat=True))


def _in_force(rules: Rules, message: Message, at: datetime) -> Rules:
    """Without what administrators switched off for the department, and what was accepted; but the law is not ours to waive."""
    figures, accepted = parameters.in_force().of(message.campaign.department_id), _accepted(message, at)
    quiet = tuple(rule for rule in rules.quiet if rule.is_law) if QUIET in accepted else rules.quiet
    holidays = rules.holidays and bool(figures.holiday_check) and HOLIDAY not in accepted
    return replace(rules, quiet=quiet if figures.quiet_check else (), holidays=holidays)
