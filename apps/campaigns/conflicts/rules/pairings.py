"""Offers that have to do with each other: never both, never soon after, only with, never twice."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext
from pyroaring import BitMap

from ...models.conflicts import Severity
from ...models.constraints import PairingKind
from ..circumstances import OfferSide, PlannedPairing
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedMessage, PlannedOffer


@dataclass(frozen=True, slots=True)
class _Contact:
    """One offer told to some people at one moment; ``message`` is None for what the ledger says was sent."""

    offer: PlannedOffer
    campaign_id: int
    message_id: int
    at: datetime
    day: date
    is_ahead: bool
    message: PlannedMessage | None = None
    sent: BitMap | None = None

    def people(self, plan: Plan) -> BitMap:
        if self.sent is not None:
            return self.sent
        assert plan.people is not None
        assert self.message is not None
        return plan.people.of(self.message)


@dataclass
class _Group:
    """What one pairing has against one pair of campaigns (or one), gathered contact by contact."""

    people: BitMap = field(default_factory=BitMap)
    met: list[tuple[_Contact, _Contact]] = field(default_factory=list)

    def add(self, first: _Contact, second: _Contact, people: BitMap) -> None:
        self.people |= people
        self.met.append((first, second))


class PairingsRule(Rule):
    __doc__ = gettext_noop(
        "Administrators have said what two offers, or everything in two categories, have to do with each other: never both to one "
        "person, the second never soon after the first, the second only to people who got the first, or the same offer never twice "
        "from different campaigns. People are counted exactly, and what was already sent counts with those whom it really reached. "
        "What is printed or broadcast for everybody takes no part."
    )
    code = "pairings"
    title = _("Offers that do not go together")

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per pairing and pair of campaigns; per campaign where the other side has already been sent or is missing."""
        pairings = plan.circumstances.pairings
        if not pairings:
            return
        contacts = sorted(_contacts(plan, pairings), key=lambda contact: (contact.at, contact.message_id))
        for pairing in pairings:
            firsts = [contact for contact in contacts if _is_of(pairing.first, contact.offer)]
            seconds = firsts if pairing.kind == PairingKind.NO_DUPLICATE else [
                contact for contact in contacts if _is_of(pairing.second, contact.offer)
            ]
            if plan.people is None:
                yield from self._possible(plan, pairing, firsts, seconds)
                continue
            search = _alone if pairing.kind == PairingKind.ONLY_WITH else _together
            plan.people.fetch(contact.message for contact in (*firsts, *seconds) if contact.message)
            for subjects, group in sorted(search(plan, pairing, firsts, seconds).items()):
                if group.people:
                    yield self._finding(plan, pairing, subjects, group)

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Another kind or distance than agreed, other offers, or clearly more people."""
        return now["terms"] != agreed["terms"] or not set(now["offers"]) <= set(agreed["offers"]) or grown(agreed, now)

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which offers, to how many people, against what."""
        count = people or 0
        if facts.get("terms", [""])[0] == PairingKind.ONLY_WITH:
            return ngettext(
                "%(first)s (%(first_department)s) offers %(second_offer)s to %(people)s person who did not get what has to come "
                "before it (%(name)s).",
                "%(first)s (%(first_department)s) offers %(second_offer)s to %(people)s people who did not get what has to come "
                "before it (%(name)s).",
                count,
            )
        if facts.get("is_pair"):
            return ngettext(
                "%(first)s (%(first_department)s) and %(second)s (%(second_department)s) offer %(first_offer)s and %(second_offer)s "
                "to %(people)s same person, which is not to be (%(name)s).",
                "%(first)s (%(first_department)s) and %(second)s (%(second_department)s) offer %(first_offer)s and %(second_offer)s "
                "to %(people)s of the same people, which is not to be (%(name)s).",
                count,
            )
        return ngettext(
            "%(first)s (%(first_department)s) offers %(second_offer)s to %(people)s person who gets or got %(first_offer)s, which is "
            "not to be (%(name)s).",
            "%(first)s (%(first_department)s) offers %(second_offer)s to %(people)s people who get or got %(first_offer)s, which is "
            "not to be (%(name)s).",
            count,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The offers and the name of the pairing."""
        return {key: facts.get(key, "") for key in ("first_offer", "second_offer", "name")}

    def _possible(
        self, plan: Plan, pairing: PlannedPairing, firsts: list[_Contact], seconds: list[_Contact]
    ) -> Iterator[Finding]:
        """All that the people pass could find, so that what it found earlier stays till it has counted again."""
        ahead = {contact.campaign_id for contact in (*firsts, *seconds) if contact.is_ahead and plan.in_focus(contact.campaign_id)}
        every = {contact.campaign_id for contact in (*firsts, *seconds)}
        pairs = {(min(one, two), max(one, two)) for one in ahead for two in every if one != two}
        for subjects in sorted([(one,) for one in ahead] + list(pairs)):
            moments = [each.at for each in (*firsts, *seconds) if each.is_ahead and each.campaign_id in subjects]
            yield Finding(
                rule=self.code, subjects=(pairing.id, *subjects), campaigns=(subjects[0], subjects[1] if len(subjects) == 2 else None),
                severity=int(Severity.HIGH), at=min(moments),
            )

    def _finding(self, plan: Plan, pairing: PlannedPairing, subjects: tuple[int, ...], group: _Group) -> Finding:
        met = [(one, two) for one, two in group.met if one.is_ahead or two.is_ahead]
        is_pair = len(subjects) == 2
        first, second = min(met, key=lambda pair: max(pair[0].at, pair[1].at))
        if is_pair and first.campaign_id != subjects[0]:
            first, second = second, first
        facts = {
            "pairing": pairing.id, "name": pairing.name, "terms": [str(pairing.kind), pairing.days], "is_pair": is_pair,
            "first_offer": first.offer.name, "second_offer": second.offer.name, "people": len(group.people),
            "first_at": first.at.isoformat(), "second_at": second.at.isoformat(), "severity": int(Severity.HIGH),
            "offers": sorted({contact.offer.id for both in met for contact in both}),
        }
        if is_pair:
            sizes = [plan.size(campaign) for campaign in subjects]
            facts |= {"first_audience": sizes[0], "second_audience": sizes[1]}
        sides = [
            {contact.message_id for both in met for contact in both if contact.campaign_id == campaign and contact.message}
            for campaign in subjects
        ]
        only = [side.pop() if len(side) == 1 else None for side in sides]
        return Finding(
            rule=self.code, subjects=(pairing.id, *subjects), campaigns=(subjects[0], subjects[1] if is_pair else None),
            severity=int(Severity.HIGH), messages=(only[0], only[1] if is_pair else None), people=group.people,
            at=min(contact.at for both in met for contact in both if contact.is_ahead), facts=facts,
        )


def _contacts(plan: Plan, pairings: tuple[PlannedPairing, ...]) -> Iterator[_Contact]:
    """What is planned from now on (what other tools send: at any time) and, with people, what the ledger says was sent."""
    for message in plan.messages.values():
        if message.offer is None or message.is_public or message.is_safety:
            continue
        for start, end in message.windows:
            if end >= plan.now or message.kind == "elsewhere":
                day = start.astimezone(plan.zone).date()
                yield _Contact(message.offer, message.campaign_id, message.id, start, day, end >= plan.now, message)
    if plan.people is not None:
        since = plan.now - timedelta(days=max(plan.parameters.look_back_days, *(pairing.days + 1 for pairing in pairings)))
        for sent in plan.people.sources.sent_offers(since=since, now=plan.now):
            day = sent.at.astimezone(plan.zone).date()
            yield _Contact(sent.offer, sent.campaign_id, sent.message_id, sent.at, day, False, sent=sent.people)


def _is_of(side: OfferSide, offer: PlannedOffer) -> bool:
    if side.offer_id is not None:
        return offer.id == side.offer_id
    return bool(side.path) and offer.path.startswith(side.path)


def _near(contacts: list[_Contact], first: date, last: date) -> list[_Contact]:
    """Those from the first to the last day; contacts are sorted by time, and so by day."""
    low = bisect_left(contacts, first, key=lambda contact: contact.day)
    return contacts[low:bisect_right(contacts, last, key=lambda contact: contact.day)]


def _subjects(plan: Plan, first: _Contact, second: _Contact) -> tuple[int, ...]:
    """Both campaigns where both are in the plan, else the one that is still ahead."""
    if first.campaign_id != second.campaign_id and first.campaign_id in plan.campaigns and second.campaign_id in plan.campaigns:
        return tuple(sorted((first.campaign_id, second.campaign_id)))
    return ((second if second.is_ahead else first).campaign_id,)


def _together(
    plan: Plan, pairing: PlannedPairing, firsts: list[_Contact], seconds: list[_Contact]
) -> dict[tuple[int, ...], _Group]:
    """People who get both, as the pairing forbids."""
    span, groups = timedelta(days=pairing.days), defaultdict[tuple[int, ...], _Group](_Group)
    for second in seconds:
        last = second.day if pairing.kind == PairingKind.NEVER_AFTER else second.day + span
        for first in _near(firsts, second.day - span, last):
            if _clash(pairing, first, second) and plan.in_focus(first.campaign_id, second.campaign_id):
                both = first.people(plan) & second.people(plan)
                if both:
                    groups[_subjects(plan, first, second)].add(first, second, both)
    return groups


def _clash(pairing: PlannedPairing, first: _Contact, second: _Contact) -> bool:
    if first is second or not (first.is_ahead or second.is_ahead):
        return False
    if pairing.kind == PairingKind.NO_DUPLICATE:
        return first.offer.id == second.offer.id and first.campaign_id < second.campaign_id
    if pairing.kind == PairingKind.NEVER_AFTER:
        return second.is_ahead and first.at <= second.at and first.message_id != second.message_id
    return first.message_id != second.message_id


def _alone(
    plan: Plan, pairing: PlannedPairing, firsts: list[_Contact], seconds: list[_Contact]
) -> dict[tuple[int, ...], _Group]:
    """People who get the second without having got the first on that day or up to so many days before."""
    groups = defaultdict[tuple[int, ...], _Group](_Group)
    for second in seconds:
        if not second.is_ahead or not plan.in_focus(second.campaign_id):
            continue
        near = _near(firsts, second.day - timedelta(days=pairing.days), second.day)
        had = BitMap.union(BitMap(), *(first.people(plan) for first in near))
        if missing := second.people(plan) - had:
            groups[second.campaign_id,].add(second, second, missing)
    return groups
