"""One verdict over many people: who gets the message now, who does not and why, who later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pyroaring import BitMap

from apps.campaigns.models import Run
from apps.campaigns.models.sending import ArmKind
from apps.consent import gate
from apps.core import bitmaps
from apps.core.reasons import Reason

from . import agreements, arms, ledger, limits, peace, serve_first, stand_ins
from .aliases import Aliases
from .reservations import reserved


@dataclass(frozen=True)
class Later:
    """People who may get it from `until` on."""

    until: datetime
    reason: str
    rule: str
    people: BitMap


@dataclass
class Verdict:
    """The people parted: allowed, held out (allowed, but in a control group), refused by (reason, rule), and later."""

    allowed: BitMap
    held_out: BitMap = field(default_factory=BitMap)
    refused: dict[tuple[str, str], BitMap] = field(default_factory=dict)
    later: list[Later] = field(default_factory=list)
    judgement: gate.Judgement | None = None

    def refuse(self, reason: str, rule: str, people: BitMap) -> None:
        """Takes people out of the allowed ones."""
        people = people & self.allowed
        if people:
            key = (str(reason), rule)
            self.refused[key] = self.refused.get(key, BitMap()) | people
            self.allowed = self.allowed - people

    def postpone(self, until: datetime, reason: str, rule: str, people: BitMap, deadline: datetime) -> None:
        """Takes people out until later; whoever would come after the deadline is refused at once."""
        people = people & self.allowed
        if until >= deadline:
            self.refuse(reason, rule, people)
        elif people:
            self.later.append(Later(until, str(reason), rule, people))
            self.allowed = self.allowed - people


def judge(run: Run, people: BitMap, at: datetime, aliases: Aliases) -> Verdict:
    """Judges people of a run who have no ledger row in it yet. The blocks of all their ids must be locked.

    A run that is not stored (another tool asks) has no contacts and no drawn groups of its own: all contacts count.
    """
    verdict = Verdict(allowed=people)
    _gone(verdict)
    _same_person(verdict, run, aliases)
    _gate(verdict, run, at, aliases)
    _peace(verdict, run, at)
    message = run.message
    _serve_first(verdict, run, at, aliases)
    for agreement, group in agreements.left_to_others(message, verdict.allowed, at, aliases):
        verdict.refuse(Reason.AGREED, f"agreement.{agreement.pk}", group)
    verdict.refuse(Reason.OTHER_CHANNEL, stand_ins.RULE, stand_ins.left_out(message, verdict.allowed, at, aliases))
    for barrier, group in limits.over_limit(message, verdict.allowed, at, aliases=aliases, apart_from=run.pk):
        verdict.refuse(barrier.reason, barrier.code, group)
    verdict.held_out = verdict.allowed & held_out_of(run)
    verdict.allowed = verdict.allowed - verdict.held_out
    return verdict


def held_out_of(run: Run) -> BitMap:
    """Everybody whom a control group keeps out of this run."""
    if run.pk is None:
        return arms.control_group(run.message, run.audience)
    groups = run.arms.exclude(kind=ArmKind.VARIANT).values_list("people", flat=True)
    return BitMap.union(BitMap(), *groups)


def gate_again(verdict: Verdict, run: Run, at: datetime, aliases: Aliases, *, with_addresses: bool) -> None:
    """Asks again for those still allowed what may change while a worker holds them, and takes the others out: address, consent,
    do-not-contact list, law, what is open, and the hour: a slow account must not go on into the night.
    """
    _gone(verdict)
    _gate(verdict, run, at, aliases, with_addresses=with_addresses)
    _peace(verdict, run, at)
    _serve_first(verdict, run, at, aliases)


def _gone(verdict: Verdict) -> None:
    gone = bitmaps.from_sql(
        "SELECT id FROM customers_customer WHERE id = ANY(%s) AND (erased_at IS NOT NULL OR undone_at IS NOT NULL)",
        [list(verdict.allowed)],
    )
    verdict.refuse(Reason.ERASED, "", gone)


def _same_person(verdict: Verdict, run: Run, aliases: Aliases) -> None:
    """Of one person with several ids in the audience one keeps the contact: who has it already, else the first."""
    merged = BitMap(customer_id for customer_id in verdict.allowed if aliases.known(customer_id))
    if not merged:
        return
    everybody = aliases.everybody(merged)
    taken = _taken(run, everybody)
    out = BitMap()
    for customer_id in merged:
        group = aliases.group(customer_id) & run.audience
        keeper = (group & taken or group).min()
        if keeper != customer_id:
            out.add(customer_id)
    verdict.refuse(Reason.SAME_PERSON, "", out)


def _taken(run: Run, people: BitMap) -> BitMap:
    held = reserved(people, messages=[run.message_id])
    mine = [each.people for each in held if each.run_id == run.pk]
    return BitMap.union(ledger.reached_by(run, people), *mine)


def _gate(verdict: Verdict, run: Run, at: datetime, aliases: Aliases, *, with_addresses: bool = False) -> None:
    message = run.message
    people = verdict.allowed
    if not people:
        return
    if message.purpose is None:
        verdict.refuse(Reason.NO_CONSENT, "no purpose", people)
        return
    judgement = gate.judge(
        people=aliases.living(people),
        channel=message.channel,
        purpose=message.purpose,
        at=at,
        with_addresses=with_addresses,
    )
    verdict.judgement = judgement
    for reason, group in judgement.denied.items():
        verdict.refuse(reason, judgement.rules.get(reason, ""), aliases.back(group, people))
    for deferral in judgement.deferred:
        group = aliases.back(deferral.people, people)
        verdict.postpone(deferral.until, deferral.reason, deferral.rule, group, run.deadline)
    # Whoever the gate did not name is not allowed: nobody is contacted by omission.
    verdict.refuse(Reason.NO_CONSENT, "", verdict.allowed - aliases.back(judgement.allowed, people))


def _serve_first(verdict: Verdict, run: Run, at: datetime, aliases: Aliases) -> None:
    held = serve_first.held_back(run.message, verdict.allowed, at, aliases)
    verdict.refuse(Reason.SERVE_FIRST, serve_first.RULE, held)


def _peace(verdict: Verdict, run: Run, at: datetime) -> None:
    for closed in peace.closed(run.message, verdict.allowed, at, run.deadline):
        verdict.postpone(closed.until, closed.reason, closed.rule, closed.people, run.deadline)
