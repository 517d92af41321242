"""Whom a message is for: the union of its segments, narrowed by its further rule, less those left out."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from apps.customers import segments

from .models import Message, MessageKind


def rule_of(message: Message, further: dict[str, Any] | None = None, *, besides: Collection[int] = ()) -> dict[str, Any]:
    """The whole audience of a message as one rule tree of the customers app; empty when nothing is chosen.

    ``further`` stands in for the message's own further rule while that is being edited; ``besides`` are excluded segments that
    do not count.
    """
    own = message.audience_rule if further is None else further
    included = [_leaf(pk) for pk in message.include.values_list("pk", flat=True)]
    excluded = [_leaf(pk) for pk in message.exclude.values_list("pk", flat=True) if pk not in besides]
    parts: list[dict[str, Any]] = []
    if included:
        parts.append({"any": included})
    if own:
        parts.append(own)
    if not parts:
        return {}
    if excluded:
        parts.append({"not": {"any": excluded}})
    return {"all": parts}


def _leaf(segment_id: int) -> dict[str, Any]:
    return {"is": "segment", "id": segment_id}


def compute(message: Message, *, now: datetime) -> BitMap:
    """The living customers the message is for at ``now``; empty for messages without addressees."""
    rule = rule_of(message) if message.kind != MessageKind.UNADDRESSED else {}
    return segments.evaluate(rule, now=now) if rule else BitMap()


def refresh(message: Message, *, now: datetime) -> BitMap:
    """Compute the audience and keep it on the message as the planned audience."""
    people = compute(message, now=now)
    message.plan_audience, message.plan_count, message.plan_computed_at = people, len(people), now
    Message.objects.filter(pk=message.pk).update(
        plan_audience=people, plan_count=len(people), plan_computed_at=now
    )
    return people


def problems(message: Message) -> list[str]:
    """What is wrong with the audience's further rule, in words."""
    return segments.problems(message.audience_rule) if message.audience_rule else []
