"""How things stand with a message that another tool sends: planned, told, held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from apps.campaigns.models import Chunk, Message, ToldContact


@dataclass(frozen=True)
class Standing:
    """People planned, contacts told and the people in them, places held now, and when something was told last."""

    planned: int
    told: int
    people: int
    held: int
    last_told: datetime | None


def of(message: Message, *, now: datetime) -> Standing:
    """The figures of one message. A place whose time is over is held no more, also before it is swept."""
    figures = ToldContact.objects.filter(message=message).aggregate(
        told=Count("pk"), people=Count("customer_id", distinct=True), last=Max("recorded_at")
    )
    held = Chunk.objects.filter(run__message=message, leased_until__gt=now).values_list("count", flat=True)
    return Standing(message.plan_count or 0, figures["told"], figures["people"], sum(held), figures["last"])
