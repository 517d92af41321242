"""The one order in which every change of a plan takes its rows, so that no two of them wait for each other in a circle."""

from __future__ import annotations

from collections.abc import Iterable

from .models import Campaign, Message


def campaigns(campaign_ids: Iterable[int]) -> list[Campaign]:
    """The campaigns under lock, by id, and all their messages before them."""
    ids = sorted(campaign_ids)
    list(Message.objects.filter(campaign__in=ids).order_by("pk").select_for_update().values_list("pk"))
    return list(Campaign.objects.filter(pk__in=ids).order_by("pk").select_for_update())
