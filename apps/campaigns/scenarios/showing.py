"""A what-if as the calendar shows it: the page's rows with the changes made to them in memory. Nothing is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from apps.core import clock

from .. import schedule
from ..calendar.figures import Figures as Strip
from ..calendar.reading import Reading
from ..conflicts.findings import Finding
from ..conflicts.snapshot import Plan
from ..conflicts.writing import _row
from ..models import Campaign, Conflict, ScenarioChange
from ..models.conflicts import Severity
from ..models.scenarios import ChangeKind
from .figures import Figures


def patched(reading: Reading, changes: Sequence[ScenarioChange], findings: Sequence[Finding], plan: Plan, now: datetime) -> Reading:
    """The page as it would be with these changes; its conflicts are those that would be left."""
    by_id = {campaign.pk: campaign for campaign in reading.campaigns}
    occurrences = dict(reading.occurrences)
    for change in changes:
        campaign = by_id.get(change.campaign_id)
        if campaign is None:
            continue
        if change.kind == ChangeKind.MOVE:
            _move(campaign, change.parameters["days"])
            occurrences[campaign.pk] = [
                replace(each, at=schedule.same_clock(each.at, change.parameters["days"], clock.company_zone()))
                for each in occurrences.get(campaign.pk, [])
            ]
        elif change.kind == ChangeKind.CANCEL:
            by_id.pop(campaign.pk)
        elif change.kind == ChangeKind.CHANNEL:
            for each in occurrences.get(campaign.pk, []):
                if each.message.pk == change.message_id:
                    each.message.channel = change.parameters["channel"]
    period = reading.period
    shown = [each for each in by_id.values() if each.starts_on <= period.last and each.ends_on >= period.first]
    shown.sort(key=lambda each: (each.starts_on, each.ends_on, each.pk))
    return replace(reading, campaigns=shown, occurrences=occurrences, conflicts=_conflicts(shown, findings, plan, now))


def _move(campaign: Campaign, days: int) -> None:
    campaign.starts_on += timedelta(days=days)
    campaign.ends_on += timedelta(days=days)


def _conflicts(shown: Sequence[Campaign], findings: Sequence[Finding], plan: Plan, now: datetime) -> list[Conflict]:
    """Findings as rows that are not saved; those that the plan has too keep their number, so that they can be opened."""
    ids = {campaign.pk for campaign in shown}
    serious = [
        each for each in findings
        if each.severity >= Severity.MEDIUM and each.campaigns[0] in ids and (each.campaigns[1] is None or each.campaigns[1] in ids)
    ]
    known = dict(Conflict.objects.filter(identity__in=[each.identity for each in serious]).values_list("identity", "pk"))
    rows = []
    for each in serious:
        row = _row(each, plan, now)
        row.pk = known.get(each.identity)
        rows.append(row)
    return rows


def strip(counted: Strip, tried: Figures) -> Strip:
    """The pressure strip and the reach of the what-if."""
    return Strip(over={**dict.fromkeys(counted.over, 0), **tried.over}, reach=dict(tried.reach), customers=counted.customers)
