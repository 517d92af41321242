"""What a rule found: a value, not yet a row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, overload

from pyroaring import BitMap

from . import parameters

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """People who are counted, and put together only when somebody wants to know who they are."""

    count: int
    gather: Callable[[], BitMap]


class _People:
    """Keeps what a finding was given; what is only counted is put together each time that it is asked for, and not kept."""

    @overload
    def __get__(self, finding: None, owner: type) -> None: ...
    @overload
    def __get__(self, finding: Finding, owner: type) -> BitMap | None: ...
    def __get__(self, finding: Finding | None, owner: type) -> BitMap | None:
        if finding is None:
            return None
        given: BitMap | Counted | None = finding.__dict__["_people"]
        return given.gather() if isinstance(given, Counted) else given

    def __set__(self, finding: Finding, given: BitMap | Counted | None) -> None:
        finding.__dict__["_people"] = given


@dataclass(frozen=True)
class Finding:
    """One collision. ``people`` is None while only dates and offers are known (the metadata pass).

    A rule may give people as ``Counted``: thousands of findings need no memory for people whom nobody asks for.

    ``facts`` holds JSON-plain figures, ids and ISO moments, never names or addresses of people.
    """

    rule: str
    subjects: tuple[int, ...]
    campaigns: tuple[int, int | None]
    severity: int
    messages: tuple[int | None, int | None] = (None, None)
    people: _People = _People()
    at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        """What is kept in a cache has its people with it."""
        return {**self.__dict__, "_people": self.people}

    @property
    def identity(self) -> str:
        """The rule and its stable subjects, never the figures: the same collision keeps its row and its decisions."""
        return f"{self.rule}:{'-'.join(str(subject) for subject in self.subjects)}"

    @property
    def count(self) -> int | None:
        """How many people it touches; None while they are not counted."""
        given = self.__dict__["_people"]
        return given.count if isinstance(given, Counted) else None if given is None else len(given)

    @property
    def is_counted(self) -> bool:
        """Whether its people are known."""
        return self.__dict__["_people"] is not None


def digest(facts: Facts) -> str:
    """SHA-256 of the facts in canonical JSON."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def grown(agreed: Facts, now: Facts) -> bool:
    """Whether clearly more people are touched than was agreed (see ``Parameters.worse_share``)."""
    before, after = agreed.get("people"), now.get("people")
    if after is None:
        return False
    return before is None or after > before * (1 + parameters.current().worse_share)


def changed_channels(agreed: Facts, now: Facts) -> bool:
    """Whether the two sides now meet on channels on which they did not when people agreed."""
    return not {tuple(both) for both in now.get("channels", ())} <= {tuple(both) for both in agreed.get("channels", ())}
