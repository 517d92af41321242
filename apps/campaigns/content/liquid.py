"""Liquid with an allowlist and hard limits: the only template language people's data ever meets.

Data is reached by mapping key alone: no attribute of a Python object, no call, no file. Loops, output, local names and
nesting are limited by python-liquid; results of filters, which its limits do not see, are capped here. There is no
wall-clock limit: tasks that render run under a time limit of their own.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.utils.translation import gettext as _
from liquid import Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import OutputNode
from liquid.exceptions import (
    DisabledTagError,
    LiquidError,
    LiquidInterrupt,
    LiquidSyntaxError,
    ResourceLimitError,
    StopRender,
    UnknownFilterError,
)
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate
from markupsafe import escape as escape_html

# characters of a template, of one filter result, of the rendered output
TEMPLATE_LIMIT = 200_000
RESULT_LIMIT = 65_536
OUTPUT_LIMIT = 400_000
LIST_LIMIT = 10_000
# bits of a number: 10^30 is more than any amount of money
NUMBER_BITS = 100

TAGS = frozenset(
    {"content", "output", "illegal", "if", "unless", "case", "for", "break", "continue", "assign", "capture", "comment", "#"}
)
FILTERS = frozenset({
    "abs", "append", "at_least", "at_most", "capitalize", "ceil", "date", "default", "divided_by", "downcase", "escape",
    "first", "floor", "join", "last", "lstrip", "minus", "modulo", "newline_to_br", "plus", "prepend", "remove",
    "remove_first", "replace", "replace_first", "round", "rstrip", "size", "slice", "split", "strip", "strip_html",
    "strip_newlines", "times", "truncate", "truncatewords", "upcase", "url_encode",
})  # fmt: skip


class TemplateProblem(Exception):
    """A template that cannot be used, said in words. ``line`` counts from 1 where known."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(_("Line %(line)s: %(text)s") % {"line": line, "text": text} if line else text)
        self.text, self.line = text, line

    def at(self, place: str) -> TemplateProblem:
        """The same problem with the part of the message where it stands; the line counts within that part."""
        if self.line and self.line > 1:
            place = _("%(place)s, line %(line)s") % {"place": place, "line": self.line}
        return TemplateProblem(f"{place}: {self.text}")


class _TooLarge(ResourceLimitError):
    """A filter would make more than any message needs."""


def _too_large() -> _TooLarge:
    return _TooLarge("filter result limit reached", token=None)


def _check(value: Any) -> Any:
    if isinstance(value, str):
        too_large = len(value) > RESULT_LIMIT
    elif isinstance(value, (list, tuple, range)):
        too_large = len(value) > LIST_LIMIT
    elif isinstance(value, int):
        too_large = value.bit_length() > NUMBER_BITS
    else:
        too_large = False
    if too_large:
        raise _too_large()
    return value


def _check_growth(name: str, value: Any, arguments: tuple[Any, ...]) -> None:
    """Refuse before the work what could multiply two lengths."""
    if name == "replace" and len(arguments) == 2 and isinstance(value, str):
        grows = value.count(str(arguments[0])) * len(str(arguments[1]))
    elif name == "join" and arguments and isinstance(value, (list, tuple)):
        grows = len(value) * len(str(arguments[0])) + sum(len(str(item)) for item in value)
    elif name == "date" and arguments and re.search(r"%[-_0^#]*\d", str(arguments[0])):
        grows = RESULT_LIMIT + 1
    else:
        return
    if grows > RESULT_LIMIT:
        raise _too_large()


