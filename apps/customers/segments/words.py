"""Rules in words, and which part of a rule people do not meet."""

from __future__ import annotations

from django.utils.translation import gettext as _
from pyroaring import BitMap

from .criteria import CRITERIA
from .tree import Evaluation, Rule, children_of, group_of


def describe(rule: Rule, inner: bool = False) -> str:
    """A rule as people say it."""
    kind = group_of(rule)
    if not kind:
        criterion = CRITERIA.get(rule.get("is", ""))
        if criterion is None:
            return _("an unknown condition")
        return criterion.describe({key: value for key, value in rule.items() if key != "is"})
    if kind == "not":
        return _("not: %(rule)s") % {"rule": describe(children_of(rule)[0], True)}
    joint = _(" and ") if kind == "all" else _(" or ")
    text = joint.join(describe(child, True) for child in children_of(rule))
    return f"({text})" if inner and len(children_of(rule)) > 1 else text


def missed(rule: Rule, people: BitMap, evaluation: Evaluation) -> list[tuple[str, BitMap]]:
    """Which top condition each person misses, in words."""
    found: list[tuple[str, BitMap]] = []
    gone = people - evaluation.living
    if gone:
        found.append((_("was merged, erased or taken back with an import"), gone))
    parts = children_of(rule) if group_of(rule) == "all" else [rule]
    for part in parts:
        lacking = (people - gone) - evaluation.people(part)
        if lacking:
            found.append((_("no longer: %(condition)s") % {"condition": describe(part)}, lacking))
    return found
