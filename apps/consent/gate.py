"""The gate: may these people be contacted on this channel, for this purpose, at this moment? One verdict over all.

Asked in this order, so that the first reason that holds is the one told: a valid address, the person's own consent, the
do-not-contact list, the law of where they live. Merged people count as one: the most restrictive of what they said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pyroaring import BitMap

from apps.core.reasons import Reason

from . import addresses, aliases, jurisdictions, ledger, suppression
from .addresses import ContactAddress
from .jurisdictions import Deferral
from .models import Purpose, PurposeClass

__all__ = ["ContactAddress", "Deferral", "Judgement", "Step", "judge"]


@dataclass(frozen=True)
class Step:
    """One question of the gate: who was left after it, whom it denied and for what reason."""

    code: str
    people: BitMap
    denied: dict[str, BitMap]


@dataclass
class Judgement:
    """Everybody asked about stands in exactly one of ``allowed``, ``denied`` (by reason) and ``deferred``.

    ``rules`` names the rule behind a reason. ``addresses`` is filled only when asked for, with the allowed people.
    """

    people: BitMap
    channel: str
    purpose: Purpose
    at: datetime
    allowed: BitMap
    denied: dict[str, BitMap] = field(default_factory=dict)
    deferred: list[Deferral] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)
    addresses: dict[int, ContactAddress] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    _evidence: dict[int, int] | None = None

    def evidence(self, customer_id: int) -> int | None:
        """The ledger line that decides what this person agreed to; None where nothing was ever said."""
        return self.evidences().get(customer_id)

    def evidences(self) -> dict[int, int]:
        """id -> ledger line for all the people, read once on first use."""
        if self._evidence is None:
            members = {customer_id: [customer_id] for customer_id in self.people}
            for absorbed, survivor in self.merged.items():
                members[survivor].append(absorbed)
            states = ledger.state(self.people, self.channel, self.purpose, members)
            self._evidence = {customer_id: state.event_id for customer_id, state in states.items()}
        return self._evidence

    def reason_of(self, customer_id: int) -> str:
        """The reason why somebody was denied or deferred; empty for the allowed."""
        for reason, people in self.denied.items():
            if customer_id in people:
                return reason
        return next((each.reason for each in self.deferred if customer_id in each.people), "")

    def _ask(self, code: str, verdict: dict[str, BitMap]) -> None:
        denied = {}
        for reason, people in verdict.items():
            out = people & self.allowed
            if out:
                denied[str(reason)] = out
                self.denied[str(reason)] = self.denied.get(str(reason), BitMap()) | out
                self.rules.setdefault(str(reason), code)
                self.allowed = self.allowed - out
        self.steps.append(Step(code, self.allowed, denied))


def judge(*, people: BitMap, channel: str, purpose: Purpose, at: datetime, with_addresses: bool = False) -> Judgement:
    """Judges everybody set-wise by what is known now; ``at`` is the moment of the contact, for validity and hours.

    ``with_addresses`` also gives the address in force of everybody allowed, in the same order of preference.
    """
    judgement = Judgement(people, channel, purpose, at, allowed=BitMap(people))
    if not people:
        judgement.steps = [Step(code, BitMap(), {}) for code in ("address", "consent", "suppression", "jurisdiction")]
        return judgement
    judgement.merged = aliases.absorbed_into(people)
    judgement._ask("address", _without_address(judgement))
    judgement._ask("consent", _without_consent(judgement))
    blocked = suppression.blocked(judgement.allowed, channel, at, judgement.merged)
    judgement._ask("suppression", {str(reason): members for reason, members in blocked.people.items()})
    _ask_the_law(judgement)
    if with_addresses:
        judgement.addresses = addresses.chosen(judgement.allowed, channel, at, dead=blocked.dead)
    return judgement


def _without_address(judgement: Judgement) -> dict[str, BitMap]:
    kind = addresses.kind_of(judgement.channel)
    if not kind:
        return {}
    return {Reason.NO_ADDRESS: judgement.allowed - addresses.having(judgement.allowed, kind, judgement.at)}


def _without_consent(judgement: Judgement) -> dict[str, BitMap]:
    """Safety rests on the law and asks nobody; service rests on the contract and honours a no; the rest needs a yes."""
    purpose = judgement.purpose
    if not purpose.needs_consent and purpose.purpose_class == PurposeClass.SAFETY:
        return {}
    yes, no = ledger.said(judgement.allowed, judgement.channel, purpose, judgement.merged)
    silent = judgement.allowed - yes - no if purpose.needs_consent else BitMap()
    return {Reason.WITHDRAWN: no, Reason.NO_CONSENT: silent}


def _ask_the_law(judgement: Judgement) -> None:
    rulings = jurisdictions.judge(judgement.allowed, judgement.channel, judgement.purpose, judgement.at)
    denied: dict[str, BitMap] = {}
    later = BitMap()
    for code, ruling in rulings:
        if ruling.denied:
            denied[ruling.reason] = denied.get(ruling.reason, BitMap()) | ruling.denied
            judgement.rules.setdefault(str(ruling.reason), code)
        judgement.deferred += ruling.deferred
        later |= BitMap.union(BitMap(), *[each.people for each in ruling.deferred])
    judgement.allowed = judgement.allowed - later
    judgement._ask("jurisdiction", denied)
