"""Who of the people of a conflict is in what else, and how often they are contacted: what its page draws."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from pyroaring import BitMap

from ..models import Campaign, Conflict
from . import loading, pressure
from .snapshot import Plan

WINDOW = timedelta(days=7)
MOST_TIMES, MOST_SETS, MOST_GROUPS = 7, 5, 8


@dataclass(frozen=True)
class Shared:
    """Campaigns (name, people of the conflict it reaches) and disjoint groups (which campaigns exactly, people), largest first."""

    sets: tuple[tuple[str, int], ...]
    groups: tuple[tuple[frozenset[int], int], ...]


def spread(plan: Plan, people: BitMap, *, around: Iterable[datetime]) -> tuple[int, ...]:
    """How many of the people have at most 0, 1, 2 ... contacts in the fullest seven days; the last counts that many and more.

    Looks at what is planned from now to a week after the last of ``around``, net of agreements. Cost grows with contacts.
    """
    moments = list(around)
    if not people or not moments:
        return ()
    first, last = max(plan.now, min(moments) - WINDOW), max(moments) + WINDOW
    contacts = sorted(pressure.planned_contacts(plan, first=first, last=last, among=people), key=lambda each: each.at)
    counter, inside = pressure.Counter(), deque[pressure.Contact]()
    reached = [BitMap() for _times in range(MOST_TIMES)]
    for contact in contacts:
        while inside and contact.at - inside[0].at >= WINDOW:
            counter.remove(inside.popleft().people)
        inside.append(contact)
        counter.add(contact.people)
        for times, found in enumerate(reached):
            found |= counter.over(times)
    at_least = [len(people), *(len(found) for found in reached)]
    return tuple(here - more for here, more in zip(at_least, [*at_least[1:], 0], strict=True))


def shared(conflict: Conflict, *, now: datetime) -> Shared | None:
    """Which campaigns within a week of the conflict share its people; None where they are fewer than three."""
    people = cast(BitMap, Conflict.objects.values_list("people_both", flat=True).get(pk=conflict.pk) or BitMap())
    if not people or conflict.first_at is None:
        return None
    plan = loading.load(now=now)
    assert plan.people is not None
    near = [
        message for message in plan.messages.values() if not message.is_public
        and any(start <= conflict.first_at + WINDOW and end >= conflict.first_at - WINDOW for start, end in message.windows)
    ]
    plan.people.fetch(near)
    reached: dict[int, BitMap] = {}
    for message in near:
        reached[message.campaign_id] = reached.get(message.campaign_id, BitMap()) | (plan.people.of(message) & people)
    chosen = sorted((pk for pk in reached if reached[pk]), key=lambda pk: (-len(reached[pk]), pk))[:MOST_SETS]
    if len(chosen) < 3:
        return None
    names = dict(Campaign.objects.filter(pk__in=chosen).values_list("pk", "name"))
    groups = parted(people, [reached[pk] for pk in chosen])
    return Shared(tuple((names[pk], len(reached[pk])) for pk in chosen), tuple(groups[:MOST_GROUPS]))


def parted(people: BitMap, sets: list[BitMap]) -> list[tuple[frozenset[int], int]]:
    """The people in groups by exactly which of the sets they are in, the largest first; those in none are left out."""
    groups: dict[frozenset[int], BitMap] = {frozenset(): people}
    for place, members in enumerate(sets):
        split: dict[frozenset[int], BitMap] = {}
        for inside, group in groups.items():
            split[inside | {place}], split[inside] = group & members, group - members
        groups = {inside: group for inside, group in split.items() if group}
    found = [(inside, len(group)) for inside, group in groups.items() if inside]
    return sorted(found, key=lambda group: (-group[1], sorted(group[0])))
