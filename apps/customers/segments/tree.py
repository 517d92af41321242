"""Rule trees: what is wrong with one in words, who is in it by set operations, and why somebody is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from pyroaring import BitMap

from apps.core import bitmaps
from apps.customers.models import Segment
from apps.customers.models.segments import SegmentKind

from . import leaves
from .criteria import CRITERIA, Moment

Rule = dict[str, Any]
MAX_DEPTH = 12
MAX_LEAVES = 100
GROUPS = ("all", "any", "not")


class BrokenRule(Exception):
    """A rule that cannot be computed; ``problems`` say why, in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def group_of(rule: Rule) -> str:
    """all, any or not for a group, empty for a leaf."""
    return next((name for name in GROUPS if name in rule), "")


def children_of(rule: Rule) -> list[Rule]:
    """The parts of a group; a ``not`` has one."""
    name = group_of(rule)
    inner = rule.get(name) if name else []
    return [inner] if isinstance(inner, dict) else list(inner or [])


def leaves_of(rule: Rule) -> Iterator[Rule]:
    """All leaves, left to right."""
    if group_of(rule):
        for child in children_of(rule):
            yield from leaves_of(child)
    else:
        yield rule


def problems(rule: Any, segment_id: int | None = None) -> list[str]:
    """What is wrong with a rule, in words; ``segment_id`` is the segment it shall belong to."""
    found = _shape_problems(rule, 0)
    if found:
        return found
    all_leaves = list(leaves_of(rule))
    if len(all_leaves) > MAX_LEAVES:
        return [_("A segment can have at most %(count)d conditions.") % {"count": MAX_LEAVES}]
    for leaf in all_leaves:
        found += [one for one in _leaf_problems(leaf) if one not in found]
    return found or _cycle_problems(rule, segment_id)


def _shape_problems(rule: Any, depth: int) -> list[str]:
    if not isinstance(rule, dict):
        return [_("A part of the rule is no condition.")]
    if depth > MAX_DEPTH:
        return [_("The groups are nested too deeply.")]
    if not group_of(rule):
        return [] if isinstance(rule.get("is"), str) else [_("A condition is not chosen yet.")]
    if len(rule) != 1:
        return [_("A group can have only one kind: all, any or none of.")]
    children = rule[group_of(rule)]
    if not children or not isinstance(children, dict if group_of(rule) == "not" else list):
        return [_("A group has no conditions.")]
    return [one for child in children_of(rule) for one in _shape_problems(child, depth + 1)]


def _leaf_problems(leaf: Rule) -> list[str]:
    criterion = CRITERIA.get(leaf["is"])
    if criterion is None:
        return [_("There is no condition called “%(name)s”.") % {"name": leaf["is"]}]
    if not all(value is None or isinstance(value, (str, int, float)) for value in leaf.values()):
        return [_("A part of the rule is no condition.")]
    return criterion.problems({key: value for key, value in leaf.items() if key != "is"})


def references(rule: Rule) -> set[int]:
    """Ids of segments that a rule names."""
    found: set[int] = set()
    for leaf in leaves_of(rule):
        criterion = CRITERIA.get(leaf.get("is", ""))
        if criterion is not None:
            found |= set(criterion.references(leaf))
    return found


def _cycle_problems(rule: Rule, segment_id: int | None) -> list[str]:
    """Whether the rule leads back to its own segment, straight or through others."""
    if segment_id is None:
        return []
    waiting, seen = [(one, [one]) for one in references(rule)], set[int]()
    while waiting:
        current, path = waiting.pop()
        if current == segment_id:
            return [_circle(path)]
        if current in seen:
            continue
        seen.add(current)
        segment = Segment.objects.filter(pk=current, kind=SegmentKind.RULE).first()
        if segment is not None:
            waiting += [(one, [*path, one]) for one in references(segment.rule)]
    return []


def _circle(path: list[int]) -> str:
    if len(path) == 1:
        return _("The segment refers to itself.")
    names = dict(Segment.objects.filter(pk__in=path).values_list("pk", "name"))
    through = ", ".join(f"“{names.get(one, one)}”" for one in path[:-1])
    return _("The segment refers to itself through %(names)s.") % {"names": through}


def living() -> BitMap:
    """Everybody who can be in an audience."""
    return bitmaps.from_sql(
        "SELECT id FROM customers_customer WHERE merged_into_id IS NULL AND erased_at IS NULL AND undone_at IS NULL"
    )


class Evaluation:
    """One moment's view: every leaf, segment and the living people are fetched once."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self._living: BitMap | None = None
        self._open: list[int] = []
        self._segments: dict[int, BitMap] = {}

    @property
    def living(self) -> BitMap:
        if self._living is None:
            self._living = leaves.people_of(CRITERIA["everyone"], {"is": "everyone"}, self.moment)
        return self._living

    def people(self, rule: Rule) -> BitMap:
        """Who is in the rule, of the living. Raises BrokenRule."""
        kind = group_of(rule)
        if kind == "not":
            return self.living - self.people(children_of(rule)[0])
        if not kind:
            return self._leaf(rule)
        parts = [self.people(child) for child in children_of(rule)]
        if not parts:
            raise BrokenRule([_("A group has no conditions.")])
        return BitMap.intersection(*parts) if kind == "all" else BitMap.union(*parts)

    def _leaf(self, leaf: Rule) -> BitMap:
        if found := _leaf_problems(leaf) if "is" in leaf else [_("A condition is not chosen yet.")]:
            raise BrokenRule(found)
        criterion = CRITERIA[leaf["is"]]
        named = list(criterion.references(leaf))
        if named:
            return BitMap.union(*(self.segment(one) for one in named))
        return leaves.people_of(criterion, leaf, self.moment) & self.living

    def segment(self, segment_id: int) -> BitMap:
        """Who is in a stored segment now. Raises BrokenRule when it leads to itself or is gone.

        Each segment is computed once: one that names another twice, which names another twice, would double the work with every step.
        """
        if segment_id not in self._segments:
            self._segments[segment_id] = self._computed(segment_id)
        return self._segments[segment_id]

    def _computed(self, segment_id: int) -> BitMap:
        segment = Segment.objects.filter(pk=segment_id).first()
        if segment is None:
            raise BrokenRule([_("A segment that the rule names is not there any more.")])
        if segment_id in self._open:
            raise BrokenRule([_("The segment refers to itself.")])
        self._open.append(segment_id)
        try:
            return self.static(segment) if segment.kind == SegmentKind.STATIC else self.people(segment.rule)
        finally:
            self._open.pop()

    def static(self, segment: Segment) -> BitMap:
        """A fixed list: everybody on it or, where they were merged, whoever they are now."""
        listed = segment.people or BitMap()
        return (listed & self.living) | _survivors(listed - self.living)


def _survivors(people: BitMap) -> BitMap:
    if not people:
        return BitMap()
    return bitmaps.from_sql(
        """
        WITH RECURSIVE chain AS (
            SELECT id, merged_into_id FROM customers_customer WHERE id = ANY(%s)
            UNION SELECT c.id, c.merged_into_id FROM chain JOIN customers_customer c ON c.id = chain.merged_into_id
        )
        SELECT c.id FROM chain JOIN customers_customer c ON c.id = chain.id
        WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL AND c.undone_at IS NULL
        """,
        [list(people)],
    )
