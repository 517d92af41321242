"""The reach waterfall: from the audience, step by step, to the people who will be contacted.

Each step is a set of people, so that every number on the page opens to them, and every loss has its reasons. It tells what
would happen as things stand; sending asks everything again for each person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from apps.consent import gate
from apps.core.reasons import Reason, sentence

from . import audiences
from .content import fields, versions
from .models import Campaign, Message, MessageKind
from .models.sending import ArmKind
from .sending import agreements, aliases, arms, limits, serve_first, stand_ins

AUDIENCE, CONTACTED = "audience", "contacted"
LABELS = {
    AUDIENCE: _("Audience"),
    "address": _("Has an address"),
    "consent": _("Has consented"),
    "suppression": _("Not suppressed"),
    "law": _("Allowed by law"),
    "service": _("Nothing open to serve first"),
    "limit": _("Within contact limit"),
    "agreement": _("Not left to others"),
    "version": _("Has a version"),
    "fields": _("Has every merge field"),
    "control": _("Outside control group"),
    CONTACTED: _("Will be contacted"),
}
# which of the gate's reasons make which step
GATE_STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("address", (Reason.NO_ADDRESS, Reason.BAD_ADDRESS)),
    ("consent", (Reason.NO_CONSENT, Reason.WITHDRAWN)),
    ("suppression", (Reason.SUPPRESSED, Reason.BOUNCED, Reason.COMPLAINED, Reason.ERASED)),
    ("law", (Reason.JURISDICTION,)),
)


@dataclass(frozen=True)
class Step:
    """Who is left after a step, and who was lost in it by which reason."""

    code: str
    people: BitMap
    lost: dict[str, BitMap] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return str(LABELS[self.code])

    @property
    def count(self) -> int:
        return len(self.people)

    @property
    def lost_count(self) -> int:
        return len(BitMap.union(BitMap(), *self.lost.values()))

    @property
    def reasons(self) -> list[tuple[str, str, int]]:
        """(code, sentence, people) for each reason, most people first."""
        found = [(code, sentence(code), len(people)) for code, people in self.lost.items() if people]
        return sorted(found, key=lambda each: -each[2])


class _Fall:
    """Collects the steps; each removes people."""

    def __init__(self, people: BitMap) -> None:
        self.left = people
        self.steps = [Step(AUDIENCE, people)]

    def lose(self, code: str, lost: dict[str, BitMap], notes: Iterable[str] = ()) -> None:
        gone = {reason: people & self.left for reason, people in lost.items()}
        gone = {reason: people for reason, people in gone.items() if people}
        self.left = self.left - BitMap.union(BitMap(), *gone.values())
        self.steps.append(Step(code, self.left, gone, tuple(notes)))


def waterfall(message: Message, *, now: datetime) -> list[Step]:
    """The steps for one message, as things stand at ``now`` for its sending time."""
    at = max(message.send_at, now)
    fall = _Fall(audiences.compute(message, now=now))
    _by_gate(fall, message, at)
    who_is_whom = aliases.of(fall.left)
    _by_service(fall, message, at, who_is_whom)
    fall.lose("limit", limits.held_back(message, fall.left, at, who_is_whom))
    _by_agreement(fall, message, at, who_is_whom)
    fall.lose("version", {Reason.NO_VERSION: versions.without_version(message, fall.left)})
    if message.needs_fields:
        fall.lose("fields", {Reason.MISSING_FIELD: _without_fields(message, fall.left, now)})
    fall.lose("control", {Reason.CONTROL_GROUP: arms.control_group(message, fall.left)})
    fall.steps.append(Step(CONTACTED, fall.left))
    return fall.steps


def _by_gate(fall: _Fall, message: Message, at: datetime) -> None:
    denied: dict[str, BitMap] = {}
    if message.purpose is not None:
        judgement = gate.judge(people=fall.left, channel=message.channel, purpose=message.purpose, at=at)
        denied = {str(reason): people for reason, people in judgement.denied.items()}
    known = {reason for _step, reasons in GATE_STEPS for reason in reasons}
    for code, reasons in GATE_STEPS:
        lost = {reason: denied[reason] for reason in reasons if reason in denied}
        if code == "law":
            lost |= {reason: people for reason, people in denied.items() if reason not in known}
            if not lost:
                continue
        fall.lose(code, lost)


def _by_service(fall: _Fall, message: Message, at: datetime, who_is_whom: aliases.Aliases) -> None:
    """A step of its own only where somebody is left out by it."""
    held = serve_first.held_back(message, fall.left, at, who_is_whom)
    if held:
        fall.lose("service", {Reason.SERVE_FIRST: held})


def _by_agreement(fall: _Fall, message: Message, at: datetime, who_is_whom: aliases.Aliases) -> None:
    found = agreements.left_to_others(message, fall.left, at, who_is_whom)
    names = [
        str(a.keeping_campaign if a.yielding_campaign_id == message.campaign_id else a.yielding_campaign) for a, _p in found
    ]
    lost = BitMap.union(BitMap(), *[people for _a, people in found])
    elsewhere = stand_ins.left_out(message, fall.left - lost, at, who_is_whom)
    fall.lose("agreement", {Reason.AGREED: lost, Reason.OTHER_CHANNEL: elsewhere}, names)


def _without_fields(message: Message, people: BitMap, now: datetime) -> BitMap:
    """Those for whom a merge field of the very version that they would get is empty."""
    chooser, out = versions.Chooser.of(message), BitMap()
    readers = versions.by_language(people)
    for arm in arms.drawn(message, people):
        for language, part in readers.items():
            version = chooser.version(arm.code, language) if arm.kind == ArmKind.VARIANT else None
            if version is not None and (some := part & arm.people):
                out |= BitMap.union(BitMap(), *fields.missing(message, version, some, now=now).values())
    return out


def together(falls: Iterable[list[Step]]) -> list[Step]:
    """The steps for people contacted by at least one of several messages."""
    falls = list(falls)
    steps: list[Step] = []
    for code in LABELS:
        same = [step for fall in falls for step in fall if step.code == code]
        if not same:
            continue
        # a message without this step (law) lets everybody through it
        people = BitMap.union(BitMap(), *[_at_step(fall, code) for fall in falls])
        before = steps[-1].people if steps else people
        lost: dict[str, BitMap] = {}
        for step in same:
            for reason, gone in step.lost.items():
                lost[reason] = lost.get(reason, BitMap()) | (gone & (before - people))
        notes = tuple(dict.fromkeys(note for step in same for note in step.notes))
        steps.append(Step(code, people, {reason: gone for reason, gone in lost.items() if gone}, notes))
    return steps


def _at_step(fall: list[Step], code: str) -> BitMap:
    order = list(LABELS)
    reached = [step for step in fall if order.index(step.code) <= order.index(code)]
    return reached[-1].people


def addressed(campaign: Campaign) -> list[Message]:
    """The campaign's messages to people we know, that we send ourselves."""
    return list(
        campaign.messages.filter(kind=MessageKind.ADDRESSED)
        .select_related("campaign", "purpose", "account", "offer")
        .defer("plan_audience")
    )


def of_campaign(campaign: Campaign, *, now: datetime) -> dict[int, list[Step]]:
    """message id -> its waterfall, for all addressed messages."""
    return {message.pk: waterfall(message, now=now) for message in addressed(campaign)}
