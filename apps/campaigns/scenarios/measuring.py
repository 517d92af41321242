"""The figures of a plan: conflicts left, people over the limit, reach and expected orders. The same for real and tried plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from pyroaring import BitMap

from .. import pacing
from ..conflicts import pressure, registry, response
from ..conflicts.findings import Finding
from ..conflicts.passes import find
from ..conflicts.snapshot import Plan, PlannedMessage
from ..conflicts.writing import SETTLED, _plain
from ..models import Conflict
from ..models.conflicts import ResolutionAction, Severity
from ..models.plan import MessageKind
from .trial import Step

LIMIT = "pressure"


@dataclass(frozen=True)
class Ground:
    """What figures rest on beside the plan: the days counted for limits, past response, what people settled as it is.

    ``settled`` maps the identity of a finding to the facts agreed on. ``held``: identities of findings whose people are left
    out, each with the messages that leave them out: because both leads hold to the limit, or a change tried would.
    """

    days: Sequence[date]
    past: response.Response = field(default_factory=lambda: response.Response({}))
    settled: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    held: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def holding(self, steps: Iterable[Step]) -> Ground:
        """The same where these changes leave out the people of findings of one campaign alone."""
        alone = [step.parameters for step in steps if "identity" in step.parameters]
        return replace(self, held={**self.held, **{each["identity"]: frozenset(each["messages"]) for each in alone}})

    def is_undecided(self, finding: Finding) -> bool:
        """Whether it waits for a decision: not settled as it is, or materially worse than what was settled."""
        if finding.identity in self.held:
            return False
        agreed = self.settled.get(finding.identity)
        return agreed is None or registry.rule(finding.rule).materially_worse(agreed, _plain(finding.facts))


def ground(plan: Plan, *, first: date, last: date) -> Ground:
    """Read from the database, for days from ``first`` to ``last``."""
    days = [first + timedelta(days=place) for place in range((last - first).days + 1)]
    rows = Conflict.objects.filter(state__in=SETTLED).exclude(agreed_facts=None)
    agreed = rows.values_list("identity", "agreed_facts", "settled_by__action", "first_message")
    held = {identity: frozenset({message}) for identity, _facts, action, message in agreed if action == ResolutionAction.CAP and message}
    return Ground(days, response.past(now=plan.now), {identity: facts or {} for identity, facts, _action, _message in agreed}, held)


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

    @property
    def blocking(self) -> int:
        """Undecided conflicts that block."""
        return self.conflicts.get(int(Severity.BLOCK), 0)

    @property
    def high(self) -> int:
        """Undecided conflicts of high severity."""
        return self.conflicts.get(int(Severity.HIGH), 0)

    @property
    def medium(self) -> int:
        """Undecided conflicts of medium severity."""
        return self.conflicts.get(int(Severity.MEDIUM), 0)

    def plain(self) -> dict[str, Any]:
        """As stored beside a what-if."""
        return {**asdict(self), "conflicts": {str(key): value for key, value in sorted(self.conflicts.items())}}


def measure(plan: Plan, grounds: Ground) -> Measures:
    """All figures of the plan, people counted exactly; whom a limit is to hold back is neither over it nor reached."""
    every = find(plan)
    found = [finding for finding in every if grounds.is_undecided(finding)]
    ahead, left_out = list(upcoming(plan)), refused(every, grounds)
    assert plan.people is not None
    plan.people.fetch(ahead)
    reached = {message.id: plan.people.of(message) - left_out.get(message.id, BitMap()) for message in ahead}
    serious = [finding.people or BitMap() for finding in found if finding.severity >= Severity.MEDIUM and finding.count]
    expected = [grounds.past.expected(reached[message.id], message.channel) for message in ahead]
    known = [part for part in expected if part is not None]
    return Measures(
        conflicts=dict(Counter(int(finding.severity) for finding in found)),
        touched=len(BitMap.union(BitMap(), *serious)), over=len(over_limit(plan, grounds, left_out)),
        contacts=sum(len(people) for people in reached.values()), people=len(BitMap.union(BitMap(), *reached.values())),
        orders=sum(known) if known else None,
    )


def undecided(plan: Plan, grounds: Ground) -> list[Finding]:
    """What is found and waits for a decision."""
    return [finding for finding in find(plan) if grounds.is_undecided(finding)]


def refused(findings: Iterable[Finding], grounds: Ground) -> dict[int, BitMap]:
    """Message -> who is left out of it for a finding of its campaign alone."""
    found: dict[int, BitMap] = {}
    for finding in findings:
        for message_id in grounds.held.get(finding.identity, ()):
            found[message_id] = found.get(message_id, BitMap()) | (finding.people or BitMap())
    return found


def upcoming(plan: Plan) -> Iterator[PlannedMessage]:
    """Messages to people that still lie ahead."""
    for message in plan.messages.values():
        if message.kind != MessageKind.UNADDRESSED and any(end > plan.now for _start, end in message.windows):
            yield message


def over_limit(plan: Plan, grounds: Ground, refused: Mapping[int, BitMap] | None = None) -> BitMap:
    """Everybody who is over some contact policy on some of the days."""
    return BitMap.union(BitMap(), *over_by_day(plan, grounds, refused).values())


def over_by_day(plan: Plan, grounds: Ground, refused: Mapping[int, BitMap] | None = None) -> dict[date, BitMap]:
    """For each of the days everybody who is over some contact policy, less those who are ``refused`` a message."""
    policies = plan.circumstances.policies
    if not grounds.days or not policies or plan.people is None:
        return {day: BitMap() for day in grounds.days}
    first = datetime.combine(grounds.days[0], time.min, plan.zone) - max(pacing.reach(policy) for policy in policies)
    last = datetime.combine(grounds.days[-1] + timedelta(days=1), time.min, plan.zone)
    sent = [each for each in plan.people.sent(first=min(first, plan.now), now=plan.now) if each.at >= first]
    planned = [
        replace(each, people=each.people - refused[each.message_id]) if refused and each.message_id in refused else each
        for each in pressure.planned_contacts(plan, first=first, last=last)
    ]
    return pressure.over_any([*sent, *planned], policies, days=grounds.days, zone=plan.zone)
