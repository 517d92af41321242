"""Slots: the places of a compiled content that differ from person to person.

A slot is written into subject, HTML and text as a marker of letters and digits only, so that it passes unharmed
through MJML, HTML sanitising, escaping and link rewriting. (Not inside a host name: those are lower-cased.)
"""

import re
from collections.abc import Iterable, Mapping, Sequence

_MARKER = re.compile(r"Qx7slot([a-z0-9]+(?:_[a-z0-9]+)*)tols7xQ")
_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")


class MissingSlot(Exception):
    """A message came without the value of a slot its content has."""


class UnknownSlot(Exception):
    """A content has a slot that nobody declared."""


def marker(name: str) -> str:
    """How slot `name` (lower-case letters, digits, single underscores) is written into content."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a slot name: {name!r}")
    return f"Qx7slot{name}tols7xQ"


def pieces(text: str) -> list[tuple[bool, str]]:
    """`text` cut at its markers: (True, slot name) and (False, static text), in order, no empty statics."""
    parts = _MARKER.split(text)
    return [(i % 2 == 1, part) for i, part in enumerate(parts) if i % 2 or part]


def names(*texts: str) -> set[str]:
    """The slots that occur in `texts`."""
    return {name for text in texts for name in _MARKER.findall(text)}


def declared(texts: Sequence[str], slots: Iterable[str]) -> frozenset[str]:
    """The slots of `texts`; raises `UnknownSlot` when one of them is not among `slots`."""
    found = names(*texts)
    unknown = found - set(slots)
    if unknown:
        raise UnknownSlot(", ".join(sorted(unknown)))
    return frozenset(found)


def fill_text(text_pieces: Iterable[tuple[bool, str]], values: Mapping[str, str]) -> str:
    """Pieces with their slots filled by `values`; raises `MissingSlot`."""
    try:
        return "".join([values[part] if is_slot else part for is_slot, part in text_pieces])
    except KeyError as missing:
        raise MissingSlot(str(missing.args[0])) from None
