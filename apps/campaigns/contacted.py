"""Whom somebody has contacted or is about to: an import that is undone keeps their number."""

from __future__ import annotations

from pyroaring import BitMap

from apps.campaigns.models import Chunk, Delivery
from apps.campaigns.models.sending import ChunkState


def contacted(customer_ids: list[int]) -> set[int]:
    """Of these people: who stands in the ledger of any run, or waits in one that is not done."""
    found = set(Delivery.objects.filter(customer_id__in=customer_ids).values_list("customer_id", flat=True).distinct())
    asked = BitMap(customer_ids) - BitMap(found)
    if asked:
        for waiting in Chunk.objects.exclude(state=ChunkState.DONE).values_list("people", flat=True):
            found |= set(waiting & asked)
    return found
