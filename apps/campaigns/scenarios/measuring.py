"""The figures of a plan: conflicts left, people over the limit, reach and expected orders. The same for real and tried plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from pyroaring import BitMap

from .. import pacing
from ..calendar.history import sent_contacts
from ..conflicts import pressure, registry, response
from ..conflicts.findings import Finding
from ..conflicts.passes import find
from ..conflicts.snapshot import Plan, PlannedMessage
from ..conflicts.writing import _plain
from ..models import Conflict
from ..models.conflicts import ConflictState, Severity
from ..models.plan import MessageKind


@dataclass(frozen=True)
class Ground:
    """What figures rest on beside the plan: contacts already made, past response, what people accepted as it is.

    ``accepted`` maps the identity of an accepted finding to its agreed facts. ``days`` are those counted for the limit.
    """

    days: Sequence[date]
    sent: Sequence[pressure.Contact] = ()
    past: response.Response = field(default_factory=lambda: response.Response({}))
    accepted: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    def is_undecided(self, finding: Finding) -> bool:
        """Whether it waits for a decision: not accepted, or materially worse than what was accepted."""
        agreed = self.accepted.get(finding.identity)
        return agreed is None or registry.rule(finding.rule).materially_worse(agreed, _plain(finding.facts))


def ground(plan: Plan, *, first: date, last: date) -> Ground:
    """Read from the database, for days from ``first`` to ``last``."""
    days = [first + timedelta(days=place) for place in range((last - first).days + 1)]
    longest = max((pacing.reach(policy) for policy in plan.circumstances.policies), default=timedelta(0))
    start = datetime.combine(first, time.min, plan.zone) - longest
    rows = Conflict.objects.filter(state=ConflictState.ACCEPTED).exclude(agreed_facts=None)
    return Ground(
        days, list(sent_contacts(first=start, now=plan.now)), response.past(now=plan.now),
        {identity: facts or {} for identity, facts in rows.values_list("identity", "agreed_facts")},
    )


@dataclass(frozen=True)
class Measures:
    """``conflicts``: undecided findings by severity. ``over``: people over a limit on some day. ``contacts``: planned contacts
    ahead, a repeating message once; ``people``: how many different people they are. ``orders`` None: no past to go by.
    """

    conflicts: Mapping[int, int]
    touched: int
    over: int
    contacts: int
    people: int
    orders: float | None

    def of_weight(self) -> int:
        """Undecided conflicts of medium severity or more."""
        return sum(count for severity, count in self.conflicts.items() if severity >= Severity.MEDIUM)

    def plain(self) -> dict[str, Any]:
        """As stored beside a what-if."""
        return {**asdict(self), "conflicts": {str(key): value for key, value in sorted(self.conflicts.items())}}


def measure(plan: Plan, grounds: Ground) -> Measures:
    """All figures of the plan, people counted exactly."""
    found = undecided(plan, grounds)
    ahead = list(upcoming(plan))
    assert plan.people is not None
    plan.people.fetch(ahead)
    serious = [finding.people for finding in found if finding.severity >= Severity.MEDIUM and finding.people]
    return Measures(
        conflicts=dict(Counter(int(finding.severity) for finding in found)),
        touched=len(BitMap.union(BitMap(), *serious)),
        over=len(over_limit(plan, grounds)),
        contacts=sum(len(plan.people.of(message)) for message in ahead),
        people=len(BitMap.union(BitMap(), *(plan.people.of(message) for message in ahead))),
        orders=orders(plan, ahead, grounds),
    )


def undecided(plan: Plan, grounds: Ground) -> list[Finding]:
    """What is found and waits for a decision."""
    return [finding for finding in find(plan) if grounds.is_undecided(finding)]


def upcoming(plan: Plan) -> Iterator[PlannedMessage]:
    """Messages to people that still lie ahead."""
    for message in plan.messages.values():
        if message.kind != MessageKind.UNADDRESSED and any(end > plan.now for _start, end in message.windows):
            yield message


def orders(plan: Plan, messages: Iterable[PlannedMessage], grounds: Ground) -> float | None:
    """Orders expected of these messages, each audience by its own past; None without a basis."""
    assert plan.people is not None
    parts = [grounds.past.expected(plan.people.of(message), message.channel) for message in messages]
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def over_limit(plan: Plan, grounds: Ground) -> BitMap:
    """Everybody who is over some contact policy on some of the days."""
    if not grounds.days or not plan.circumstances.policies:
        return BitMap()
    by_day = pressure.over_any(contacts_of(plan, grounds), plan.circumstances.policies, days=grounds.days, zone=plan.zone)
    return BitMap.union(BitMap(), *by_day.values())


def contacts_of(plan: Plan, grounds: Ground) -> list[pressure.Contact]:
    """Contacts made and planned that can count on one of the days."""
    longest = max((pacing.reach(policy) for policy in plan.circumstances.policies), default=timedelta(0))
    first = datetime.combine(grounds.days[0], time.min, plan.zone) - longest
    last = datetime.combine(grounds.days[-1] + timedelta(days=1), time.min, plan.zone)
    return [*grounds.sent, *pressure.planned_contacts(plan, first=first, last=last)]
