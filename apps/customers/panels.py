"""The seam by which apps above customers put panels on the customer page and the counter page.

A panel is a callable ``(request, customer, now) -> Panel | None``: title and finished (safe) HTML. Slots, top to
bottom: page ``timeline`` gives entries instead of HTML; page side: ``consent``, ``upcoming``, ``messages``,
``pressure``; counter: ``offers``, ``counter``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from apps.customers.models import Customer

SIDE_SLOTS = ("consent", "upcoming", "messages", "pressure")
COUNTER_SLOTS = ("offers", "counter")


@dataclass(frozen=True)
class Panel:
    """One card: its title and its HTML, already escaped."""

    title: str
    html: str


@dataclass(frozen=True)
class TimelineEntry:
    """One line of the customer's timeline. ``colour`` is a department's colour 1..8, 0 is neutral.

    ``channel`` is a channel code or an interaction kind; ``planned`` marks what has not happened yet; ``url`` leads to
    all reasons or the message.
    """

    at: datetime
    channel: str
    title: str
    about: str = ""
    detail: str = ""
    colour: int = 0
    planned: bool = False
    url: str = ""
    url_label: str = ""


PanelMaker = Callable[[HttpRequest, "Customer", datetime], Panel | None]
EntryMaker = Callable[["Customer", datetime, datetime | None, int], Iterable[TimelineEntry]]

_panels: dict[str, list[PanelMaker]] = defaultdict(list)
_entries: list[EntryMaker] = []


def register(slot: str, maker: PanelMaker) -> None:
    """Adds a panel to a slot, after those already there."""
    if slot not in SIDE_SLOTS + COUNTER_SLOTS:
        raise ValueError(f"no such slot: {slot!r}")
    if maker not in _panels[slot]:
        _panels[slot].append(maker)


def register_timeline(maker: EntryMaker) -> None:
    """Adds entries to the timeline: ``(customer, now, before, limit)`` -> the newest ``limit`` entries before ``before``.

    Planned entries are given only when ``before`` is None.
    """
    if maker not in _entries:
        _entries.append(maker)


def panels(slot: str, request: HttpRequest, customer: Customer, now: datetime) -> list[Panel]:
    """The panels of a slot that have something to show."""
    made = (maker(request, customer, now) for maker in _panels[slot])
    return [panel for panel in made if panel is not None]


def entries(customer: Customer, now: datetime, before: datetime | None, limit: int) -> list[TimelineEntry]:
    """Timeline entries of all apps above, unsorted."""
    return [entry for maker in _entries for entry in maker(customer, now, before, limit)]
