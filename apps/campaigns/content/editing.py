"""What an editing form sends back: blocks as named fields, and the buttons that add, move and remove them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from django.core.exceptions import ValidationError

from . import blocks

TEXTS = ("format", "template", "subject", "preheader", "body")


class Posted(Protocol):
    """The part of a QueryDict that is used."""

    def get(self, name: str, default: Any = None, /) -> Any: ...
    def getlist(self, name: str, /) -> list[str]: ...
    def __contains__(self, name: object, /) -> bool: ...


def read(posted: Posted, kinds: Mapping[str, str]) -> dict[str, Any]:
    """The words in a posted form. ``kinds`` maps ids of blocks that exist to their kind; new ones name theirs."""
    values: dict[str, Any] = {name: _text(posted.get(name)) for name in TEXTS if name in posted}
    if "has_blocks" in posted:
        values["blocks"] = [_block(posted, block_id, kinds) for block_id in posted.getlist("block")]
    return values


def _text(value: Any) -> str:
    """Line ends as one sign, and without the zero sign, which no database keeps."""
    return str(value).replace("\r\n", "\n").replace("\x00", "")


def _block(posted: Posted, block_id: str, kinds: Mapping[str, str]) -> blocks.Block:
    kind = posted.get(f"{block_id}-kind") or kinds.get(block_id, "")
    names = blocks.FIELDS.get(kind, ())
    return {"id": block_id, "kind": kind, **{name: _text(posted.get(f"{block_id}-{name}", "")) for name in names}}


def act(shown: list[blocks.Block], order: str) -> list[blocks.Block]:
    """Carry out a button: ``add:<kind>``, ``add:<kind>:<after id>``, ``up:<id>``, ``down:<id>``, ``remove:<id>``, ``copy:<id>``.

    An order about a block that is gone meanwhile changes nothing. Raises ValidationError for an unknown kind.
    """
    what, _colon, rest = order.partition(":")
    if what == "add":
        kind, _colon, after = rest.partition(":")
        place = next((i + 1 for i, block in enumerate(shown) if block["id"] == after), len(shown))
        return [*shown[:place], blocks.new(kind), *shown[place:]]
    place = next((i for i, block in enumerate(shown) if block["id"] == rest), -1)
    if place < 0:
        return shown
    return _moved(shown, what, place)


def next_place(before: list[blocks.Block], after: list[blocks.Block], order: str) -> str:
    """The id of the element where work goes on after a button: the new block, the moved block's button, the neighbour's."""
    what, _colon, rest = order.partition(":")
    old, now = [block["id"] for block in before], [block["id"] for block in after]
    new = next((each for each in now if each not in old), "")
    if new:
        return f"block-{new}"
    if what in {"up", "down"} and rest in now:
        at_end = rest == (now[0] if what == "up" else now[-1])
        return f"{rest}-{({'up': 'down', 'down': 'up'}[what] if at_end else what)}"
    if what == "remove" and rest in old:
        return f"{now[min(old.index(rest), len(now) - 1)]}-remove" if now else "add-heading"
    return ""


def _moved(shown: list[blocks.Block], what: str, place: int) -> list[blocks.Block]:
    block, others = shown[place], [*shown[:place], *shown[place + 1 :]]
    if what == "remove":
        return others
    if what == "copy":
        return [*shown[: place + 1], block | {"id": blocks.new(block["kind"])["id"]}, *shown[place + 1 :]]
    if what in {"up", "down"}:
        to = max(0, place - 1) if what == "up" else place + 1
        return [*others[:to], block, *others[to:]]
    raise ValidationError(what)
