"""Why a way out is not offered: for each kind of it that nobody can take, one code when it is measured and one line when it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models.conflicts import ResolutionAction
from . import single
from .snapshot import Plan, PlannedCampaign
from .wayout import MOVABLE, Pair, WayOut, can_yield, of_side

CODES = {
    "public": gettext_lazy("It is for everybody: nobody can be left out of it."),
    "other_public": gettext_lazy("The other side is for everybody: it names nobody who could be left to it."),
    "nothing_ahead": gettext_lazy("Nothing of it that could be changed is still to come."),
    "nobody": gettext_lazy("It would change nothing for anybody."),
    "begun": gettext_lazy("It has begun."),
    "locked": gettext_lazy("It is locked: its lead has to unlock it first."),
    "safety": gettext_lazy("A safety notice goes to everybody whom it concerns, as planned."),
    "one_public": gettext_lazy("One side is for everybody: there are no people whom only one of the two could contact."),
    "no_reason": gettext_lazy("Past orders give no reason to part the people: one side is the better one for all, or nobody is shared."),
    "no_channel": gettext_lazy("There is no further channel on which any of the shared people can be reached."),
    "not_people": gettext_lazy("This is about the campaign, not about some of its people."),
    "all_or_none": gettext_lazy("It would leave out nobody, or everybody."),
}


@dataclass(frozen=True)
class Missing:
    """A way that is not offered. ``code`` says why (empty: a joint campaign's own words do); ``days``: how far a move may go."""

    action: str
    code: str
    campaign_id: int | None = None
    other_id: int | None = None
    days: int = 0


def missing(pair: Pair, ways: Iterable[WayOut]) -> list[Missing]:
    """Every kind of way out, side by side where it has sides, that is not among the ``ways`` of the pair."""
    offered = {(way.action, way.campaign_id) for way in ways}
    known = {action for action, _campaign in offered}
    both = len(pair.campaigns) == 2
    found = [*(_of_pair(pair, known) if both else _alone(pair))]
    for campaign, other in zip(pair.campaigns, pair.campaigns[::-1], strict=True):
        if both:
            found += [_leave_out(pair, campaign, other), _channel(pair, campaign, other)]
            found.append(Missing(ResolutionAction.CANCEL, _fixed(campaign, pair.plan, is_moved=False), campaign.id))
        code = _fixed(campaign, pair.plan, is_moved=True) or "no_days"
        found.append(Missing(ResolutionAction.MOVE, code, campaign.id, days=pair.plan.parameters.move_days))
    return [each for each in found if (each.action, each.campaign_id) not in offered]


def _of_pair(pair: Pair, known: set[str]) -> Iterator[Missing]:
    if ResolutionAction.SPLIT not in known:
        sides = [_unyielding(pair, campaign) for campaign in pair.campaigns]
        yield Missing(ResolutionAction.SPLIT, "one_public" if "public" in sides else next(filter(None, sides), "no_reason"))
    if ResolutionAction.MERGE not in known:
        is_public = any(_is_public(campaign) for campaign in pair.campaigns)
        yield Missing(ResolutionAction.MERGE, "one_public" if is_public else "nobody")


def _alone(pair: Pair) -> Iterator[Missing]:
    campaign = pair.campaigns[0]
    code = "all_or_none" if pair.conflict.rule in single.ABOUT_PEOPLE else "not_people"
    yield Missing(ResolutionAction.LEAVE_OUT, code, campaign.id)


def _leave_out(pair: Pair, campaign: PlannedCampaign, other: PlannedCampaign) -> Missing:
    code = _unyielding(pair, campaign) or ("other_public" if _keeps_nobody(pair, other) else "nobody")
    return Missing(ResolutionAction.LEAVE_OUT, code, campaign.id, other.id)


def _channel(pair: Pair, campaign: PlannedCampaign, other: PlannedCampaign) -> Missing:
    begun = "" if campaign.status in MOVABLE else "begun"
    code = begun or _unyielding(pair, campaign) or ("other_public" if _keeps_nobody(pair, other) else "no_channel")
    return Missing(ResolutionAction.CHANNEL, code, campaign.id)


def _unyielding(pair: Pair, campaign: PlannedCampaign) -> str:
    """Why nobody can be left out of the messages that the findings are about; empty where somebody can."""
    asked = of_side(campaign, pair.only()[campaign.id])
    if any(can_yield(pair.plan, message) for message in asked):
        return ""
    if all(message.is_public for message in asked):
        return "public"
    return "safety" if any(message.is_safety for message in asked) else "nothing_ahead"


def _keeps_nobody(pair: Pair, campaign: PlannedCampaign) -> bool:
    return all(message.is_public for message in of_side(campaign, pair.only()[campaign.id]))


def _is_public(campaign: PlannedCampaign) -> bool:
    return any(message.is_public for message in campaign.messages)


def _fixed(campaign: PlannedCampaign, plan: Plan, *, is_moved: bool) -> str:
    if any(message.is_safety for message in campaign.messages):
        return "safety"
    if is_moved and campaign.lock:
        return "locked"
    begun = is_moved and any(start <= plan.now for message in campaign.messages for start, _end in message.windows)
    return "begun" if begun or campaign.status not in MOVABLE else ""


def words(each: Missing, *, names: Mapping[int, str], titles: Mapping[int, str], not_mergeable: str) -> tuple[str, str]:
    """What is not possible and why. ``names`` and ``titles`` as for ``way_words.label``."""
    side, title = names.get(each.campaign_id or 0, "?"), titles.get(each.campaign_id or 0, "?")
    if each.action == ResolutionAction.MERGE:
        return _("They cannot become one joint campaign:"), not_mergeable or str(CODES[each.code])
    what = {
        ResolutionAction.LEAVE_OUT: _("Leave people out of %(campaign)s") % {"campaign": title},
        ResolutionAction.CHANNEL: _("Another channel for the people shared: %(campaign)s") % {"campaign": side},
        ResolutionAction.CANCEL: _("Cancel %(campaign)s") % {"campaign": title},
        ResolutionAction.MOVE: _("Move %(campaign)s to other days") % {"campaign": title},
        ResolutionAction.SPLIT: _("Split the shared people by who is likelier to order"),
    }[ResolutionAction(each.action)]
    if each.code == "no_days":
        free = ngettext(
            "Within %(n)d day there are none on which nothing of weight collides.",
            "Within %(n)d days there are none on which nothing of weight collides.", each.days,
        )
        return f"{what}:", free % {"n": each.days}
    return f"{what}:", str(CODES[each.code])
