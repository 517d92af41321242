"""Exact counts for every node of a rule that is being edited."""

from __future__ import annotations

from datetime import datetime

from apps.customers import segments

from .form import Node, to_rule
from .tree import BrokenRule, Evaluation, problems


def counted(root: Node, segment_id: int | None, now: datetime) -> Node:
    """The tree with count or problems at every node; a broken part does not hide the counts of the others."""
    evaluation = Evaluation(segments.moment(now))
    _count(root, segment_id, evaluation)
    return root


def _count(node: Node, segment_id: int | None, evaluation: Evaluation) -> None:
    for child in node.children:
        _count(child, segment_id, evaluation)
    rule = to_rule(node)
    found = problems(rule, segment_id)
    if found:
        node.problems = found if not node.group or not node.children else []
        return
    try:
        node.count = len(evaluation.people(rule))
    except BrokenRule as error:
        node.problems = error.problems
