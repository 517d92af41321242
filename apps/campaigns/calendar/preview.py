"""What moving a campaign would do, measured before it holds. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from .. import pacing
from ..conflicts import loading, pressure, registry, resolve
from ..conflicts.findings import Finding
from ..conflicts.passes import find
from ..conflicts.snapshot import Plan
from ..conflicts.writing import SETTLED
from ..models import Campaign, Conflict
from ..models.conflicts import ConflictState, Severity


@dataclass(frozen=True)
class Change:
    """One conflict before and after the move. ``before`` or ``after`` is None where it is not there then."""

    title: str
    other: Campaign | None
    severity: int
    before: int | None
    after: int | None
    decided: str = ""

    @property
    def kind(self) -> str:
        """``gone``, ``new`` or ``stays``."""
        if self.after is None:
            return "gone"
        return "new" if self.before is None else "stays"


@dataclass(frozen=True)
class OverLimit:
    """How many of the campaign's people would pass a contact limit on some day around it, as planned and after the move."""

    before: int
    after: int

    @property
    def change(self) -> int:
        """More people (positive) or fewer."""
        return self.after - self.before


@dataclass(frozen=True)
class Preview:
    """The effect of moving one campaign by ``days``."""

    campaign: Campaign
    days: int
    starts_on: date
    ends_on: date
    changes: tuple[Change, ...]
    over: OverLimit | None = None

    @property
    def left(self) -> int:
        """Undecided conflicts of weight that it would have afterwards."""
        return sum(change.after is not None and not change.decided and change.severity >= Severity.MEDIUM for change in self.changes)

    @property
    def people_left(self) -> int:
        """People in the largest of them."""
        return max((change.after or 0 for change in self.changes if not change.decided), default=0)


def of(campaign: Campaign, days: int, *, now: datetime) -> Preview:
    """The conflicts of the campaign now and after the move, people counted exactly. Reads six or seven queries."""
    plan = loading.load(now=now, focus=[campaign.pk], also=[campaign.pk])
    planned = plan.campaigns[campaign.pk]
    before = {finding.identity: finding for finding in find(plan)}
    moved = resolve.shifted(plan, planned, days)
    after = before if not days else {each.identity: each for each in find(moved)}
    return Preview(
        campaign, days, campaign.starts_on + timedelta(days=days), campaign.ends_on + timedelta(days=days),
        tuple(_changes(campaign, before, after)), _over_limit(plan, moved, campaign.pk, now),
    )


def _over_limit(plan: Plan, moved: Plan, campaign_id: int, now: datetime) -> OverLimit | None:
    """Only this campaign's people can come under or over a limit by the move, and only on days near its contacts. None
    where no contact policy is in force.
    """
    policies = plan.circumstances.policies
    if not policies:
        return None
    longest = max(pacing.reach(policy) for policy in policies)
    sides = (plan.campaigns[campaign_id], moved.campaigns[campaign_id])
    starts = [start for side in sides for message in side.messages if not message.is_public for start, _end in message.windows]
    days = _days_near([start for start in starts if start >= now], longest, plan.zone)
    if not days:
        return OverLimit(0, 0)
    people = plan.audience(campaign_id) | moved.audience(campaign_id)
    first = datetime.combine(days[0], time.min, plan.zone) - longest
    last = datetime.combine(days[-1] + timedelta(days=1), time.min, plan.zone)
    assert plan.people is not None
    sent = [
        each.among(people) for each in plan.people.sent(first=first, now=now) if each.at >= first
    ]
    counts = []
    for each in (plan, moved):
        coming = pressure.planned_contacts(each, first=first, last=last, among=people)
        found = pressure.over_any([*sent, *coming], policies, days=days, zone=plan.zone)
        counts.append(len(BitMap.union(BitMap(), *found.values())))
    return OverLimit(*counts)


def _days_near(starts: list[datetime], span: timedelta, zone: ZoneInfo) -> list[date]:
    """The days on which a contact at one of these moments still counts."""
    reach = span.days + 1
    return sorted({start.astimezone(zone).date() + timedelta(days=place) for start in starts for place in range(reach + 1)})


def _changes(campaign: Campaign, before: dict[str, Finding], after: dict[str, Finding]) -> list[Change]:
    every = {**before, **after}
    others = {pk for finding in every.values() for pk in finding.campaigns if pk and pk != campaign.pk}
    campaigns = Campaign.objects.select_related("department").in_bulk(others)
    rows = Conflict.objects.filter(identity__in=every).exclude(state=ConflictState.OBSOLETE)
    known = {row.identity: row for row in rows.only("identity", "state", "people_count")}
    changes = []
    for identity, finding in every.items():
        row = known.get(identity)
        other = next((campaigns[pk] for pk in finding.campaigns if pk in campaigns), None)
        besides = 0 if campaign.pk in finding.campaigns else _besides(row, before.get(identity))
        changes.append(Change(
            str(registry.rule(finding.rule).title), other, finding.severity,
            _count(before.get(identity), besides), _count(after.get(identity), besides),
            row.get_state_display() if row is not None and row.state in SETTLED else "",
        ))
    order = {"new": 0, "stays": 1, "gone": 2}
    return sorted(changes, key=lambda row: (order[row.kind], -row.severity, -(row.after or row.before or 0)))


def _besides(row: Conflict | None, before: Finding | None) -> int:
    """The people of another campaign's conflict who are not in this one: to them the move does nothing."""
    return max(0, (row.people_count or 0) - (_count(before, 0) or 0)) if row is not None else 0


def _count(finding: Finding | None, besides: int) -> int | None:
    if finding is None:
        return besides or None
    return None if finding.count is None else finding.count + besides
