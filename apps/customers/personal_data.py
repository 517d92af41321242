"""The seam for one person's data: every app registers how it exports and how it erases what it holds.

Erasing works on all ids of an alias group (a survivor and everybody merged into it), inside one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Holding:
    """What an eraser would do, told before anybody asks it to: a sentence and how many things it touches."""

    text: str
    count: int


Exporter = Callable[[list[int]], Any]
Eraser = Callable[[list[int], list[tuple[str, str]], datetime], dict[str, int]]
Teller = Callable[[list[int]], list[Holding]]

EXPORTERS: dict[str, Exporter] = {}
ERASERS: dict[str, Eraser] = {}
TELLERS: dict[str, Teller] = {}


def register_exporter(name: str, exporter: Exporter) -> None:
    """``exporter(customer_ids)`` returns JSON-able data, placed under ``name`` in the person's file."""
    EXPORTERS[name] = exporter


def register_eraser(name: str, eraser: Eraser, tell: Teller | None = None) -> None:
    """``eraser(customer_ids, addresses, now)`` empties what it holds and returns counts.

    ``addresses`` are (kind, normalised value) pairs of the person, gathered before anything is emptied, so that keyed
    hashes can be kept and sandbox copies found. ``tell(customer_ids)`` says beforehand what it would do. Erasers run
    in the order of registration, customers' own last.
    """
    ERASERS[name] = eraser
    if tell is not None:
        TELLERS[name] = tell
