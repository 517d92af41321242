"""The rule editor's form: a tree of named fields in, a rule out, and back. Works without JavaScript.

Node ``0.2`` is the third child of the first child of the root. Its fields are ``n0.2-group`` (all, any, none, notall)
for a group, ``n0.2-is``, ``n0.2-not`` and ``n0.2-<param>`` for a condition. Buttons post ``do=add:0``, ``do=remove:0.2``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .criteria import CRITERIA, Field
from .tree import MAX_DEPTH, MAX_LEAVES, Rule, children_of, group_of

GROUPS = ("all", "any", "none", "notall")
_NAME = re.compile(r"n((?:\d+\.)*\d+|)-(.+)")
_MAX_NODES = MAX_LEAVES * 2


@dataclass
class Node:
    """One node of the tree being edited: a group with children, or a condition with params."""

    group: str = ""
    children: list[Node] = field(default_factory=list)
    code: str = ""
    negated: bool = False
    params: dict[str, str] = field(default_factory=dict)
    path: str = ""
    count: int | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def fields(self) -> list[tuple[Field, str]]:
        """What is asked of this condition with what was answered, defaults filled in."""
        criterion = CRITERIA.get(self.code)
        asked = criterion.fields(self.params) if criterion else []
        return [(one, self.params.get(one.name, one.default)) for one in asked]

    @property
    def asked(self) -> list[tuple[Field, str]]:
        """The fields that always show."""
        return [(one, value) for one, value in self.fields if not one.more or value]

    @property
    def folded(self) -> list[tuple[Field, str]]:
        """The fields that few conditions need, still empty."""
        return [(one, value) for one, value in self.fields if one.more and not value]


def from_rule(rule: Rule, top: bool = True) -> Node:
    """The tree of a stored rule; the top is always a group."""
    kind = group_of(rule)
    if kind == "not":
        node = from_rule(children_of(rule)[0], top=False)
        if node.group:
            node.group = {"all": "notall", "any": "none", "none": "any", "notall": "all"}[node.group]
        else:
            node.negated = not node.negated
    elif kind:
        node = Node(group=kind, children=[from_rule(child, top=False) for child in children_of(rule)])
    else:
        params = {key: str(value) for key, value in rule.items() if key != "is" and value is not None}
        node = Node(code=rule.get("is", ""), params=_with_when(rule.get("is", ""), params))
    if top and not node.group:
        node = Node(group="all", children=[node] if node.code else [])
    return numbered(node) if top else node


def _with_when(code: str, params: dict[str, str]) -> dict[str, str]:
    if code == "interaction" and "when" not in params:
        when = next((name for name in ("days", "days_ago", "before_days") if params.get(name)), "")
        return {**params, "when": when}
    return params


def to_rule(node: Node) -> Rule:
    """The rule of a tree; empty groups stay empty, so that the problem is told."""
    if not node.group:
        leaf = {"is": node.code, **_kept(node)}
        return {"not": leaf} if node.negated else leaf
    parts = [to_rule(child) for child in node.children]
    inner: Rule = {"any" if node.group in ("any", "none") else "all": parts}
    return {"not": inner} if node.group in ("none", "notall") else inner


def _kept(node: Node) -> dict[str, str]:
    """Only what is asked now and was answered: what an earlier choice needed does not linger."""
    found = {one.name: value for one, value in node.fields if str(value) != ""}
    found.pop("when", None)
    return found


def from_post(data: Mapping[str, Any]) -> Node:
    """The tree that a form describes; names that make no sense are passed over."""
    nodes: dict[str, Node] = {"": Node(group="all")}
    for name in data:
        match = _NAME.fullmatch(name)
        if not match or len(nodes) > _MAX_NODES or match[1].count(".") > MAX_DEPTH:
            continue
        path, what, value = match[1], match[2], str(data[name])[:400]
        node = nodes.setdefault(path, Node(path=path))
        if what == "group":
            node.group = value if value in GROUPS else "all"
        elif what == "is":
            node.code = value
        elif what == "not":
            node.negated = value == "1"
        else:
            node.params[what] = value
    for path in sorted((one for one in nodes if one), key=_order):
        parent = nodes.get(path.rpartition(".")[0])
        if parent is not None and parent.group:
            parent.children.append(nodes[path])
    return numbered(nodes[""])


def _order(path: str) -> list[int]:
    return [int(part) for part in path.split(".")]


def numbered(node: Node, path: str = "") -> Node:
    """Gives every node its path, without gaps."""
    node.path = path
    for place, child in enumerate(node.children):
        numbered(child, f"{path}.{place}" if path else str(place))
    return node


def apply(root: Node, action: str) -> Node:
    """Does what a button asks: add or group (a condition or group into a group), remove, copy, up."""
    verb, _colon, path = action.partition(":")
    target = find(root, path)
    if target is None:
        return root
    if verb == "add" and target.group:
        target.children.append(Node(code="attribute"))
    elif verb == "group" and target.group:
        target.children.append(Node(group="any", children=[Node(code="attribute")]))
    elif verb == "remove" and path:
        parent = find(root, path.rpartition(".")[0])
        if parent is not None:
            parent.children.remove(target)
    return numbered(root)


def find(root: Node, path: str) -> Node | None:
    """The node at a path, None when there is none."""
    node = root
    for part in path.split(".") if path else []:
        if not part.isdecimal() or int(part) >= len(node.children):
            return None
        node = node.children[int(part)]
    return node
