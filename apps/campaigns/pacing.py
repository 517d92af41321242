"""How contacts are counted against a limit: which of them count, how much each weighs, and what one window is.

The one place of it, so that the calendar, the rules and the claim say the same. A window always ends with a contact. Without
grouping it is the stretch of the policy's hours before that (what lies exactly so long ago does not count). With grouping it
begins with the first day of the week, month or quarter in which that stretch begins, in the company's zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from apps.consent.models import PurposeClass

MOMENT = timedelta(microseconds=1)
LONGEST = {"none": timedelta(0), "week": timedelta(days=8), "month": timedelta(days=32), "quarter": timedelta(days=93)}


class Cap(Protocol):
    """A limit on contacts: a contact policy, or a minimum gap, which is one contact in any window as long as the gap."""

    @property
    def limit(self) -> int: ...
    @property
    def window(self) -> timedelta: ...
    @property
    def channels(self) -> Sequence[str]: ...
    @property
    def department_id(self) -> int | None: ...
    @property
    def counts_service(self) -> bool: ...
    @property
    def grouping(self) -> str: ...
    @property
    def weights(self) -> Mapping[str, int]: ...


def counts(cap: Cap, channel: str, purpose_class: str, department_id: int) -> bool:
    """Whether a contact of this kind counts under the cap. Safety always does, service where the cap says so."""
    if cap.channels and channel not in cap.channels:
        return False
    if cap.department_id is not None and cap.department_id != department_id:
        return False
    return purpose_class != PurposeClass.SERVICE or cap.counts_service


def weight(cap: Cap, channel: str) -> int:
    """As how many contacts one on this channel counts."""
    return cap.weights.get(channel, 1)


def begins(cap: Cap, end: datetime, zone: ZoneInfo) -> datetime:
    """The first moment that lies in the window that ends at `end`."""
    start = end - cap.window
    if cap.grouping == "none":
        return start + MOMENT
    day = start.astimezone(zone).date()
    if cap.grouping == "week":
        day -= timedelta(days=day.weekday())
    else:
        day = day.replace(day=1)
    if cap.grouping == "quarter":
        day = day.replace(month=3 * ((day.month - 1) // 3) + 1)
    return datetime.combine(day, time.min, zone)


def reach(cap: Cap) -> timedelta:
    """So far apart two contacts can at most lie in one window."""
    return cap.window + LONGEST[cap.grouping]


def is_full(cap: Cap, others: Sequence[tuple[datetime, int]], at: datetime, own: int, zone: ZoneInfo) -> bool:
    """Whether a contact at `at` that weighs `own` would pass the cap, given the (moment, weight) of a person's others.

    Asked are the window that ends with it and those that end with a later contact and contain it.
    """
    near = sorted(others)
    for end in [at, *[moment for moment, _weight in near if moment > at]]:
        first = begins(cap, end, zone)
        if first > at:
            return False
        if own + sum(each for moment, each in near if first <= moment <= end) > cap.limit:
            return True
    return False
