"""Changes that touch another department, as proposals that its lead signs; and what such a proposal was measured on.

A change touches the departments of its campaign (of a joint one all that plan it) and every department in a finding of weight that
the campaign is in, with the change or without it. It stands at the finding that it settles, so that it is seen there; where there is
none yet, it stands for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from apps.accounts import audit
from apps.accounts.models import User

from ..conflicts import agree, loading, registry, response
from ..conflicts.findings import Finding
from ..conflicts.passes import find
from ..conflicts.snapshot import Plan
from ..conflicts.writing import UNDECIDED, _plain
from ..models import Conflict, Resolution, ScenarioChange
from ..models.conflicts import ResolutionAction, ResolutionState, Severity
from ..models.scenarios import ChangeKind
from . import measuring
from .trial import DoesNotFit, Step, tried

ACTIONS = {
    ChangeKind.MOVE: ResolutionAction.MOVE, ChangeKind.RETIME: ResolutionAction.RETIME, ChangeKind.STOP: ResolutionAction.STOP,
    ChangeKind.CHANNEL: ResolutionAction.CHANNEL, ChangeKind.PRIORITY: ResolutionAction.PRIORITY,
    ChangeKind.CANCEL: ResolutionAction.CANCEL,
}


@dataclass(frozen=True)
class Touch:
    """Findings of weight of the changed campaign, by identity, without the change and with it; ``own``: whose campaign it is."""

    plan: Plan
    there: Plan
    before: Mapping[str, Finding]
    after: Mapping[str, Finding]
    own: frozenset[int]

    @property
    def departments(self) -> set[int]:
        """Whose campaign is changed, and whose plans or rights those findings touch."""
        found = set(self.own)
        for each in (*self.before.values(), *self.after.values()):
            campaigns = [self.plan.campaigns.get(pk) for pk in each.campaigns if pk is not None]
            found |= {pk for campaign in campaigns if campaign for pk in campaign.departments} | set(each.facts.get("departments", ()))
        return found

    @property
    def settled(self) -> list[str]:
        """Identities of what is not found any more, the weightiest first."""
        gone = [each for identity, each in self.before.items() if identity not in self.after]
        return [each.identity for each in sorted(gone, key=lambda each: (-each.severity, -(each.count or 0), each.identity))]


def touch(plan: Plan, step: Step) -> Touch:
    """What the change touches. Raises DoesNotFit when it cannot be made."""
    there = tried(plan, [step])
    own = plan.campaigns[step.campaign_id].departments
    return Touch(plan, there, _of_weight(plan, step.campaign_id), _of_weight(there, step.campaign_id), own)


def _of_weight(plan: Plan, campaign_id: int) -> dict[str, Finding]:
    return {each.identity: each for each in find(plan.focused([campaign_id])) if each.severity >= Severity.MEDIUM}


def propose(*, actor: User, change: ScenarioChange, step: Step, touched: Touch, now: datetime) -> Resolution:
    """Asks every touched department to sign the change; a lead's own proposal carries their signature. The caller made sure that
    the actor plans. A twin that is still open is returned instead of a second one.
    """
    conflict = at_conflict(change, touched)
    twin = Resolution.objects.filter(
        campaign=change.campaign_id, conflict=conflict, proposed_by=actor, state=ResolutionState.PROPOSED, parameters__change=change.pk
    ).first()
    if twin is not None:
        return twin
    parameters = {**step.parameters, "step": step.kind, "campaign": step.campaign_id, "message": step.message_id, "change": change.pk}
    made = Resolution.objects.create(
        conflict=conflict, campaign_id=step.campaign_id, action=ACTIONS[ChangeKind(step.kind)], parameters=parameters,
        measured=_measured(touched, step, now), proposed_by=actor, proposed_at=now,
    )
    made.needs_departments.set(touched.departments)
    audit.record(
        actor=actor, action="resolution.proposed", subject=conflict or change.campaign, department=actor.department_id,
        after={"resolution": made.pk, "kind": step.kind}, now=now,
    )
    agree.submit(made, actor, now)
    return made


def at_conflict(change: ScenarioChange, touched: Touch) -> Conflict | None:
    """The undecided conflict that the change settles (beside the others of a re-plan), or the weightiest of those that touch
    others; None when nothing is found yet.
    """
    wanted = [each["identity"] for each in change.why.get("settles", ()) if "identity" in each]
    rows = Conflict.objects.filter(state__in=UNDECIDED, severity__gte=Severity.MEDIUM).defer("people_both")
    rows = rows.filter(Q(first_campaign=change.campaign_id) | Q(second_campaign=change.campaign_id))
    known = {row.identity: row for row in rows.select_related("first_campaign", "second_campaign")}
    for identity in (*wanted, *touched.settled):
        if identity in known:
            return known[identity]
    others = [row for row in known.values() if len(agree.departments(row)) > 1]
    return min(others, key=lambda row: (-row.severity, -(row.people_count or 0), row.pk), default=None)


def _measured(touched: Touch, step: Step, now: datetime) -> dict[str, Any]:
    """What the change does by itself, and what is found then, to be compared with when it is signed."""
    lost, past = 0, response.past(now=now)
    orders: list[float | None] = []
    assert touched.plan.people is not None
    assert touched.there.people is not None
    for message in measuring.upcoming(touched.plan):
        there = touched.there.messages.get(message.id)
        gone = touched.plan.people.of(message) - touched.there.people.of(there) if there else touched.plan.people.of(message)
        if gone:
            lost += len(gone)
            orders.append(past.expected(gone, message.channel))
    known = [each for each in orders if each is not None]
    return {
        "people_lost": lost, "still_both": max((each.count or 0 for each in touched.after.values()), default=0),
        "orders_lost": round(sum(known), 1) if known or not lost else None,
        "settles": [
            {"rule": each.rule, "people": each.count, "campaigns": list(each.campaigns), "severity": int(each.severity)}
            for each in (touched.before[identity] for identity in touched.settled)
        ],
        "brings": [
            {"rule": each.rule, "people": each.count, "campaigns": list(each.campaigns), "severity": int(each.severity)}
            for identity, each in touched.after.items() if identity not in touched.before
        ],
        "findings": {identity: _plain(each.facts) for identity, each in touched.after.items()},
    }


def is_outdated(resolution: Resolution, now: datetime) -> bool:
    """Whether the change cannot be made any more, or would now bring what it did not bring when it was proposed."""
    parameters = resolution.parameters
    step = Step(parameters["step"], parameters["campaign"], parameters.get("message"), parameters)
    try:
        touched = touch(loading.load(now=now), step)
    except DoesNotFit:
        return True
    known, before = resolution.measured["findings"], touched.before
    return any(
        identity not in before and (
            identity not in known or registry.rule(each.rule).materially_worse(known[identity], _plain(each.facts))
        )
        for identity, each in touched.after.items()
    )
