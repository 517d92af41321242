"""Findings become rows; what people decided about a collision survives being found again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models

from apps.core import clock

from ..models import Agreement, Conflict, Resolution
from ..models.conflicts import ConflictState, ResolutionState
from . import registry
from .findings import Finding, digest
from .snapshot import Plan

SETTLED = (ConflictState.ACCEPTED, ConflictState.RESOLVED)
FIELDS = [
    "severity", "people_both", "people_count", "first_at", "facts", "digest", "state", "agreed_facts", "plan_number",
    "updated_at", "first_message", "second_message", "decide_by", "found_at",
]


@dataclass
class Written:
    """What a pass changed, for the notifications."""

    appeared: list[Conflict] = field(default_factory=list)
    reopened: list[Conflict] = field(default_factory=list)
    gone: list[Conflict] = field(default_factory=list)


def write(plan: Plan, findings: Iterable[Finding], *, now: datetime) -> Written:
    """Brings the rows of the plan's focus in line with the findings. The caller holds the plan version's lock."""
    found = {finding.identity: finding for finding in findings}
    known = {row.identity: row for row in _rows(plan, found).select_for_update().defer("people_both")}
    expired = _expired([row.pk for row in known.values() if row.state in SETTLED], now)
    written, changed, new = Written(), [], []
    for identity, finding in found.items():
        row = known.get(identity)
        if row is not None:
            _found_again(row, finding, plan, now, is_expired=row.pk in expired, written=written)
            changed.append(row)
        elif finding.people is not None or registry.rule(finding.rule).speaks_early:
            new.append(_row(finding, plan, now))
    for identity, row in known.items():
        if identity not in found and row.state not in (ConflictState.OBSOLETE, ConflictState.RESOLVED):
            row.state, row.updated_at, row.plan_number = ConflictState.OBSOLETE, now, plan.number
            written.gone.append(row)
    Conflict.objects.bulk_create(new)
    written.appeared += new
    _save(changed, with_people=plan.people is not None)
    Conflict.objects.bulk_update(written.gone, ["state", "updated_at", "plan_number"])
    _end(expired, now)
    return written


def _save(rows: list[Conflict], *, with_people: bool) -> None:
    fields = FIELDS if with_people else [name for name in FIELDS if name != "people_both"]
    Conflict.objects.bulk_update(rows, fields, batch_size=200)


def _rows(plan: Plan, found: dict[str, Finding]) -> models.QuerySet[Conflict]:
    """Rows that were found again, and live rows of the focus that were not: those have gone."""
    here = models.Q(identity__in=found)
    if plan.focus is None:
        return Conflict.objects.filter(here | ~models.Q(state=ConflictState.OBSOLETE))
    touched = models.Q(first_campaign__in=plan.focus) | models.Q(second_campaign__in=plan.focus)
    return Conflict.objects.filter(here | (touched & ~models.Q(state=ConflictState.OBSOLETE)))


def _row(finding: Finding, plan: Plan, now: datetime) -> Conflict:
    return Conflict(
        rule=finding.rule, identity=finding.identity, severity=finding.severity,
        first_campaign_id=finding.campaigns[0], second_campaign_id=finding.campaigns[1],
        first_message_id=finding.messages[0], second_message_id=finding.messages[1],
        people_both=finding.people, people_count=finding.count, first_at=finding.at, facts=_plain(finding.facts),
        digest=digest(finding.facts), decide_by=_decide_by(finding, now), plan_number=plan.number,
        found_at=now, updated_at=now,
    )


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts as they come back from the database (tuples are lists there), so that comparisons are fair."""
    return {key: [list(item) if isinstance(item, tuple) else item for item in value] if isinstance(value, list) else value
            for key, value in facts.items()}


def _decide_by(finding: Finding, now: datetime) -> datetime | None:
    """Two working days before the first contact leave time to change it; never earlier than now."""
    if finding.at is None:
        return None
    return max(now, _working_days_before(finding.at, 2))


def _working_days_before(moment: datetime, days: int) -> datetime:
    while days:
        moment -= timedelta(days=1)
        days -= moment.astimezone(clock.company_zone()).weekday() < 5
    return moment


def _found_again(
    row: Conflict, finding: Finding, plan: Plan, now: datetime, *, is_expired: bool, written: Written
) -> None:
    facts = _plain(finding.facts)
    if finding.people is None:
        # People are counted later: until then the last count stands beside the new dates.
        facts = {**row.facts, **{key: value for key, value in facts.items() if key != "severity"}}
    else:
        row.severity, row.people_both, row.people_count = finding.severity, finding.people, finding.count
    row.facts, row.digest = facts, digest(facts)
    row.first_at, row.decide_by = finding.at, _decide_by(finding, now)
    row.first_message_id, row.second_message_id = finding.messages
    row.plan_number, row.updated_at = plan.number, now
    if row.state == ConflictState.OBSOLETE:
        _return(row, now, written)
    elif row.state in SETTLED and (is_expired or _is_worse(row)):
        row.state = ConflictState.OPEN
        written.reopened.append(row)


def _is_worse(row: Conflict) -> bool:
    return row.agreed_facts is None or registry.rule(row.rule).materially_worse(row.agreed_facts, row.facts)


def _return(row: Conflict, now: datetime, written: Written) -> None:
    """A collision that had gone is back: under the agreement that still stands, or open as if new."""
    standing = standing_resolution(row.pk, now)
    if standing is not None and row.agreed_facts is not None and not _is_worse(row):
        row.state = ConflictState.ACCEPTED if standing.action == "accept" else ConflictState.RESOLVED
        return
    row.state, row.found_at = ConflictState.OPEN, now
    written.appeared.append(row)


def standing_resolution(conflict_id: int, now: datetime) -> Resolution | None:
    """The resolution that was applied last and still holds (not a move: that has done its work)."""
    return (
        Resolution.objects.filter(conflict=conflict_id, state=ResolutionState.APPLIED)
        .exclude(action="move")
        .filter(models.Q(expires_on=None) | models.Q(expires_on__gte=clock.company_day(now)))
        .exclude(agreement__ended_at__isnull=False)
        .first()
    )


def _expired(conflict_ids: list[int], now: datetime) -> set[int]:
    """Settled conflicts whose acceptance or agreement has run out."""
    today = clock.company_day(now)
    rows = Resolution.objects.filter(conflict__in=conflict_ids, state=ResolutionState.APPLIED).order_by("decided_at", "id")
    latest = {row.conflict_id: row for row in rows}
    return {pk for pk, row in latest.items() if row.expires_on is not None and row.expires_on < today}


def _end(conflict_ids: set[int], now: datetime) -> None:
    if conflict_ids:
        Agreement.objects.filter(
            resolution__conflict__in=conflict_ids, ended_at=None, resolution__expires_on__lt=clock.company_day(now)
        ).update(ended_at=now)
