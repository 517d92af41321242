"""What a rule found: a value, not yet a row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from . import parameters

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One collision. ``people`` is None while only dates and offers are known (the metadata pass).

    ``facts`` holds JSON-plain figures, ids and ISO moments, never names or addresses of people.
    """

    rule: str
    subjects: tuple[int, ...]
    campaigns: tuple[int, int | None]
    severity: int
    messages: tuple[int | None, int | None] = (None, None)
    people: BitMap | None = None
    at: datetime | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """The rule and its stable subjects, never the figures: the same collision keeps its row and its decisions."""
        return f"{self.rule}:{'-'.join(str(subject) for subject in self.subjects)}"

    @property
    def count(self) -> int | None:
        """How many people it touches; None while they are not counted."""
        return None if self.people is None else len(self.people)


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
