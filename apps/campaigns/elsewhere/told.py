"""What another tool tells, item by item, made into contacts: everything is checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.campaigns.models import Message, MessageKind
from apps.channels.kinds import Channel
from apps.consent.models import Purpose
from apps.customers import naming

from . import catch_all, contacts
from .contacts import Contact

MOST = 1000
# Clocks of other machines may be a little ahead; older contacts than this are in no report and no limit any more.
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=730)


@dataclass(frozen=True)
class Told:
    """What became of one item: ``recorded``, ``known`` (told before) or ``refused`` with a problem in words."""

    id: str
    outcome: str
    problem: str = ""


class _Unfit(ValueError):
    """The item cannot be used; the message says why."""


@dataclass
class _Frame:
    """What the items are checked against, looked up once."""

    department: Department
    people: dict[naming.Key, int]
    messages: dict[int, Message]
    purposes: dict[str, Purpose]
    country: str
    now: datetime


def tell(
    *, department: Department, items: Sequence[Mapping[str, Any]], now: datetime, message: Message | None = None,
    country: str = "",
) -> list[Told]:
    """Records up to MOST contacts (``id, person, at`` and ``message`` or ``channel`` with ``purpose``, maybe ``permission``).

    A bad item is refused in words and the others are kept. ``message`` is meant where an item names none;
    ``country`` is the home of phone numbers without a prefix.
    """  # fmt: skip
    frame = _frame(department, items, message, country, now)
    answers: dict[int, Told] = {}
    fit: dict[int, Contact] = {}
    for place, item in enumerate(items):
        try:
            fit[place] = _contact(item, frame, message)
        except (_Unfit, naming.NotAName, catch_all.NobodyPlans) as problem:
            answers[place] = Told(str(item["id"]), "refused", str(problem))
    new = contacts.record(department=department, contacts=list(fit.values()), now=now)
    for place, contact in fit.items():
        answers[place] = Told(contact.key, "recorded" if contact.key in new else "known")
        new.discard(contact.key)
    return [answers[place] for place in range(len(items))]


def _frame(
    department: Department, items: Sequence[Mapping[str, Any]], message: Message | None, country: str, now: datetime
) -> _Frame:
    named = {int(item["message"]) for item in items if item.get("message")}
    loaded = Message.objects.filter(pk__in=named).select_related("campaign", "purpose", "account").defer("plan_audience")
    codes = {str(item["purpose"]) for item in items if item.get("purpose")}
    return _Frame(
        department=department,
        people=naming.find(key for item in items if (key := _key(item, country))),
        messages={each.pk: each for each in loaded} | ({message.pk: message} if message else {}),
        purposes={each.code: each for each in Purpose.objects.filter(code__in=codes)},
        country=country,
        now=now,
    )


def _key(item: Mapping[str, Any], country: str) -> naming.Key | None:
    try:
        return naming.key_of(item["person"], country=country)
    except naming.NotAName:
        return None


def _contact(item: Mapping[str, Any], frame: _Frame, default: Message | None) -> Contact:
    at: datetime = item["at"]
    if at > frame.now + AHEAD:
        raise _Unfit(_("This contact is in the future. Ask for a permission instead."))
    if at < frame.now - OLDEST:
        raise _Unfit(_("This contact is more than two years old."))
    customer_id = frame.people.get(naming.key_of(item["person"], country=frame.country))
    if customer_id is None:
        raise _Unfit(_("Nobody, or more than one person, is known by this."))
    message = message_of(item, frame.department, frame.messages, frame.purposes, default, frame.now)
    return Contact(str(item["id"]), customer_id, message, at, str(item.get("permission") or ""))


def message_of(
    item: Mapping[str, Any], department: Department, messages: Mapping[int, Message], purposes: Mapping[str, Purpose],
    default: Message | None, now: datetime,
) -> Message:
    """The planned message an item belongs to, else the department's catch-all. Raises ValueError in words."""
    if item.get("message") or default is not None:
        message = messages.get(int(item["message"])) if item.get("message") else default
        if message is None or message.campaign.department_id != department.pk:
            raise _Unfit(_("Your department has no such message."))
        if message.kind != MessageKind.ELSEWHERE:
            raise _Unfit(_("This message is not sent elsewhere: Concord sends it itself, or it names nobody."))
        if item.get("channel") and item["channel"] != message.channel:
            raise _Unfit(_("This message goes over another channel."))
        return message
    channel, purpose = str(item.get("channel") or ""), purposes.get(str(item.get("purpose") or ""))
    if channel not in Channel.values or channel == Channel.UNADDRESSED:
        raise _Unfit(_("Name the message, or the channel and the purpose of the contact."))
    if purpose is None:
        raise _Unfit(_("There is no such purpose. A contact outside the plan needs a channel and a purpose."))
    return catch_all.message_for(department=department, channel=channel, purpose=purpose, now=now)
