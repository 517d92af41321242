"""What a re-plan is asked for, and what counts how much in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from ..conflicts import resolve, wayout
from ..conflicts.findings import Finding
from ..conflicts.lead_times import LeadTimes
from ..conflicts.snapshot import Plan, PlannedCampaign
from ..models.conflicts import Severity
from ..models.plan import CampaignStatus

# A finding that names no people (two posters, say) weighs as much as one with so many.
LEAST_PEOPLE = 10


@dataclass(frozen=True)
class Weights:
    """What one of each costs; a person in a medium conflict is the unit. Stated on the proposal, never hidden.

    ``moved``: moving a campaign at all, ``day``: each day of it, so that nothing is moved for nothing or farther than needed.
    """

    severity: Mapping[int, float] = field(
        default_factory=lambda: {int(Severity.MEDIUM): 1.0, int(Severity.HIGH): 3.0, int(Severity.BLOCK): 9.0}
    )
    over: float = 2.0
    contact: float = 0.25
    order: float = 10.0
    moved: float = 3.0
    day: float = 0.5

    def finding(self, found: Finding) -> float:
        """What one finding costs."""
        return self.severity.get(int(found.severity), 0.0) * max(found.count or 0, LEAST_PEOPLE)

    def findings(self, found: Iterable[Finding]) -> float:
        """What they cost together."""
        return sum(self.finding(each) for each in found)

    def move(self, days: int) -> float:
        """What moving a campaign by so many days costs."""
        return self.moved + self.day * abs(days) if days else 0.0


@dataclass(frozen=True)
class Terms:
    """The period (first days of campaigns), what stays as it is, and the bounds of a proposal.

    ``moves_agreed``: approved and scheduled campaigns may be changed too. ``fair_share``: no department gives up more than this
    share of its own planned contacts. ``lead`` days from today are needed to prepare a message. ``channels`` may be switched to
    (``accounts`` carry it then), where at least ``least_reach`` of whom the message reaches now can be reached there.
    """

    first: date
    last: date
    locked: frozenset[int] = frozenset()
    moves_agreed: bool = False
    fair_share: float = 0.25
    move_days: int = 28
    seed: int = 0
    weights: Weights = field(default_factory=Weights)
    lead: LeadTimes = field(default_factory=LeadTimes)
    channels: frozenset[str] = frozenset()
    accounts: Mapping[str, int] = field(default_factory=dict)
    least_reach: float = 0.8

    def kept(self, plan: Plan, campaign: PlannedCampaign) -> str:
        """Why nothing of the campaign is changed, as a code; empty when it may be."""
        if campaign.id in self.locked:
            return "chosen"
        if campaign.lock:
            return f"lock_{campaign.lock}"
        if campaign.status not in wayout.MOVABLE:
            return "begun"
        if campaign.status in (CampaignStatus.APPROVED, CampaignStatus.SCHEDULED) and not self.moves_agreed:
            return "agreed"
        if any(message.is_safety for message in campaign.messages):
            return "safety"
        return ""

    def stays(self, plan: Plan, campaign: PlannedCampaign) -> str:
        """Why the campaign keeps its days, as a code; empty when it may be moved."""
        if why := self.kept(plan, campaign):
            return why
        if not self.first <= campaign.starts_on <= self.last:
            return "outside"
        if not resolve.is_movable(plan, campaign, 0):
            return "begun"
        return "" if self.in_time(plan, campaign) else "lead"

    def in_time(self, plan: Plan, campaign: PlannedCampaign) -> bool:
        """Whether each message still has the days that its channel needs to be prepared."""
        return all(
            start >= plan.now + timedelta(days=self.lead.of(message.channel, campaign.department_id))
            for message in campaign.messages for start, _end in message.windows[:1]
        )
