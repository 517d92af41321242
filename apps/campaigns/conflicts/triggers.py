"""Which messages the audience of another message depends on: somebody who got, opened or answered one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast

from apps.customers.models import Segment

from ..models import CampaignStatus, Message
from .snapshot import Absent, PlannedCampaign

MESSAGE = "message"


def named(rule: Any) -> set[int]:
    """The messages that the rule tree names in leaves ``{"is": "message", "message": 5, "event": "opened"}``."""
    return {int(found) for leaf in _leaves(rule) if str(found := leaf.get(MESSAGE, "")).isdecimal()}


def _leaves(rule: Any) -> Iterator[dict[str, Any]]:
    if isinstance(rule, list):
        for child in rule:
            yield from _leaves(child)
    elif isinstance(rule, dict):
        if rule.get("is") == MESSAGE:
            yield rule
        for group in ("all", "any", "not"):
            yield from _leaves(rule.get(group))


def of_segments(campaign_ids: Iterable[int]) -> dict[int, set[int]]:
    """message -> messages that the segments it is for depend on, in one query."""
    rows = (
        Segment.objects.annotate(text=Cast("rule", TextField()))
        .filter(text__contains=f'"{MESSAGE}"', included_in__campaign__in=list(campaign_ids))
        .values_list("included_in", "rule")
    )
    found: dict[int, set[int]] = defaultdict(set)
    for message_id, rule in rows:
        if message_id is not None:
            found[message_id] |= named(rule)
    return found


def absent(campaigns: Iterable[PlannedCampaign]) -> dict[int, Absent]:
    """What messages of the plan build on without its being in the plan, in one query."""
    messages = {message.id: message for campaign in campaigns for message in campaign.messages}
    asked = {pk for message in messages.values() for pk in (*message.triggers, *filter(None, [message.follows_id]))}
    rows = Message.objects.filter(pk__in=asked - messages.keys()).values_list("pk", "send_at", "is_stopped", "campaign__status")
    return {pk: Absent(pk, at, stopped, status == CampaignStatus.CANCELLED) for pk, at, stopped, status in rows}
