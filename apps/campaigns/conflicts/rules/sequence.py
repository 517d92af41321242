"""A reminder comes before what it reminds of, or a follow-up waits for something that cannot happen any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from ...models.conflicts import Severity
from ..findings import Facts, Finding
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage

FOLLOWS, TRIGGER = 1, 2


class SequenceRule(Rule):
    __doc__ = gettext_noop(
        "Two messages stand in the wrong order. A reminder is planned before the message that it comes after, or that message was "
        "stopped or cancelled. Or a message is for people who got, opened or answered another one, and that other one goes out only "
        "afterwards, was stopped or was cancelled, so that nobody can meet the condition any more."
    )
    code = "sequence"
    title = _("In the wrong order")
    speaks_early = True

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per message and message that it builds on."""
        for message in plan.messages.values():
            if not plan.in_focus(message.campaign_id):
                continue
            ahead = [start for start, end in message.windows if end >= plan.now]
            if ahead:
                for relation, other in _builds_on(message):
                    if wrong := _wrong(plan, message, relation, other):
                        yield self._finding(plan, message, relation, other, wrong, min(ahead))

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Wrong for another reason than the one agreed on."""
        return now["wrong"] != agreed["wrong"]

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which message waits for which, and why in vain."""
        return {
            "early": gettext("%(message)s of %(first)s is planned for %(days)s, before %(second_message)s, which it comes after."),
            "stopped": gettext("%(message)s of %(first)s comes after %(second_message)s, which was stopped."),
            "cancelled": gettext("%(message)s of %(first)s comes after %(second_message)s, which was cancelled."),
            "trigger_early": gettext(
                "%(message)s of %(first)s, planned for %(days)s, is for people who answered %(second_message)s, which goes out only "
                "afterwards."
            ),
            "trigger_stopped": gettext("%(message)s of %(first)s is for people who answered %(second_message)s, which was stopped."),
            "trigger_cancelled": gettext("%(message)s of %(first)s is for people who answered %(second_message)s, which was cancelled."),
            "trigger_gone": gettext("%(message)s of %(first)s is for people who answered a message that does not exist any more."),
        }[facts["wrong"]]

    def _finding(
        self, plan: Plan, message: PlannedMessage, relation: int, other: int, wrong: str, at: datetime
    ) -> Finding:
        prefix = "trigger_" if relation == TRIGGER else ""
        facts: dict[str, Any] = {
            "wrong": prefix + wrong, "days": [at.astimezone(plan.zone).date().isoformat()], "severity": int(Severity.HIGH),
        }
        people = None
        if plan.people is not None:
            people = plan.people.of(message)
            facts["people"] = len(people)
        is_known = other in plan.messages or other in plan.absent
        return Finding(
            rule=self.code, subjects=(relation, message.id, other), campaigns=(message.campaign_id, None),
            severity=int(Severity.HIGH), messages=(message.id, other if is_known else None), people=people, at=at, facts=facts,
        )


def _builds_on(message: PlannedMessage) -> Iterator[tuple[int, int]]:
    if message.follows_id is not None and message.follows_id != message.id:
        yield FOLLOWS, message.follows_id
    for trigger in message.triggers:
        if trigger != message.id:
            yield TRIGGER, trigger


def _wrong(plan: Plan, message: PlannedMessage, relation: int, other: int) -> str:
    """``early``, ``stopped``, ``cancelled`` or ``gone``; empty when the order is right.

    A reminder is early when its first time lies before the other's first time; a follow-up is in vain when even its last time
    is not after the other's first, since then nobody can have answered yet.
    """
    if other in plan.absent:
        absent = plan.absent[other]
        first: datetime | None = absent.first_at
        # What had gone out before it was stopped was heard of all the same.
        if absent.is_over and absent.first_at >= plan.now:
            return "stopped" if absent.is_stopped else "cancelled"
    elif other in plan.messages:
        first = min((start for start, _end in plan.messages[other].windows), default=None)
    else:
        return "gone" if relation == TRIGGER else ""
    if first is None:
        return ""
    own = [start for start, _end in message.windows]
    if relation == FOLLOWS:
        return "early" if min(own) < first else ""
    return "early" if max(own) <= first else ""
