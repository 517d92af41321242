"""At the claim: no promotion to people with whom something is open, unless that was accepted for the campaign."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from pyroaring import BitMap

from apps.campaigns.models import Conflict, Message
from apps.campaigns.models.conflicts import ConflictState
from apps.consent.models import PurposeClass
from apps.core.clock import company_day
from apps.customers import care

from .aliases import Aliases

RULE = "service_first"


def held_back(message: Message, people: BitMap, at: datetime, aliases: Aliases) -> BitMap:
    """Those of the people who get no promotion now; nobody for service and safety. One query where nothing is open."""
    if not people or message.purpose is None or message.purpose.purpose_class != PurposeClass.PROMOTION:
        return BitMap()
    open_now = care.flagged(aliases.everybody(people), at)
    if not open_now or is_accepted(message.campaign_id, at):
        return BitMap()
    return aliases.back(aliases.living(open_now), people)


def is_accepted(campaign_id: int, at: datetime) -> bool:
    """Whether the departments accepted, and still do, that the campaign reaches people who are to be served first."""
    found = Conflict.objects.filter(rule=RULE, first_campaign=campaign_id, state=ConflictState.ACCEPTED)
    return found.filter(Q(settled_by__expires_on=None) | Q(settled_by__expires_on__gte=company_day(at))).exists()
