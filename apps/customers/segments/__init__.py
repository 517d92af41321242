"""Segments: stored rule trees and fixed lists, turned into people.

A rule is ``{"all": [...]}``, ``{"any": [...]}``, ``{"not": {...}}`` or a leaf ``{"is": "<criterion>", ...params}``.
Each leaf is one SQL query whose bitmap is cached; trees are set operations. See ``criteria`` for the seam.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pyroaring import BitMap

from apps.core import clock
from apps.customers.models import Segment
from apps.customers.models.segments import SegmentKind

from . import words
from .criteria import CRITERIA, Criterion, Field, Moment, register
from .tree import BrokenRule, Evaluation, Rule, problems

__all__ = [
    "CRITERIA", "BrokenRule", "Criterion", "Field", "Moment", "Rule", "count", "describe", "evaluate", "moment",
    "people_of", "problems", "refresh", "register", "why_not",
]  # fmt: skip


def moment(now: datetime) -> Moment:
    """The instant and its day in the company's zone: recency counts whole days there."""
    return Moment(now, clock.company_day(now))


def evaluate(rule: Rule, *, now: datetime) -> BitMap:
    """The living people a rule holds now. Raises BrokenRule with words."""
    if found := problems(rule):
        raise BrokenRule(found)
    return Evaluation(moment(now)).people(rule)


def count(rule: Rule, *, now: datetime) -> int:
    """How many living people a rule holds now, exactly. Raises BrokenRule."""
    return len(evaluate(rule, now=now))


def people_of(segment: Segment, *, now: datetime) -> BitMap:
    """Who is in a segment now; nothing is stored. Raises BrokenRule."""
    evaluation = Evaluation(moment(now))
    return evaluation.static(segment) if segment.kind == SegmentKind.STATIC else evaluation.segment(segment.pk)


def refresh(segment: Segment, *, now: datetime) -> BitMap:
    """Computes a segment and stores people, count and time; who it held before is kept beside. Raises BrokenRule."""
    people = people_of(segment, now=now)
    values: dict[str, Any] = {"count": len(people), "computed_at": now}
    if segment.kind == SegmentKind.RULE:
        if segment.people is not None and segment.people != people:
            values |= {"previous_people": segment.people, "previous_at": segment.computed_at}
        values["people"] = people
    for name, value in values.items():
        setattr(segment, name, value)
    segment.save(update_fields=list(values))
    return people


def describe(rule: Rule) -> str:
    """A rule in one sentence's words."""
    return words.describe(rule)


def why_not(rule: Rule, people: BitMap, *, now: datetime) -> list[tuple[str, BitMap]]:
    """Of ``people``: which condition (in words) each of them does not meet now. Conditions nobody misses are left out."""
    return words.missed(rule, people, Evaluation(moment(now)))
