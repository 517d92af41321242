"""Compiled contents, one class per family of channels; each has its text with `slots.marker` at its slots."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .mime import BadHeader, MimeTemplate
from .slots import MissingSlot, UnknownSlot, fill_text, marker, names, pieces

__all__ = [
    "BadHeader",
    "CallContent",
    "LetterContent",
    "MimeTemplate",
    "MissingSlot",
    "SmsContent",
    "UnknownSlot",
    "marker",
    "unsubscribe_headers",
]


def unsubscribe_headers(url: str, mailto: str = "") -> dict[str, str]:
    """One-click unsubscribing by RFC 8058 and RFC 2369: one HTTPS address first, a mail address second if any."""
    second = f", <mailto:{mailto}>" if mailto else ""
    return {"List-Unsubscribe": f"<{url}>{second}", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


@dataclass(frozen=True)
class SmsContent:
    """A text message."""

    text: str

    @cached_property
    def pieces(self) -> list[tuple[bool, str]]:
        return pieces(self.text)

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(names(self.text))

    def fill(self, slots: Mapping[str, str]) -> str:
        """The text for one person; raises `MissingSlot`."""
        return fill_text(self.pieces, slots)


@dataclass(frozen=True)
class LetterContent:
    """A letter: a heading, paragraphs parted by an empty line ("# " begins a sub-heading, "- " an item), a signature.

    `sender_lines` is the return address over the window, `footer` the small print at the foot of each page.
    """

    heading: str
    text: str
    signature: str = ""
    sender_lines: tuple[str, ...] = ()
    footer: str = ""
    colour: str = "#0f766e"

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(names(self.heading, self.text, self.signature))

    def fill(self, slots: Mapping[str, str]) -> "LetterContent":
        """The letter for one person; raises `MissingSlot`."""
        return LetterContent(
            heading=fill_text(pieces(self.heading), slots),
            text=fill_text(pieces(self.text), slots),
            signature=fill_text(pieces(self.signature), slots),
            sender_lines=self.sender_lines,
            footer=self.footer,
            colour=self.colour,
        )


@dataclass(frozen=True)
class CallContent:
    """A call: the script the agent reads, and the questions or outcomes it asks for."""

    script: str
    goal: str = ""
    outcomes: tuple[str, ...] = field(default=())

    @property
    def slots(self) -> frozenset[str]:
        return frozenset(names(self.script, self.goal))

    def fill(self, slots: Mapping[str, str]) -> str:
        """The script for one person; raises `MissingSlot`."""
        return fill_text(pieces(self.script), slots)
