"""The way out that splits the shared people by predicted value (valued.py): each stays with the side more likely to sell to them.

The keeping side is the one with the higher rate of all its people; where both are equal the higher priority keeps, then the
campaign that writes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ..models.conflicts import ResolutionAction
from . import response, valued
from .passes import find
from .snapshot import PlannedAgreement, PlannedCampaign, PlannedMessage
from .wayout import Pair, WayOut, can_yield, of_side, people_of

LATEST = datetime.max.replace(tzinfo=UTC)


def split(pair: Pair, now: datetime) -> Iterator[WayOut]:
    """The split, measured; nothing where the past gives no reason to part the people or a side has nobody to give."""
    past, only = response.past(now=now), pair.only()
    ahead = {
        side.id: [message for message in of_side(side, only[side.id]) if can_yield(pair.plan, message)]
        for side in pair.campaigns
    }
    if not all(ahead.values()):
        return
    sides = sorted(pair.campaigns, key=lambda campaign: _rank(campaign, ahead[campaign.id], past), reverse=True)
    keeping, yielding = (ahead[campaign.id] for campaign in sides)
    both = people_of(pair.plan, keeping) & people_of(pair.plan, yielding)
    swapped, lost = valued.parted(both, _channels(keeping), _channels(yielding), past)
    if not swapped or swapped == both:
        return
    agreement = PlannedAgreement(
        sides[1].id, sides[0].id, frozenset(message.id for message in keeping), pair.plan.now, only[sides[1].id],
        only[sides[0].id], swapped=swapped, yielding=frozenset(message.id for message in yielding),
    )
    then = pair.plan.with_agreement(agreement)
    yield WayOut(
        ResolutionAction.SPLIT, sides[1].id, people_lost=len(both), orders_lost=lost,
        still_both=len(people_of(then, keeping) & people_of(then, yielding)),
        effects=pair.effects(find(then)), spread=pair.spread(then),
        parameters={
            "yielding": sides[1].id, "keeping": sides[0].id, "yielding_message": only[sides[1].id],
            "keeping_message": only[sides[0].id], "swapped": valued.frozen(swapped),
            "swapped_count": len(swapped), "kept": len(both) - len(swapped), "settled": valued.frozen(both),
            "rates": valued.rates(both, _channels(keeping), _channels(yielding), past).plain(),
        },
    )


def _channels(messages: list[PlannedMessage]) -> set[str]:
    return {message.channel for message in messages}


def _rank(campaign: PlannedCampaign, messages: list[PlannedMessage], past: response.Response) -> tuple[float, int, float]:
    """What puts a side before the other for everybody who is not told apart: rate, priority, the earlier first contact."""
    rate = max((past.rate(message.channel) or 0.0 for message in messages), default=0.0)
    first = min((start for message in messages for start, _end in message.windows), default=LATEST)
    return rate, campaign.priority, -first.timestamp()
