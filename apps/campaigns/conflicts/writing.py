"""Findings become rows; what people decided about a collision survives being found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models

from apps.core import clock

from ..models import Conflict, Resolution
from ..models.conflicts import ConflictState, EndCause, ResolutionAction, ResolutionState
from . import registry, trail
from .findings import Finding, digest
from .snapshot import Plan

UNDECIDED = (ConflictState.OPEN, ConflictState.ACKNOWLEDGED)
# What is settled while it is still found: accepted, or left to the limit that holds when sending.
AS_FOUND = (ResolutionAction.ACCEPT, ResolutionAction.CAP)
SETTLED = (ConflictState.ACCEPTED, ConflictState.RESOLVED)
# Rows are written so many at a time, and no more than hold so many people: who they are is put together only then.
MOST_ROWS, MOST_PEOPLE = 200, 5_000_000
FIELDS = [
    "severity", "people_count", "first_at", "facts", "digest", "state", "agreed_facts", "plan_number",
    "updated_at", "first_message", "second_message", "decide_by", "found_at", "settled_by", "defaulted_at",
    "escalated_at",
]


@dataclass
class Written:
    """What a pass changed, for the notifications."""

    appeared: list[Conflict] = field(default_factory=list)
    reopened: list[Conflict] = field(default_factory=list)
    gone: list[Conflict] = field(default_factory=list)
    settled: list[Conflict] = field(default_factory=list)


def write(plan: Plan, findings: Iterable[Finding], *, now: datetime) -> Written:
    """Brings the rows of the plan's focus in line with the findings. The caller holds the plan version's lock."""
    found = {finding.identity: finding for finding in findings}
    rows = _rows(plan, found).select_for_update(of=("self",)).select_related("settled_by").defer("people_both")
    known = {row.identity: row for row in rows}
    written, changed, new = Written(), [], []
    for identity, finding in found.items():
        row = known.get(identity)
        if row is not None:
            _found_again(row, finding, plan, now, written=written)
            changed.append(row)
        elif finding.is_counted or registry.rule(finding.rule).speaks_early:
            new.append(_row(finding, plan, now))
    for identity, row in known.items():
        waits = plan.people is None and registry.rule(row.rule).needs_people
        if identity not in found and not waits and row.state not in (ConflictState.OBSOLETE, ConflictState.RESOLVED):
            _gone(row, plan, now, written=written)
    for batch in _batches(new, found):
        Conflict.objects.bulk_create(batch)
    written.appeared += new
    _save(changed, found, with_people=plan.people is not None)
    Conflict.objects.bulk_update(
        written.gone + written.settled, ["state", "updated_at", "plan_number", "settled_by"]
    )
    _note(written, now)
    return written


def _gone(row: Conflict, plan: Plan, now: datetime, *, written: Written) -> None:
    """What is not there any more: settled by the agreement that took its people away, or else simply gone."""
    row.updated_at, row.plan_number = now, plan.number
    pair = frozenset(pk for pk in (row.first_campaign_id, row.second_campaign_id) if pk)
    held_by = next((each.resolution_id for each in reversed(plan.agreements) if each.pair == pair), None)
    if held_by is not None and plan.people is not None and row.state in UNDECIDED:
        row.state, row.settled_by_id = ConflictState.RESOLVED, held_by
        written.settled.append(row)
    else:
        row.state = ConflictState.OBSOLETE
        written.gone.append(row)


def _note(written: Written, now: datetime) -> None:
    """What Concord did by itself stands in the history of each finding, and is told to other programs."""
    trail.keep({
        "conflict.found": written.appeared, "conflict.settled": written.settled, "conflict.reopened": written.reopened,
        "conflict.gone": written.gone,
    }, now=now)


def _save(rows: list[Conflict], found: Mapping[str, Finding], *, with_people: bool) -> None:
    counted = [row for row in rows if with_people and found[row.identity].is_counted]
    for batch in _batches(counted, found):
        Conflict.objects.bulk_update(batch, [*FIELDS, "people_both"])
    known = {row.pk for row in counted}
    Conflict.objects.bulk_update([row for row in rows if row.pk not in known], FIELDS, batch_size=MOST_ROWS)


def _batches(rows: Iterable[Conflict], found: Mapping[str, Finding]) -> Iterator[list[Conflict]]:
    """The rows with their people, as many at a time as memory should hold; afterwards the people are forgotten again."""
    batch: list[Conflict] = []
    people = 0
    for row in rows:
        row.people_both = found[row.identity].people
        batch.append(row)
        people += row.people_count or 0
        if len(batch) == MOST_ROWS or people >= MOST_PEOPLE:
            yield batch
            _forget(batch)
            batch, people = [], 0
    yield batch
    _forget(batch)


def _forget(batch: Iterable[Conflict]) -> None:
    """The field is as if it had never been read."""
    for row in batch:
        del row.people_both


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
        people_count=finding.count, first_at=finding.at, facts=_plain(finding.facts),
        digest=digest(finding.facts), decide_by=_decide_by(finding, now), plan_number=plan.number,
        found_at=now, updated_at=now,
    )


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts as they come back from the database (tuples are lists there), so that comparisons are fair."""
    return {key: [list(item) if isinstance(item, tuple) else item for item in value] if isinstance(value, list) else value
            for key, value in facts.items()}


