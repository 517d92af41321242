"""Whom the departments leave out of a message because of a finding of its campaign alone, as of the run.

The signed list stands; whoever has joined the audience since and is found likewise when the run is planned is left out, too. Both
get a row in the ledger, so that the report says of each person who decided it and why.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from pyroaring import BitMap

from apps.campaigns import audiences
from apps.campaigns.conflicts import loading, registry
from apps.campaigns.models import Message, Resolution
from apps.campaigns.models.conflicts import ResolutionState
from apps.core.clock import company_day
from apps.customers import segments
from apps.customers.models import Segment

# The finding is looked for as it stood before the moment itself: what begins then is still to come.
BEFORE = timedelta(seconds=1)


def in_force(message: Message, at: datetime) -> QuerySet[Resolution]:
    """What was signed about this message alone and binds on that day."""
    found = Resolution.objects.filter(
        state=ResolutionState.APPLIED, parameters__alone=True, parameters__campaign=message.campaign_id,
        parameters__messages__contains=message.pk, parameters__has_key="segment",
    )
    stands = Q(expires_on=None) | Q(expires_on__gte=company_day(at))
    return found.filter(stands).exclude(conflict=None).select_related("conflict").order_by("pk")


def of(message: Message, audience: BitMap, at: datetime, *, now: datetime) -> dict[str, BitMap]:
    """rule -> people left out by it, each under the first: those of its list who would be in the audience without it, and those
    of the audience whom its finding concerns now. Nothing is asked where nothing was signed.
    """
    found: dict[str, BitMap] = {}
    taken = BitMap()
    for resolution in in_force(message, at):
        people = (_listed(message, resolution, now) | _joined(message, resolution, audience, at)) - taken
        taken |= people
        if people:
            found[f"resolution.{resolution.pk}"] = people
    return found


def _listed(message: Message, resolution: Resolution, now: datetime) -> BitMap:
    listed = Segment.objects.filter(pk=resolution.parameters["segment"], excluded_from=message).first()
    if listed is None:
        return BitMap()
    rule = audiences.rule_of(message, besides=[listed.pk])
    return segments.people_of(listed, now=now) & segments.evaluate(rule, now=now) if rule else BitMap()


def _joined(message: Message, resolution: Resolution, audience: BitMap, at: datetime) -> BitMap:
    """Those of the audience whom the finding concerns though they are not on the list."""
    conflict = resolution.conflict
    assert conflict is not None
    plan = loading.load(now=at - BEFORE, focus=[message.campaign_id])
    planned = plan.messages.get(message.pk)
    if planned is None or plan.people is None:
        return BitMap()
    plan.people.fetch([planned])
    plan.people.put({message.pk: audience})
    findings = registry.rule(conflict.rule).find(plan)
    return BitMap.union(BitMap(), *(each.people or BitMap() for each in findings if each.identity == conflict.identity)) & audience
