"""Who keeps the shared people when nobody decides in time: the installation's policy, carried out before anything is sent.

A pair of agreed campaigns whose conflict of weight is past its time to decide by is settled once: by an agreement that binds
when sending like any other, or by accepting, as the policy says. Its trace stands in the history and both leads are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from apps.accounts import audit, notifications

from ..models import Campaign, Conflict, ConflictSettings, Message, Resolution
from ..models.conflicts import ResolutionAction, Severity
from ..models.plan import BINDING_STATUSES
from ..models.policy import Undecided
from ..sending.planned import priority
from . import agree, news, pairs, resolve, settling
from .wayout import WayOut
from .writing import UNDECIDED


@dataclass(frozen=True)
class Default:
    """What the policy says about one pair. ``keeper`` is None when both send."""

    policy: str
    keeper: Campaign | None
    yielder: Campaign | None


def overdue(now: datetime) -> QuerySet[Conflict]:
    """Conflicts that the policy decides now: of weight, with people in both, both campaigns agreed, nobody decided in time."""
    return Conflict.objects.filter(
        state__in=UNDECIDED, severity__gte=Severity.MEDIUM, decide_by__lte=now, defaulted_at=None, people_count__gt=0,
        first_campaign__status__in=BINDING_STATUSES, second_campaign__status__in=BINDING_STATUSES,
    )


def decide_overdue(*, now: datetime) -> int:
    """Lets the policy decide whatever nobody decided in time. Once for each pair, also from several workers at the same time."""
    decided = 0
    for conflict in overdue(now).only("first_campaign", "second_campaign").order_by("pk"):
        decided += _decide(conflict, now)
    return decided


@transaction.atomic
def _decide(conflict: Conflict, now: datetime) -> bool:
    conflict = agree.locked(conflict, now)
    if not overdue(now).filter(pk=conflict.pk).exists():
        return False
    default = of(conflict)
    way = _way(conflict, default, now)
    # What leaving people out does not settle (a public side, say) stays open for people to decide, and is not tried again.
    pairs.rows(conflict).filter(state__in=UNDECIDED).update(defaulted_at=now)
    if default.keeper is None or way is not None:
        settling.apply(_resolution(conflict, default, way, now), actor=None, now=now)
    _tell(conflict, default, way, now)
    return True


def _way(conflict: Conflict, default: Default, now: datetime) -> WayOut | None:
    """The other side leaves the keeper's people out; where it cannot any more, the keeper leaves out whom that one reached."""
    if default.keeper is None or default.yielder is None:
        return None
    ways = {way.campaign_id: way for way in resolve.leave_outs(conflict, now=_just_before(conflict, now))}
    return ways.get(default.yielder.pk) or ways.get(default.keeper.pk)


def _just_before(conflict: Conflict, now: datetime) -> datetime:
    """The moment from which the policy holds: what begins exactly when it decides is still to come."""
    return min(now, conflict.decide_by or now) - timedelta(seconds=1)


def _resolution(conflict: Conflict, default: Default, way: WayOut | None, now: datetime) -> Resolution:
    facts = {row.identity: row.facts for row in pairs.undecided(conflict)}
    made = Resolution.objects.create(
        conflict=conflict, action=ResolutionAction.LEAVE_OUT if way else ResolutionAction.ACCEPT, proposed_at=now,
        parameters={
            **(way.parameters if way else {}), "key": way.key if way else "accept", "policy": default.policy,
            "since": _just_before(conflict, now).isoformat(),
        },
        measured={**(way.measured() if way else {}), "findings": facts}, reason=str(Undecided(default.policy).label),
    )
    made.needs_departments.set(agree.departments(conflict))
    audit.record(
        actor=None, action="conflict.defaulted", subject=conflict, now=now,
        after={"resolution": made.pk, "policy": default.policy, "keeps": default.keeper.pk if default.keeper else None},
    )
    return made


def of(conflict: Conflict, policy: str | None = None) -> Default:
    """What the policy in force says about the pair: the page tells it, and the same is carried out."""
    policy = policy or ConflictSettings.current().undecided
    if policy == Undecided.NOBODY or conflict.second_campaign is None:
        return Default(policy, None, None)
    sides = [conflict.first_campaign, conflict.second_campaign]
    messages = list(Message.objects.filter(campaign__in=sides).select_related("purpose", "campaign").defer("plan_audience"))
    rank = {
        side.pk: (*_precedence(side, name, conflict, policy, messages), side.pk)
        for side, name in zip(sides, ("first", "second"), strict=True)
    }
    keeper, yielder = sorted(sides, key=lambda side: rank[side.pk])
    return Default(policy, keeper, yielder)


def _precedence(side: Campaign, name: str, conflict: Conflict, policy: str, messages: Iterable[Message]) -> tuple:
    """Smaller goes first: by priority (unless the policy is the earlier one), then by the moment of the contact."""
    named = conflict.facts.get(f"{name}_messages")
    involved = [each for each in messages if each.campaign_id == side.pk and (not named or each.pk in named)]
    moment = conflict.facts.get(f"{name}_at") or str(side.starts_on)
    weight = -max((priority(message) for message in involved), default=side.priority)
    return (moment,) if policy == Undecided.EARLIER else (weight, moment)


def _tell(conflict: Conflict, default: Default, way: WayOut | None, now: datetime) -> None:
    sides = [side.name for side in (conflict.first_campaign, conflict.second_campaign) if side]
    params: dict[str, Any] = {"campaigns": sides, "n": conflict.people_count or 0}
    if default.keeper is None:
        words = gettext_noop("Nobody decided in time: %(campaigns)s both reach %(n)s people")
    elif way is None:
        words = gettext_noop("Nobody decided in time, and nobody can be left out: %(campaigns)s")
    else:
        words = gettext_noop("Nobody decided in time: %(keeper)s keeps %(n)s people (%(campaigns)s)")
        params["keeper"] = default.keeper.name
    notifications.notify_leads(
        departments=agree.departments(conflict), code="conflict.defaulted", text=words, params=params,
        url=news.address(conflict), now=now,
    )  # fmt: skip
