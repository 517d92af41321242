"""Whom a message can contact at all, by address, consent, do-not-contact list and law, whatever the plan says."""

from __future__ import annotations

from datetime import datetime

from pyroaring import BitMap

from apps.campaigns.models import Message
from apps.consent import gate

from .arms import control_group


def contactable(message: Message, people: BitMap, at: datetime) -> BitMap:
    """Those of the people whom this message could really reach: allowed now or later, and in no control group."""
    if not people or message.purpose is None:
        return BitMap()
    judgement = gate.judge(people=people, channel=message.channel, purpose=message.purpose, at=at)
    reachable = people - BitMap.union(BitMap(), *judgement.denied.values())
    return reachable - control_group(message, reachable)
