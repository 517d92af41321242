"""What is left to try where days and shares of people do not help: single messages in the right order, then another channel,
then accepting with a reason, and cancelling last. Each is taken only if it removes a finding of weight and brings no other; what
is accepted, given up or cancelled is marked as a last resort, so that people choose it knowingly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop

from ..conflicts import ordering
from ..conflicts.findings import Finding
from ..conflicts.snapshot import Plan, PlannedCampaign, PlannedMessage
from ..models.conflicts import Severity
from ..models.scenarios import ChangeKind
from ..scenarios import measuring, trial
from ..scenarios.trial import DoesNotFit, Step, tried
from . import sharing

if TYPE_CHECKING:
    from .propose import _Search

SEQUENCE = "sequence"
LONGEST_ACCEPTANCE = timedelta(days=365)
REASON = gettext_noop("Nothing else removes it within the locks, lead times and fair shares that were asked for.")


def serious(plan: Plan, search: _Search, steps: list[Step]) -> list[Finding]:
    """Undecided findings of weight under these changes, the weightiest first."""
    found = [each for each in measuring.undecided(plan, search.grounds.holding(steps)) if each.severity >= Severity.MEDIUM]
    return sorted(found, key=lambda each: (-each.severity, -(each.count or 0), each.identity))


def ordered(search: _Search, steps: list[Step]) -> list[Step]:
    """Messages in the wrong order put right, each where that costs least."""
    found: list[Step] = []
    for finding in serious(tried(search.plan, steps), search, steps):
        if finding.rule != SEQUENCE:
            continue
        plan = tried(search.plan, [*steps, *found])
        message = plan.messages.get(finding.messages[0] or 0)
        if message is None or search.terms.kept(plan, plan.campaigns[message.campaign_id]):
            continue
        if best := _best(search, [*steps, *found], list(_retimings(search, plan, message)), finding):
            found.append(best)
    return found


def _retimings(search: _Search, plan: Plan, message: PlannedMessage) -> Iterator[Step]:
    campaign = plan.campaigns[message.campaign_id]
    for shift, _others in ordering.best(plan, message, plan.parameters.move_choices):
        if search.terms.in_time(plan, ordering.retimed(plan, campaign, shift)):
            yield Step(ChangeKind.RETIME, campaign.id, message.id, ordering.parameters(plan, message, shift))


def _best(search: _Search, steps: list[Step], options: list[Step], finding: Finding) -> Step | None:
    """The option that removes the finding, brings no other of weight, is fair, costs least, and no more than the finding does."""
    most = search.whole(steps) + 1e-6
    before = {each.identity for each in serious(tried(search.plan, steps), search, steps)}
    priced = []
    for place, option in enumerate(options):
        with_it = [*steps, option]
        try:
            there = tried(search.plan, with_it)
        except DoesNotFit:
            continue
        after = {each.identity for each in serious(there, search, with_it)}
        if finding.identity in after or not after < before or not sharing.is_fair(search.plan, there, search.terms):
            continue
        if (price := search.whole(with_it)) <= most:
            priced.append((price, place, option))
    return min(priced, default=(0.0, 0, None))[2]


def resorts(search: _Search, steps: list[Step]) -> list[Step]:
    """One more change for each finding of weight that is still there, by the mildest kind that helps; none where none does."""
    found: list[Step] = []
    kinds: tuple[Callable[[_Search, Plan, Finding], Iterator[Step]], ...] = (_channels, _stops, _acceptance, _cancellings)
    for finding in serious(tried(search.plan, steps), search, steps):
        now = [*steps, *found]
        plan = tried(search.plan, now)
        if finding.identity not in {each.identity for each in serious(plan, search, now)}:
            continue
        options = (_best(search, now, list(kind(search, plan, finding)), finding) for kind in kinds)
        if option := next((each for each in options if each is not None), None):
            found.append(option)
    return found


def _free(search: _Search, plan: Plan, finding: Finding) -> list[PlannedCampaign]:
    """The campaigns of the finding that may be changed."""
    return [each for each in _own(plan, finding) if not search.terms.kept(plan, each)]


def _own(plan: Plan, finding: Finding) -> list[PlannedCampaign]:
    return [plan.campaigns[pk] for pk in finding.campaigns if pk is not None and pk in plan.campaigns]


def _channels(search: _Search, plan: Plan, finding: Finding) -> Iterator[Step]:
    """One of its messages on another channel, where that reaches nearly as many."""
    named = {pk for pk in finding.messages if pk} | set(finding.facts.get("messages", ()))
    assert plan.people is not None
    for campaign in _free(search, plan, finding):
        for message in campaign.messages:
            if (named and message.id not in named) or not trial.can_yield(plan, message) or not plan.people.of(message):
                continue
            for channel in sorted(search.terms.channels - {message.channel}):
                step = Step(ChangeKind.CHANNEL, campaign.id, message.id, {
                    "channel": channel, "from": message.channel, "account": search.terms.accounts.get(channel),
                })
                there = tried(plan, [step])
                plan.people.ask_reachable([message, there.messages[message.id]], plan.now)
                reached = len(plan.people.reachable(there.messages[message.id]))
                known = {"reached": reached, "people": len(plan.people.of(message))}
                enough = reached >= search.terms.least_reach * len(plan.people.reachable(message))
                if enough and search.terms.in_time(plan, there.campaigns[campaign.id]):
                    yield Step(ChangeKind.CHANNEL, campaign.id, message.id, {**step.parameters, **known})


def _stops(search: _Search, plan: Plan, finding: Finding) -> Iterator[Step]:
    """What comes in the wrong order and cannot be put right is given up by itself, not with its campaign."""
    message = plan.messages.get(finding.messages[0] or 0)
    if finding.rule == SEQUENCE and message is not None and _free(search, plan, finding) and trial.can_yield(plan, message):
        yield Step(ChangeKind.STOP, message.campaign_id, message.id, {"last": True})


def _acceptance(search: _Search, plan: Plan, finding: Finding) -> Iterator[Step]:
    """What blocks is not for a proposal to accept, nor is anything else while the same campaigns block each other."""
    if any(each.severity >= Severity.BLOCK and each.campaigns == finding.campaigns for each in measuring.undecided(plan, search.grounds)):
        return
    until = min(max(each.ends_on for each in _own(plan, finding)), plan.now.date() + LONGEST_ACCEPTANCE)
    yield Step(ChangeKind.ACCEPT, finding.campaigns[0], finding.messages[0], {
        "identity": finding.identity, "rule": finding.rule, "messages": [], "people": finding.count or 0,
        "reason": REASON, "until": max(until, plan.now.date()).isoformat(), "last": True,
    })


def _cancellings(search: _Search, plan: Plan, finding: Finding) -> Iterator[Step]:
    for campaign in _free(search, plan, finding):
        yield Step(ChangeKind.CANCEL, campaign.id, None, {"last": True})
