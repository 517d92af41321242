"""Everything that one pair of campaigns has against each other: it is decided together."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from ..models import Conflict, Resolution
from .writing import UNDECIDED


def rows(conflict: Conflict) -> QuerySet[Conflict]:
    """All findings of the same two campaigns. A finding of one campaign alone stands for itself."""
    if conflict.second_campaign_id is None:
        return Conflict.objects.filter(pk=conflict.pk)
    assert conflict.first_campaign_id is not None
    return between(conflict.first_campaign_id, conflict.second_campaign_id)


def undecided(conflict: Conflict) -> list[Conflict]:
    """Those that wait for a decision, the one asked about first, then by weight."""
    found = rows(conflict).filter(state__in=UNDECIDED).select_related(
        "first_campaign__department", "second_campaign__department", "first_message", "second_message"
    ).defer("people_both", "first_message__plan_audience", "second_message__plan_audience")
    return sorted(found, key=lambda row: (row.pk != conflict.pk, -row.severity, -(row.people_count or 0), row.pk))


def resolutions(conflict: Conflict) -> QuerySet[Resolution]:
    """All ways out that were ever proposed for the pair, newest first."""
    return Resolution.objects.filter(conflict__in=rows(conflict).values("pk"))


def only(conflict: Conflict, findings: Iterable[Conflict]) -> dict[int, int | None]:
    """The one message of each side that all these findings of the pair are about; None where it is the campaign as a whole."""
    findings = list(findings)
    messages = ({row.first_message_id for row in findings}, {row.second_message_id for row in findings})
    return {pk: found.pop() if len(found) == 1 else None for pk, found in zip(sides(conflict), messages, strict=False)}


def between(one: int, other: int) -> QuerySet[Conflict]:
    """All findings of these two campaigns."""
    first, second = sorted((one, other))
    return Conflict.objects.filter(first_campaign=first, second_campaign=second)


def sides(conflict: Conflict) -> list[int]:
    """The campaigns of the pair."""
    return [pk for pk in (conflict.first_campaign_id, conflict.second_campaign_id) if pk]