def _capped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter with its arguments and its result held within the limits."""

    @functools.wraps(function)
    def guarded(value: Any, *arguments: Any, **options: Any) -> Any:
        for argument in (value, *arguments):
            _check(argument)
        _check_growth(name, value, arguments)
        try:
            return _check(function(value, *arguments, **options))
        except (ValueError, OverflowError, MemoryError, ArithmeticError) as error:
            raise LiquidError(_("%(filter)s cannot work with that value") % {"filter": name}, token=None) from error

    return guarded


class _Environment(Environment):
    block_nesting_limit = 20
    context_depth_limit = 20
    loop_iteration_limit = 2_000
    local_namespace_limit = 200_000
    output_stream_limit = OUTPUT_LIMIT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=False)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS or name.lower() in TAGS}
        self.filters = {
            name: _capped(name, function) for name, function in self.filters.items() if name in FILTERS
        }


@functools.cache
def _environment(escape: bool) -> Environment:
    return _Environment(autoescape=escape)


@dataclass(frozen=True)
class Template:
    """A parsed template, cut into literal text and dynamic nodes in their order."""

    bound: BoundTemplate
    source: str

    @functools.cached_property
    def nodes(self) -> list[tuple[bool, str | Node]]:
        """(False, literal text) and (True, node), in order."""
        return [
            (False, node.text) if isinstance(node, ContentNode) else (True, node) for node in self.bound.nodes
        ]

    def render(self, facts: Mapping[str, Any]) -> str:
        """The text for one person. Raises TemplateProblem."""
        values = iter(self.values(facts))
        return "".join(next(values) if dynamic else str(node) for dynamic, node in self.nodes)

    @functools.cached_property
    def dynamic(self) -> list[tuple[Node, tuple[str, ...] | None]]:
        """The dynamic nodes; beside each the path when it is nothing but a merge field written out."""
        own = set(self.bound.analyze(include_partials=False).locals)
        return [(node, _plain_path(node, own)) for dynamic, node in self.nodes if dynamic and isinstance(node, Node)]

    def values(self, facts: Mapping[str, Any]) -> list[str]:
        """What each dynamic node renders to for one person, in order. Raises TemplateProblem."""
        context: RenderContext | None = None
        done: list[str] = []
        size = 0
        try:
            for node, path in self.dynamic:
                value = _looked_up(facts, path, self.bound.env.autoescape) if path else None
                if value is None:
                    context = context or RenderContext(self.bound, globals=self.bound.make_globals(dict(facts)))
                    value = _rendered(node, context)
                size += len(value)
                if size > OUTPUT_LIMIT:
                    raise _too_large()
                done.append(value)
        except (LiquidError, LiquidInterrupt, StopRender, RecursionError) as error:
            raise problem_of(error, self.source) from error
        return done

    @functools.cached_property
    def fields(self) -> dict[str, int]:
        """Used merge fields as dotted paths (``customer.given_name``) and the line of their first use."""
        found: dict[str, int] = {}
        for variables in self.bound.analyze(include_partials=False).globals.values():
            for variable in variables:
                path = ".".join(str(part) for part in variable.segments)
                line = self.source.count("\n", 0, variable.span.index) + 1
                found[path] = min(line, found.get(path, line))
        return found


def _rendered(node: Node, context: RenderContext) -> str:
    buffer: StringIO = LimitedStringIO(limit=OUTPUT_LIMIT)
    node.render(context, buffer)
    return buffer.getvalue()


def _plain_path(node: str | Node, own: set[str]) -> tuple[str, ...] | None:
    """``("customer", "city")`` for ``{{ customer.city }}``; None for anything that Liquid has to evaluate."""
    expression = node.expression if isinstance(node, OutputNode) else None
    if not isinstance(expression, FilteredExpression) or expression.filters or not isinstance(expression.left, Path):
        return None
    path = expression.left.path
    is_plain = len(path) > 1 and all(isinstance(part, str) for part in path) and path[0] not in own
    return tuple(str(part) for part in path) if is_plain and path[-1] not in {"size", "first", "last"} else None


def _looked_up(facts: Mapping[str, Any], path: tuple[str, ...], is_html: bool) -> str | None:
    """A merge field without the machinery of Liquid, which costs ten times as much; None where only Liquid knows."""
    value: Any = facts
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    if value is None:
        return ""
    if type(value) is not str:
        return None
    return str(escape_html(value)) if is_html else value


def parse(source: str, *, escape: bool = False) -> Template:
    """Parse a template; ``escape`` makes values safe for HTML. Raises TemplateProblem, in words."""
    if len(source) > TEMPLATE_LIMIT:
        raise TemplateProblem(_("The text is too long: at most %(limit)s characters.") % {"limit": TEMPLATE_LIMIT})
    if "\x00" in source:
        raise TemplateProblem(_("The text holds characters that are not text."))
    try:
        return Template(_environment(escape).from_string(source), source)
    except (LiquidError, LiquidInterrupt, RecursionError) as error:
        raise problem_of(error, source) from error


def problem_of(error: BaseException, source: str) -> TemplateProblem:
    """The words for a Liquid error."""
    return TemplateProblem(_words(error), _line(error, source))


def _words(error: BaseException) -> str:
    detail = str(getattr(error, "message", None) or error)
    if isinstance(error, RecursionError) or type(error).__name__ in {"BlockNestingError", "ContextDepthError"}:
        return _("The conditions and loops are nested too deeply.")
    if type(error).__name__ == "LoopIterationLimitError":
        return _("A loop runs too long. A message may repeat something a few hundred times at most.")
    if isinstance(error, ResourceLimitError):
        return _("The message would grow without end. Look at its loops and filters.")
    if isinstance(error, UnknownFilterError):
        return _("There is no such filter: %(detail)s.") % {"detail": _quoted(detail)}
    if isinstance(error, (DisabledTagError, LiquidSyntaxError)):
        return _("This is not understood: %(detail)s.") % {"detail": detail.rstrip(".")}
    return _("The text cannot be made for this person: %(detail)s.") % {"detail": detail.rstrip(".")}


def _quoted(detail: str) -> str:
    found = re.search(r"'([^']+)'", detail)
    return found[1] if found else detail


def _line(error: BaseException, source: str) -> int | None:
    token = getattr(error, "token", None)
    index = getattr(token, "start_index", None)
    return source.count("\n", 0, index) + 1 if isinstance(index, int) and index >= 0 else None


TOKENS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def escape_around(text: str) -> str:
    """Escape text for HTML, leaving Liquid as it is."""
    done, position = [], 0
    for token in TOKENS.finditer(text):
        done += [html.escape(text[position : token.start()]), token[0]]
        position = token.end()
    return "".join([*done, html.escape(text[position:])])


def used_fields(sources: Iterable[str]) -> dict[str, int]:
    """The merge fields of several templates together. Raises TemplateProblem."""
    found: dict[str, int] = {}
    for source in sources:
        found |= parse(source).fields
    return found
