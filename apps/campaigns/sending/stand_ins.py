"""Of a message and the one that stands in for it on another channel nobody gets two, and whoever is left out of the one gets the other.

A stand-in is for exactly those whom its agreement takes out of the original: who was refused there, or would be now. The other way
round the original leaves out whomever a stand-in has reached, also after the agreement has ended.
"""

from __future__ import annotations

from datetime import datetime

from pyroaring import BitMap

from apps.campaigns.models import Message, StandIn
from apps.campaigns.models.sending import Outcome
from apps.core import bitmaps

from . import agreements
from .aliases import Aliases

RULE = "stand_in"


def left_out(message: Message, people: BitMap, at: datetime, aliases: Aliases) -> BitMap:
    """Those of the people who must not get this message because they get it, or got it, on its other channel."""
    if not people:
        return BitMap()
    found = StandIn.objects.filter(message=message).select_related("agreement", "original__campaign", "original__purpose").first()
    if found is not None:
        return people - _meant(found, people, at, aliases)
    others = list(StandIn.objects.filter(original=message).values_list("message", flat=True))
    if not others:
        return BitMap()
    taken = agreements.taken_by(others, aliases.everybody(people))
    return aliases.back(aliases.living(taken), people)


def _meant(stand_in: StandIn, people: BitMap, at: datetime, aliases: Aliases) -> BitMap:
    everybody = aliases.everybody(people)
    refused = bitmaps.from_sql(
        "SELECT customer_id FROM campaigns_delivery WHERE customer_id = ANY(%s) AND message_id = %s AND outcome = %s AND rule = %s",
        [list(everybody), stand_in.original_id, Outcome.REFUSED, f"agreement.{stand_in.agreement_id}"],
    )
    meant = aliases.back(aliases.living(refused), people)
    if stand_in.agreement in agreements.binding(stand_in.original, at):
        meant |= agreements.left_out(stand_in.agreement, stand_in.original, people, at, aliases)
    taken = agreements.taken_by([stand_in.original_id], everybody)
    return meant - aliases.back(aliases.living(taken), people)
