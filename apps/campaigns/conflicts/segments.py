"""What is already planned for the people of a segment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pyroaring import BitMap

from apps.customers.models import Segment

from ..models import Campaign, Message


@dataclass(frozen=True)
class Shared:
    """A planned message and how many people of the segment it is for."""

    message: Message
    people: int
    share: float


def overlap(segment_id: int, *, now: datetime, most: int = 12) -> list[Shared]:
    """Planned messages from ``now`` on that reach people of the segment as last counted, most people first."""
    people = cast(BitMap, Segment.objects.values_list("people", flat=True).get(pk=segment_id) or BitMap())
    if not people:
        return []
    rows = Message.objects.filter(campaign__in=Campaign.objects.planned(), send_at__gte=now, plan_audience__isnull=False)
    found = []
    for row in rows.select_related("campaign__department"):
        audience = cast(BitMap, row.plan_audience)
        count = audience.intersection_cardinality(people)
        if count:
            found.append(Shared(row, count, count / len(people)))
    return sorted(found, key=lambda shared: -shared.people)[:most]
