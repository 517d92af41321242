"""One way out of a conflict as a measured change, and the pair of campaigns with the plan around it that all of them start from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, cast

from pyroaring import BitMap

from ..models import Conflict
from ..models.plan import CampaignStatus
from . import loading, pairs, sharing
from .findings import Finding
from .snapshot import Plan, PlannedCampaign, PlannedMessage

MOVABLE = (CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED)


@dataclass(frozen=True)
class Effect:
    """What a way out does to one finding of the pair, in people; ``after`` 0 settles it."""

    finding: int
    rule: str
    before: int
    after: int


@dataclass(frozen=True)
class WayOut:
    """One way out of everything that a pair of campaigns has against each other, with its effect on every finding.

    ``still_both`` people remain in both audiences; ``apart_days`` is how far the contacts then lie from each other.

    ``orders_lost`` is None where the past gives no basis. ``others`` counts conflicts of medium severity or more that the
    moved campaign then has with the rest of the plan. ``spread``: people of the finding by their contacts in the fullest week
    then, see sharing.py. Over another ``channel``, ``reached`` people get it there; in a joint campaign they get one message and
    ``saved`` sends are not made. ``arising`` (rule, people) is found then and not now.
    """

    action: str
    campaign_id: int | None = None
    days: int = 0
    starts_on: date | None = None
    still_both: int = 0
    apart_days: int | None = None
    people_lost: int = 0
    orders_lost: float | None = None
    others: int = 0
    effects: tuple[Effect, ...] = ()
    spread: tuple[int, ...] = ()
    channel: str = ""
    reached: int = 0
    saved: int = 0
    arising: tuple[tuple[str, int], ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names this way out in a form: ``leave_out:12``, ``move:12:5``, ``retime:12:41=1440``, ``channel:12:sms``, ``accept``."""
        shift = ",".join(f"{pk}={minutes}" for pk, minutes in sorted(self.parameters.get("shift", {}).items()))
        return ":".join([self.action, *(str(part) for part in (self.campaign_id, self.days, self.channel, shift) if part)])

    def measured(self) -> dict[str, Any]:
        """The effect as plain figures, to stand beside the proposal."""
        return {
            "still_both": self.still_both, "apart_days": self.apart_days, "people_lost": self.people_lost,
            "orders_lost": None if self.orders_lost is None else round(self.orders_lost, 1), "others": self.others,
            "effects": [asdict(effect) for effect in self.effects], "reached": self.reached, "saved": self.saved,
            "arising": [*self.arising],
        }


@dataclass(frozen=True)
class Pair:
    """What is to be solved: the finding asked about, all undecided ones of the pair, and the plan around them."""

    conflict: Conflict
    findings: list[Conflict]
    plan: Plan
    campaigns: list[PlannedCampaign]

    @classmethod
    def load(cls, conflict: Conflict, now: datetime) -> Pair | None:
        """None when a campaign of it is not in the plan any more."""
        ids = pairs.sides(conflict)
        plan = loading.load(now=now, focus=ids)
        campaigns = [plan.campaigns[pk] for pk in ids if pk in plan.campaigns]
        if len(campaigns) != len(ids):
            return None
        _fetch_around(plan, campaigns)
        return cls(conflict, pairs.undecided(conflict) or [conflict], plan, campaigns)

    def effects(self, findings: Iterable[Finding]) -> tuple[Effect, ...]:
        """How many people each finding would still touch, if those were what is found then."""
        after = {finding.identity: finding.count for finding in findings}
        return tuple(
            Effect(row.pk, row.rule, row.people_count or 0, (after[row.identity] or 0) if row.identity in after else 0)
            for row in self.findings
        )

    def spread(self, plan: Plan) -> tuple[int, ...]:
        """Contacts per person of the finding under that plan, in the fullest week near the campaigns, now and then."""
        moments = (
            start for each in (self.plan, plan) for campaign in self.campaigns if campaign.id in each.campaigns
            for message in each.campaigns[campaign.id].messages for start, _end in message.windows
        )
        return sharing.spread(plan, self._both, around=moments)

    @cached_property
    def _both(self) -> BitMap:
        return cast(BitMap, Conflict.objects.values_list("people_both", flat=True).get(pk=self.conflict.pk) or BitMap())

    def only(self) -> dict[int, int | None]:
        """The one message of each side that all findings are about; None where it is the campaign as a whole."""
        return pairs.only(self.conflict, self.findings)


def _fetch_around(plan: Plan, campaigns: list[PlannedCampaign]) -> None:
    """The people of everything that any of the moves could come close to, in one query."""
    assert plan.people is not None
    near = timedelta(days=plan.parameters.move_days + max(plan.parameters.offer_days, plan.parameters.overlap_days))
    starts = [start for campaign in campaigns for message in campaign.messages for start, _end in message.windows]
    if starts:
        first, last = min(starts) - near, max(starts) + near
        plan.people.fetch(
            message for message in plan.messages.values()
            if any(end >= first and start <= last for start, end in message.windows)
        )


def of_side(campaign: PlannedCampaign, only: int | None) -> list[PlannedMessage]:
    """The messages of a side: the one that all findings are about, or all of them."""
    return [message for message in campaign.messages if only in (None, message.id)]


def can_yield(plan: Plan, message: PlannedMessage) -> bool:
    """People can be left out of what is still to come and addressed; never out of a safety notice."""
    return (
        message.kind == "addressed" and not message.is_safety and any(end > plan.now for _start, end in message.windows)
    )


def people_of(plan: Plan, messages: Iterable[PlannedMessage]) -> BitMap:
    """Whoever gets any of the messages."""
    assert plan.people is not None
    return BitMap.union(BitMap(), *(plan.people.of(message) for message in messages))
