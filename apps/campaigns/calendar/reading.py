"""Reads what a calendar page shows: a fixed number of queries, however many campaigns there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.http import QueryDict

from apps.accounts.models import Department
from apps.channels.kinds import Channel
from apps.core.http import number

from .. import schedule
from ..conflicts.passes import UNDECIDED
from ..models import Blackout, Campaign, CampaignStatus, Conflict, ContactPolicy, Message
from ..models.conflicts import Severity
from .period import Period

SHOWN = tuple(status for status in CampaignStatus.values if status != CampaignStatus.CANCELLED)


@dataclass(frozen=True)
class Filters:
    """What the address narrows the calendar to; empty means all."""

    departments: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    conflicts: str = "open"
    severity: int = int(Severity.MEDIUM)
    programmes: frozenset[int] = frozenset()

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Reads ``department``, ``channel``, ``status``, ``programme`` (each may repeat), ``conflicts`` (open, all, none),
        ``severity`` (this or worse; without it medium).
        """
        conflicts, severity = query.get("conflicts", "open"), query.get("severity", "")
        return cls(
            frozenset(query.getlist("department")), frozenset(query.getlist("channel")) & set(Channel.values),
            frozenset(query.getlist("status")) & set(CampaignStatus.values),
            conflicts if conflicts in ("open", "all", "none") else "open",
            int(severity) if severity in {str(level) for level in Severity.values} else int(Severity.MEDIUM),
            frozenset(filter(None, map(number, query.getlist("programme")))),
        )


@dataclass(frozen=True)
class Occurrence:
    """One planned moment of a message."""

    at: datetime
    message: Message
    campaign: Campaign


@dataclass(frozen=True)
class Reading:
    """Everything on one calendar page."""

    period: Period
    departments: list[Department]
    campaigns: list[Campaign]
    occurrences: dict[int, list[Occurrence]]
    conflicts: list[Conflict]
    blackouts: list[Blackout]
    policies: list[ContactPolicy]

    def by_day(self) -> dict[date, list[Occurrence]]:
        """All occurrences by the company's day, in order of time."""
        days: dict[date, list[Occurrence]] = defaultdict(list)
        for rows in self.occurrences.values():
            for row in rows:
                days[row.at.astimezone(self.period.zone).date()].append(row)
        return {day: sorted(days[day], key=lambda row: row.at) for day in sorted(days)}

    def first_days(self, conflicts: Iterable[Conflict]) -> dict[date, list[Conflict]]:
        """The conflicts by the company's day of their first contact, or on the first one here."""
        days: dict[date, list[Conflict]] = defaultdict(list)
        for row in conflicts:
            if row.first_at:
                days[max(row.first_at.astimezone(self.period.zone).date(), self.period.first)].append(row)
        return days

    def conflicts_of(self, campaign_id: int) -> list[Conflict]:
        """Conflicts on this page that the campaign is part of."""
        return [row for row in self.conflicts if campaign_id in (row.first_campaign_id, row.second_campaign_id)]

    def is_blacked_out(self, day: date) -> bool:
        """Whether some blackout covers the day."""
        return any(row.starts_on <= day <= row.ends_on for row in self.blackouts)


def read(period: Period, filters: Filters) -> Reading:
    """The page's rows."""
    departments = list(Department.objects.all())
    campaigns = list(_campaigns(period, filters))
    occurrences = _occurrences(campaigns, period, filters)
    if filters.channels:
        campaigns = [campaign for campaign in campaigns if occurrences.get(campaign.pk)]
    shown = [row for row in departments if not filters.departments or row.slug in filters.departments]
    return Reading(
        period, shown, campaigns, occurrences, _conflicts(campaigns, filters),
        list(Blackout.objects.filter(is_active=True, starts_on__lte=period.last, ends_on__gte=period.first)),
        list(ContactPolicy.objects.filter(is_active=True)),
    )


def _campaigns(period: Period, filters: Filters) -> Any:
    rows = Campaign.objects.between(period.first, period.last).filter(status__in=filters.statuses or SHOWN)
    if filters.departments:
        rows = rows.filter(department__slug__in=filters.departments)
    if filters.programmes:
        rows = rows.filter(programme__in=filters.programmes)
    return rows.select_related("department").order_by("starts_on", "ends_on", "pk")


def _occurrences(campaigns: list[Campaign], period: Period, filters: Filters) -> dict[int, list[Occurrence]]:
    by_id = {campaign.pk: campaign for campaign in campaigns}
    rows = Message.objects.filter(campaign__in=by_id).defer("plan_audience", "audience_rule", "variants_share")
    if filters.channels:
        rows = rows.filter(channel__in=filters.channels)
    found: dict[int, list[Occurrence]] = defaultdict(list)
    for row in rows:
        row.campaign = by_id[row.campaign_id]
        found[row.campaign_id] += [Occurrence(at, row, row.campaign) for at in _moments(row, period)]
    return found


def _moments(message: Message, period: Period) -> Iterator[datetime]:
    first, last = period.bounds()
    return schedule.occurrences(message, first=first, last=last, zone=period.zone)


def _conflicts(campaigns: list[Campaign], filters: Filters) -> list[Conflict]:
    if filters.conflicts == "none":
        return []
    ids = [campaign.pk for campaign in campaigns]
    rows = Conflict.objects.filter(first_campaign__in=ids).filter(Q(second_campaign=None) | Q(second_campaign__in=ids))
    if filters.conflicts == "open":
        rows = rows.filter(state__in=UNDECIDED, severity__gte=filters.severity)
    else:
        rows = rows.exclude(state="obsolete").filter(severity__gte=filters.severity if filters.severity > Severity.MEDIUM else 0)
    return list(rows.defer("people_both", "facts", "agreed_facts"))
