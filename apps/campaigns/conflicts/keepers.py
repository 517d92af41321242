"""Whom the side that keeps people cannot contact after all: without consent, held out, bounced, or refused when it ran.

The claim leaves these people to the yielding side, so the plan's counts must, too. Asked like there, by the gate and the control
groups, about those only whom both sides have in their audience; each person once for a channel and purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pyroaring import BitMap

from apps.consent import gate
from apps.core import bitmaps

from ..models import Message, Run
from ..models.sending import RunState

Way = tuple[str, int | None]  # a channel and a purpose
Asked = tuple[BitMap, BitMap]  # who was asked about, and who of them cannot be contacted
NOBODY = BitMap()
# What reached somebody, or may have, of messages that are over.
REACHED = """
SELECT DISTINCT customer_id FROM campaigns_delivery
WHERE customer_id = ANY(%s) AND message_id = %s AND outcome IN ('sent', 'unknown')
"""


class Keepers:
    """Answers are kept for as long as the plan is looked at, also under other agreements."""

    def __init__(self, now: datetime | None, known: Mapping[int, BitMap] | None = None) -> None:
        self._now = now
        self._messages: dict[int, Message] = {}
        self._over: set[int] = set()
        self._denied: dict[Way, Asked] = {}
        self._out: dict[int, Asked] = {pk: (NOBODY, people) for pk, people in (known or {}).items()}

    def out(self, message_id: int) -> BitMap:
        """Those of the people asked about whom the message cannot contact."""
        return self._out.get(message_id, (NOBODY, NOBODY))[1]

    def ask(self, wanted: Mapping[int, BitMap]) -> None:
        """Asks for each message about these people, as far as they were not asked about before. The number of questions grows
        with channels and purposes, not with messages.
        """
        missing = {pk: people - self._out.get(pk, (NOBODY, NOBODY))[0] for pk, people in wanted.items()}
        missing = {pk: people for pk, people in missing.items() if people}
        if self._now is None or not missing:
            return
        self._load(missing.keys() - self._messages.keys())
        missing = {pk: people for pk, people in missing.items() if pk in self._messages}
        self._ask_the_gate({pk: people for pk, people in missing.items() if pk not in self._over})
        for pk, people in missing.items():
            asked, out = self._out.get(pk, (NOBODY, NOBODY))
            self._out[pk] = (asked | people, out | self._lost(self._messages[pk], people))

    def _load(self, ids: set[int]) -> None:
        if ids:
            rows = Message.objects.filter(pk__in=ids).select_related("campaign", "purpose").defer("plan_audience")
            self._messages |= {row.pk: row for row in rows}
            over = Run.objects.filter(message__in=ids, message__recurrence="", state__in=[RunState.DONE, RunState.CANCELLED])
            self._over |= set(over.values_list("message", flat=True))

    def _ask_the_gate(self, missing: Mapping[int, BitMap]) -> None:
        by_way: dict[Way, BitMap] = {}
        for pk, people in missing.items():
            way = self._way(pk)
            by_way[way] = by_way.get(way, NOBODY) | people
        for way, people in by_way.items():
            asked, denied = self._denied.get(way, (NOBODY, NOBODY))
            self._denied[way] = (asked | people, denied | self._refused(way, people - asked))

    def _refused(self, way: Way, people: BitMap) -> BitMap:
        purpose = next((each.purpose for pk, each in self._messages.items() if self._way(pk) == way), None)
        if purpose is None or not people:
            return people
        assert self._now is not None
        judgement = gate.judge(people=people, channel=way[0], purpose=purpose, at=self._now)
        return BitMap.union(NOBODY, *judgement.denied.values())

    def _lost(self, message: Message, people: BitMap) -> BitMap:
        from ..sending import arms

        if message.pk in self._over:
            return people - bitmaps.from_sql(REACHED, [list(people), message.pk])
        denied = people & self._denied[self._way(message.pk)][1]
        return denied | arms.control_group(message, people - denied)

    def _way(self, message_id: int) -> Way:
        message = self._messages[message_id]
        return message.channel, message.purpose_id