def _decide_by(finding: Finding, now: datetime) -> datetime | None:
    """Two working days before the first contact to come leave time to change it; found later than that, that contact."""
    told = [datetime.fromisoformat(finding.facts[key]) for key in ("first_at", "second_at") if finding.facts.get(key)]
    moments = [*told, *([finding.at] if finding.at else [])]
    if not moments:
        return None
    contact = min((moment for moment in moments if moment > now), default=now)
    early = _working_days_before(contact, 2)
    return early if early > now else contact


def _working_days_before(moment: datetime, days: int) -> datetime:
    while days:
        moment -= timedelta(days=1)
        days -= moment.astimezone(clock.company_zone()).weekday() < 5
    return moment


def _found_again(row: Conflict, finding: Finding, plan: Plan, now: datetime, *, written: Written) -> None:
    facts = _plain(finding.facts)
    if not finding.is_counted and row.people_count is not None:
        # People are counted later: until then the last count stands beside the new dates.
        facts = {**row.facts, **{key: value for key, value in facts.items() if key != "severity"}}
    else:
        row.severity, row.people_count = finding.severity, finding.count
    if row.first_at != finding.at or row.decide_by is None:
        row.decide_by = _decide_by(finding, now)
    row.facts, row.digest, row.first_at = facts, digest(facts), finding.at
    row.first_message_id, row.second_message_id = finding.messages
    row.plan_number, row.updated_at = plan.number, now
    if row.state == ConflictState.OBSOLETE:
        _return(row, finding, now, written)
    elif row.state in SETTLED and _asks_again(row, plan, now):
        _open_again(row, finding, now)
        written.reopened.append(row)


def _asks_again(row: Conflict, plan: Plan, now: datetime) -> bool:
    """Whether what was decided does not hold for what is found now.

    An acceptance, or a limit held to, stands until it is materially worse. Where people are left out, nothing should be
    found once people are counted: what is found nevertheless is new. What was moved apart and meets again has to be decided
    again.
    """
    settled_by = row.settled_by
    if settled_by is None or not _stands(settled_by, now):
        return True
    if settled_by.action in AS_FOUND:
        return _is_worse(row)
    return plan.people is not None or settled_by.action == ResolutionAction.MOVE


def _stands(resolution: Resolution, now: datetime) -> bool:
    is_past = resolution.expires_on is not None and resolution.expires_on < clock.company_day(now)
    return resolution.state == ResolutionState.APPLIED and not is_past


def _is_worse(row: Conflict) -> bool:
    return row.agreed_facts is None or registry.rule(row.rule).materially_worse(row.agreed_facts, row.facts)


def _open_again(row: Conflict, finding: Finding, now: datetime) -> None:
    """Open, with a new day to decide by. What the policy once decided and a lead withdrew from is not decided so again."""
    row.state, row.decide_by, row.escalated_at = ConflictState.OPEN, _decide_by(finding, now), None
    if row.settled_by is None or row.settled_by.end_cause != EndCause.WITHDRAWN:
        row.defaulted_at = None


def _return(row: Conflict, finding: Finding, now: datetime, written: Written) -> None:
    """A collision that had gone is back: under the acceptance that still stands, or open as if new."""
    standing = row.settled_by
    if standing is not None and standing.action in AS_FOUND and _stands(standing, now) and not _is_worse(row):
        is_accepted = standing.action == ResolutionAction.ACCEPT
        row.state = ConflictState.ACCEPTED if is_accepted else ConflictState.RESOLVED
        return
    _open_again(row, finding, now)
    row.found_at, row.settled_by = now, None
    written.appeared.append(row)
