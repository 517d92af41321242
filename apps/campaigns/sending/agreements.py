"""What two departments agreed, kept at send time: nobody receives both sides, also not those who join an audience late.

The yielding side gives way while the keeping side can still reach the person (the other way round for people whom a split gave
to it); once somebody has got either side, the later one gives way. People whom the keeping side cannot contact stay with the yielding side.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from pyroaring import BitMap

from apps.campaigns.conflicts import valued
from apps.campaigns.models import Agreement, Campaign, Message, Run
from apps.campaigns.models.plan import BINDING_STATUSES, MessageKind
from apps.campaigns.models.sending import RunState
from apps.consent.models import PurposeClass
from apps.core.clock import company_day

from . import ledger
from .aliases import Aliases
from .occurrences import BadRecurrence, Occurrence, occurrences
from .reach import contactable
from .reservations import reserved, waiting

# How far ahead the keeping side's next occurrences are looked for.
HORIZON = timedelta(days=400)


def binding(message: Message, at: datetime) -> list[Agreement]:
    """The agreements in force in which this message stands on either side. Safety gives way to nothing."""
    if message.purpose is not None and message.purpose.purpose_class == PurposeClass.SAFETY:
        return []
    campaign = message.campaign_id
    yields = Q(yielding_campaign=campaign) & (Q(yielding_message=None) | Q(yielding_message=message))
    keeps = Q(keeping_campaign=campaign) & (Q(keeping_message=None) | Q(keeping_message=message))
    return list(
        Agreement.objects.in_force(company_day(at))
        .filter(yields | keeps)
        .exclude(stand_ins__message=message)
        .select_related("yielding_campaign", "keeping_campaign", "yielding_message", "keeping_message")
        .order_by("pk")
    )


def left_to_others(message: Message, people: BitMap, at: datetime, aliases: Aliases) -> list[tuple[Agreement, BitMap]]:
    """Agreement by agreement those of the people who must not get this message now."""
    found: list[tuple[Agreement, BitMap]] = []
    left = people
    for agreement in binding(message, at):
        out = left_out(agreement, message, left, at, aliases)
        if out:
            found.append((agreement, out))
            left = left - out
    return found


def _yields(agreement: Agreement, message: Message) -> bool:
    return agreement.yielding_campaign_id == message.campaign_id and agreement.yielding_message_id in (None, message.pk)


def left_out(agreement: Agreement, message: Message, people: BitMap, at: datetime, aliases: Aliases) -> BitMap:
    """Those of the people who must not get this message now because of that agreement."""
    everybody = aliases.everybody(people)
    yields = _yields(agreement, message)
    if yields:
        others = _side(agreement.keeping_campaign, agreement.keeping_message)
    else:
        others = _side(agreement.yielding_campaign, agreement.yielding_message)
    # Who gets the yielding side on another channel by this very agreement is meant to get the keeping side too.
    apart = {message.pk, *agreement.stand_ins.values_list("message", flat=True)}
    others = [other for other in others if other.pk not in apart]
    taken = taken_by([other.pk for other in others], everybody)
    swapped = (agreement.swapped or BitMap()) | valued.late_swapped(agreement, everybody, at)
    giving_way = everybody - swapped if yields else everybody & swapped
    taken |= still_to_come(others, giving_way - taken, at)
    return aliases.back(aliases.living(taken), people)


def taken_by(messages: list[int], everybody: BitMap) -> BitMap:
    """Those of the people whom one of these messages has reached, or is about to."""
    held = [each.people for each in reserved(everybody, messages=messages)]
    return BitMap.union(ledger.reached(messages, everybody), *held)


def _side(campaign: Campaign, message: Message | None) -> list[Message]:
    messages = Message.objects.filter(campaign=campaign).exclude(kind=MessageKind.UNADDRESSED)
    if message is not None:
        messages = messages.filter(pk=message.pk)
    return list(messages.select_related("campaign", "purpose"))


def still_to_come(messages: list[Message], people: BitMap, at: datetime) -> BitMap:
    """Those of the people whom one of these messages will still reach, as far as can be known."""
    found = BitMap()
    for message in messages:
        if message.is_stopped or message.campaign.status not in BINDING_STATUSES:
            continue
        runs = list(Run.objects.filter(message=message).only("id", "occurrence", "state"))
        open_runs = [run.pk for run in runs if run.state in (RunState.PLANNED, RunState.RUNNING)]
        expected = BitMap.union(BitMap(), *waiting(open_runs, people).values())
        coming = _next(message, at, {run.occurrence for run in runs})
        if coming is not None:
            expected |= (message.plan_audience or BitMap()) & people
        when = max(coming.at, at) if coming else at
        found |= contactable(message, expected - found, when)
    return found


def _next(message: Message, at: datetime, done: set[str]) -> Occurrence | None:
    try:
        coming = occurrences(message, at - timedelta(days=1), at + HORIZON)
    except BadRecurrence:
        return None
    return next((each for each in coming if each.key not in done), None)
