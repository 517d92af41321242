"""The plan as it was some days ago, walked back from today along the audit trail, and what has changed since.

Every change of dates and states stands on the trail with what held before it, so no copy of the plan has to be kept. What
was planned before the trail knew it is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from apps.accounts.models import AuditEvent

from ..models import Campaign, CampaignStatus
from .period import Period
from .reading import Filters

GONE = (CampaignStatus.CANCELLED,)
KEYS = ("starts_on", "ends_on", "status")


@dataclass(frozen=True)
class Before:
    """Where one campaign stood then."""

    starts_on: date
    ends_on: date
    status: str

    @property
    def is_there(self) -> bool:
        """Whether it was on the calendar."""
        return self.status not in GONE


@dataclass(frozen=True)
class Change:
    """One campaign that stands elsewhere now. ``kind``: new, moved, resized, cancelled, back."""

    kind: str
    campaign: Campaign
    before: Before | None

    @property
    def days(self) -> int:
        """By how many days it begins later (negative: earlier)."""
        return (self.campaign.starts_on - self.before.starts_on).days if self.before else 0

    @property
    def days_apart(self) -> int:
        """The same without its direction."""
        return abs(self.days)


def changes(span: Period, filters: Filters, *, since: datetime) -> list[Change]:
    """What differs between now and ``since`` among the campaigns that stand, or stood, on these days."""
    campaigns = _campaigns(span, filters, since)
    stood = _walk_back(campaigns, since)
    found = [change for row in campaigns if (change := _change(row, stood.get(row.pk), span)) is not None]
    return sorted(found, key=lambda change: ((change.before or change.campaign).starts_on, change.campaign.pk))


def _campaigns(span: Period, filters: Filters, since: datetime) -> list[Campaign]:
    """Those on these days now, and those that something happened to since: they may have been there."""
    touched = _events(since).values_list("subject_id", flat=True).distinct()
    ids = [int(pk) for pk in touched if pk.isdecimal()]
    rows = Campaign.objects.filter(Q(starts_on__lte=span.last, ends_on__gte=span.first) | Q(pk__in=ids))
    if filters.departments:
        rows = rows.filter(department__slug__in=filters.departments)
    if filters.programmes:
        rows = rows.filter(programme__in=filters.programmes)
    if filters.statuses:
        rows = rows.filter(status__in=filters.statuses)
    if filters.channels:
        rows = rows.filter(messages__channel__in=filters.channels).distinct()
    return list(rows.select_related("department"))


def _events(since: datetime) -> Any:
    events = AuditEvent.objects.filter(subject_type=Campaign._meta.label_lower, at__gt=since)
    return events.filter(Q(before__has_any_keys=KEYS) | Q(action__in=("campaign.created", "campaign.copied")))


def _walk_back(campaigns: Iterable[Campaign], since: datetime) -> dict[int, Before | None]:
    """Each campaign's place then; None for what was not planned yet."""
    stood: dict[int, Before | None] = {
        row.pk: Before(row.starts_on, row.ends_on, row.status) if row.created_at <= since else None for row in campaigns
    }
    events = _events(since).filter(subject_id__in=[str(pk) for pk in stood]).order_by("-at", "-id")
    for event in events:
        kept = stood[int(event.subject_id)]
        if kept is not None and event.before:
            stood[int(event.subject_id)] = replace(kept, **_placed(event.before))
    return stood


def _placed(before: dict[str, Any]) -> dict[str, Any]:
    """The dates and the state out of what a line says held before."""
    found: dict[str, Any] = {key: date.fromisoformat(before[key][:10]) for key in ("starts_on", "ends_on") if before.get(key)}
    return found | ({"status": before["status"]} if before.get("status") else {})


def _change(row: Campaign, before: Before | None, span: Period) -> Change | None:
    is_there = row.status not in GONE
    if before is None or not before.is_there:
        kind = "" if not is_there else "new" if before is None else "back"
    elif not is_there:
        kind = "cancelled"
    elif (before.starts_on, before.ends_on) == (row.starts_on, row.ends_on):
        kind = ""
    else:
        kind = "moved" if before.ends_on - before.starts_on == row.ends_on - row.starts_on else "resized"
    seen = _meets(span, row.starts_on, row.ends_on) or (before is not None and _meets(span, before.starts_on, before.ends_on))
    return Change(kind, row, before) if kind and seen else None


def _meets(span: Period, first: date, last: date) -> bool:
    return first <= span.last and last >= span.first
