"""What moving a campaign would do, measured before it holds. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ..conflicts import loading, registry, resolve
from ..conflicts.findings import Finding
from ..conflicts.passes import UNDECIDED, find
from ..models import Campaign, Conflict
from ..models.conflicts import Severity


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
class Preview:
    """The effect of moving one campaign by ``days``."""

    campaign: Campaign
    days: int
    starts_on: date
    ends_on: date
    changes: tuple[Change, ...]

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
    after = before if not days else {each.identity: each for each in find(resolve.shifted(plan, planned, days))}
    return Preview(
        campaign, days, campaign.starts_on + timedelta(days=days), campaign.ends_on + timedelta(days=days),
        tuple(_changes(campaign, before, after)),
    )


def _changes(campaign: Campaign, before: dict[str, Finding], after: dict[str, Finding]) -> list[Change]:
    every = {**before, **after}
    others = {pk for finding in every.values() for pk in finding.campaigns if pk and pk != campaign.pk}
    campaigns = Campaign.objects.select_related("department").in_bulk(others)
    decided: dict[str, Any] = {
        row.identity: row.get_state_display()
        for row in Conflict.objects.filter(identity__in=every).exclude(state__in=UNDECIDED).only("identity", "state")
        if row.state in ("accepted", "resolved")
    }
    rows = [
        Change(
            str(registry.rule(finding.rule).title), next((campaigns[pk] for pk in finding.campaigns if pk in campaigns), None),
            finding.severity, _count(before.get(identity)), _count(after.get(identity)), decided.get(identity, ""),
        )
        for identity, finding in every.items()
    ]
    order = {"new": 0, "stays": 1, "gone": 2}
    return sorted(rows, key=lambda row: (order[row.kind], -row.severity, -(row.after or row.before or 0)))


def _count(finding: Finding | None) -> int | None:
    return None if finding is None else finding.count
