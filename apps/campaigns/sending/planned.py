"""Scheduled messages that will contact the same people around a moment, and go before the one that asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q
from pyroaring import BitMap

from apps.campaigns.elsewhere.runs import ToldDays, still_planned, told_by_day
from apps.campaigns.models import Message, Run
from apps.campaigns.models.plan import CampaignStatus, MessageKind
from apps.campaigns.models.sending import RunState
from apps.consent.models import PurposeClass

from .occurrences import BadRecurrence, Occurrence, occurrences
from .reservations import waiting


@dataclass(frozen=True)
class Planned:
    """One coming contact of a scheduled message with some people."""

    message: Message
    at: datetime
    channel: str
    purpose_class: str
    department_id: int
    people: BitMap

    def among(self, people: BitMap) -> Planned:
        """The same, for these people only."""
        return replace(self, people=self.people & people)


def priority(message: Message) -> int:
    """0 to 100, higher goes first; before everything goes safety, and what another tool sends without asking us."""
    return 1000 if message.kind == MessageKind.ELSEWHERE else rank_of(message)


def rank_of(message: Message) -> int:
    """The same for whoever asks: another tool's message asks by its campaign's priority."""
    if message.purpose is not None and message.purpose.purpose_class == PurposeClass.SAFETY:
        return 1000
    return message.campaign.priority if message.priority is None else message.priority


def scheduled(message: Message) -> list[Message]:
    """All other messages that are scheduled to contact people we know, and what another tool has sent them."""
    is_scheduled = Q(campaign__status__in=[CampaignStatus.SCHEDULED, CampaignStatus.LIVE])
    is_done_elsewhere = Q(kind=MessageKind.ELSEWHERE, campaign__status=CampaignStatus.DONE)
    return list(
        Message.objects.filter(is_scheduled | is_done_elsewhere, is_stopped=False)
        .exclude(kind=MessageKind.UNADDRESSED)
        .exclude(pk=message.pk)
        .select_related("campaign", "purpose")
        .defer("plan_audience")
    )


def competitors(
    message: Message, people: BitMap, at: datetime, span: timedelta, *, looking_ahead: bool
) -> Iterator[Planned]:
    """Contacts less than `span` away from `at` that will go before this message's claim on the same people.

    That is: of higher priority; with `looking_ahead` also of the same priority, if they come earlier. What another tool
    sends counts whenever it does: it holds nobody back for us.
    """
    own, coming = rank_of(message), []
    for other in scheduled(message):
        rank = priority(other)
        if rank < own or (rank == own and not looking_ahead):
            continue
        coming += [(other, each) for each in _around(other, at, span) if rank != own or each.at < at]
    known = _Known.of(coming)
    for other, occurrence in coming:
        reached = _elsewhere if other.kind == MessageKind.ELSEWHERE else _people
        if group := reached(other, occurrence, known, people, at, looking_ahead):
            yield Planned(other, occurrence.at, other.channel, _class(other), other.campaign.department_id, group)


@dataclass(frozen=True)
class _Known:
    """What is asked of the database for all these occurrences at once."""

    runs: dict[tuple[int, str], Run]
    audiences: dict[int, BitMap]
    told: dict[int, ToldDays]

    @classmethod
    def of(cls, coming: list[tuple[Message, Occurrence]]) -> _Known:
        ids = {message.pk for message, _occurrence in coming}
        keys = {occurrence.key for _message, occurrence in coming}
        runs = Run.objects.filter(message__in=ids, occurrence__in=keys).only("id", "state", "message_id", "occurrence") if ids else ()
        rows = Message.objects.filter(pk__in=ids).values_list("pk", "plan_audience") if ids else ()
        elsewhere = {message.pk for message, _occurrence in coming if message.kind == MessageKind.ELSEWHERE}
        return cls(
            {(run.message_id, run.occurrence): run for run in runs}, {pk: people or BitMap() for pk, people in rows},
            told_by_day(elsewhere) if elsewhere else {},
        )


def _class(message: Message) -> str:
    return message.purpose.purpose_class if message.purpose else PurposeClass.PROMOTION


def _around(message: Message, at: datetime, span: timedelta) -> list[Occurrence]:
    try:
        return [each for each in occurrences(message, at - span, at + span) if abs(each.at - at) < span]
    except BadRecurrence:
        return []


def _people(
    message: Message, occurrence: Occurrence, known: _Known, people: BitMap, at: datetime, looking_ahead: bool
) -> BitMap:
    run = known.runs.get((message.pk, occurrence.key))
    if run is not None:
        if run.state not in (RunState.PLANNED, RunState.RUNNING):
            return BitMap()
        return waiting([run.pk], people).get(run.pk, BitMap())
    if occurrence.at < at and not looking_ahead:
        return BitMap()
    return known.audiences.get(message.pk, BitMap()) & people


def _elsewhere(
    message: Message, occurrence: Occurrence, known: _Known, people: BitMap, at: datetime, looking_ahead: bool
) -> BitMap:
    """Those of the people whom another tool is to contact by its plan, without those who count already by name."""
    planned = known.audiences.get(message.pk, BitMap()) & people
    return still_planned(planned, known.told.get(message.pk, []), occurrence.at) if planned else planned
