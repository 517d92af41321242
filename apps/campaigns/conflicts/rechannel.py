"""The way out over another channel: the shared people get the yielding side's message there instead, as far as they can be reached.

Whoever has no address or gave no consent on the other channel loses the message. The people still get both campaigns, so what
is about the people or the offer and not about the channel remains: the measure tells what does, and what would arise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from pyroaring import BitMap

from apps.channels.kinds import ADDRESS_KIND
from apps.channels.models import ChannelAccount
from apps.consent import gate
from apps.consent.models import Purpose

from ..models import Message
from ..models.conflicts import ResolutionAction, Severity
from . import response
from .findings import Finding
from .passes import find
from .snapshot import Plan, PlannedAgreement, PlannedCampaign, PlannedMessage
from .wayout import MOVABLE, Pair, WayOut, can_yield, of_side, people_of


@dataclass
class _Reach:
    """Who can be reached on a channel for a purpose: the gate is asked once for each, about everybody in question."""

    plan: Plan
    people: BitMap
    purposes: dict[int, Purpose]
    known: dict[tuple[str, int], BitMap] = field(default_factory=dict)

    def of(self, channel: str, purpose_id: int | None) -> BitMap:
        """Those of the people with an address and consent there; later hours do not matter."""
        purpose = self.purposes.get(purpose_id or 0)
        if purpose is None:
            return BitMap()
        key = (channel, purpose.pk)
        if key not in self.known:
            judgement = gate.judge(people=self.people, channel=channel, purpose=purpose, at=self.plan.now)
            self.known[key] = self.people - BitMap.union(BitMap(), *judgement.denied.values())
        return self.known[key]


@dataclass(frozen=True)
class _Side:
    """One direction: the messages that lose people, and the agreement under which they do."""

    campaign: PlannedCampaign
    kept: list[PlannedMessage]
    agreement: PlannedAgreement
    lost: list[tuple[PlannedMessage, BitMap]]

    @property
    def shared(self) -> BitMap:
        """Everybody whom a message of it would leave out."""
        return BitMap.union(BitMap(), *(people for _message, people in self.lost))


def ways(pair: Pair, past: response.Response) -> Iterator[WayOut]:
    """For either side and each channel that can send: the shared people written to there instead, measured."""
    sides = [side for side in _sides(pair) if side.lost]
    everybody = BitMap.union(BitMap(), *(side.shared for side in sides))
    if not everybody:
        return
    reach = _Reach(pair.plan, everybody, Purpose.objects.in_bulk())
    offered, before, ids = _offered(), _weighty(find(pair.plan)), count(-1, -1)
    for side in sides:
        taken = {message.channel for message in side.campaign.messages}
        for channel, account in offered.items():
            reached = [(each.over(channel, account), people & reach.of(channel, each.purpose_id)) for each, people in side.lost]
            if channel not in taken and any(people for _message, people in reached):
                yield _measured(pair, side, channel, reached, before, ids, past)


def _offered() -> dict[str, int | None]:
    """Channels with an address of their own on which an account can send, in the order in which they are listed everywhere, each
    with that account where there is no choice.
    """
    accounts: dict[str, list[int]] = {}
    for channel, pk in ChannelAccount.objects.filter(is_active=True, is_elsewhere=False).values_list("channel", "pk"):
        accounts.setdefault(channel, []).append(pk)
    return {
        channel: accounts[channel][0] if len(accounts[channel]) == 1 else None for channel in ADDRESS_KIND if channel in accounts
    }


def _sides(pair: Pair) -> Iterator[_Side]:
    plan, only = pair.plan, pair.only()
    named = _named(pair.campaigns)
    for yielding, keeping in (pair.campaigns, pair.campaigns[::-1]):
        if yielding.status not in MOVABLE:
            continue
        ahead = [each for each in of_side(yielding, only[yielding.id]) if can_yield(plan, each)]
        kept = [each for each in of_side(keeping, only[keeping.id]) if not each.is_public and each.id in named]
        bound = PlannedAgreement(
            yielding.id, keeping.id, frozenset(each.id for each in kept), plan.now, only[yielding.id], only[keeping.id],
            yielding=frozenset(each.id for each in ahead),
        )
        then = plan.with_agreement(bound)
        lost = [(each, people_of(plan, [each]) - people_of(then, [each])) for each in ahead]
        yield _Side(yielding, kept, bound, [(each, people) for each, people in lost if people])


def _named(campaigns: Iterable[PlannedCampaign]) -> set[int]:
    """Messages whose people are named by a rule: only those can be asked for by a message that stands in."""
    rows = Message.objects.filter(campaign__in=[each.id for each in campaigns])
    chosen = rows.filter(include__isnull=False).values_list("pk", flat=True)
    return {*chosen, *rows.exclude(audience_rule={}).values_list("pk", flat=True)}


def _measured(
    pair: Pair, side: _Side, channel: str, reached: list[tuple[PlannedMessage, BitMap]], before: dict[str, int],
    ids: Iterator[int], past: response.Response,
) -> WayOut:
    originals = {next(ids): (each, people) for each, people in reached if people}
    made = [
        (replace(each, id=pk, follows_id=None, count=len(people)), people) for pk, (each, people) in originals.items()
    ]
    stand_ins = frozenset((pk, each.id) for pk, (each, _people) in originals.items())
    then = pair.plan.with_agreement(replace(side.agreement, stand_ins=stand_ins))
    changed = replace(side.campaign, messages=(*side.campaign.messages, *(each for each, _people in made)))
    then = then.with_campaign(changed.to_approve_anew())
    assert then.people is not None
    then.people.put({each.id: people for each, people in made})
    findings, there = find(then), BitMap.union(BitMap(), *(people for _message, people in made))
    arising = _arising(pair, findings, before)
    return WayOut(
        ResolutionAction.CHANNEL, side.campaign.id, channel=channel, reached=len(there), still_both=len(there),
        people_lost=len(side.shared - there), orders_lost=_orders_lost(side, channel, there, past), others=len(arising),
        effects=pair.effects(findings), arising=tuple(arising), spread=pair.spread(then),
        parameters={
            "yielding": side.campaign.id, "keeping": side.agreement.keeping_campaign, "channel": channel,
            "yielding_message": side.agreement.yielding_message, "keeping_message": side.agreement.keeping_message,
            "messages": sorted(each.id for each, _people in side.lost), "kept": sorted(each.id for each in side.kept),
            "reached": len(there),
        },
    )


def _weighty(findings: Iterable[Finding]) -> dict[str, int]:
    return {each.identity: each.count or 0 for each in findings if each.severity >= Severity.MEDIUM}


def _arising(pair: Pair, findings: list[Finding], before: dict[str, int]) -> list[tuple[str, int]]:
    """(rule, people) of what is new or larger by it, beside what is to be solved."""
    own = {row.identity for row in pair.findings}
    return [
        (each.rule, each.count or 0) for each in findings
        if each.severity >= Severity.MEDIUM and each.identity not in own and (each.count or 0) > before.get(each.identity, -1)
    ]


def _orders_lost(side: _Side, channel: str, there: BitMap, past: response.Response) -> float | None:
    """Orders expected of the shared people on the best channel of today, less those of who is reached on the other one."""
    today = [past.expected(side.shared, each) for each in {message.channel for message, _people in side.lost}]
    instead = past.expected(there, channel)
    known = [orders for orders in today if orders is not None]
    return max(known) - instead if known and instead is not None else None
