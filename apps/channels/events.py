"""Keeps what happened to deliveries, once each, and tells the apps above."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from .models import ChannelAccount, ContactEvent, EventKind, InboundMessage
from .signals import provider_event

log = logging.getLogger(__name__)
_PATIENCE = timedelta(seconds=60)
# what changes somebody's rights is marked as told only afterwards, so that not even a crash in between loses a STOP
_MUST_BE_HEARD = {EventKind.UNSUBSCRIBED, EventKind.SUBSCRIBED, EventKind.COMPLAINED, EventKind.BOUNCED}


@dataclass(frozen=True)
class News:
    """An event about to be kept. `dedupe_key` is equal for the same news told twice on one channel."""

    channel: str
    kind: str
    at: datetime
    dedupe_key: str
    run_id: int | None = None
    customer_id: int | None = None
    machine: bool = False
    permanent: bool | None = None
    link_id: int | None = None
    code: str = ""
    address: str = ""
    text: str = ""


def record(*, account: ChannelAccount | None, news: Sequence[News], now: datetime) -> list[ContactEvent]:
    """Keeps what is new and returns it; listeners hear of it after the commit."""
    with transaction.atomic():
        events = _insert(account, news, now)
        if events:
            transaction.on_commit(lambda: _tell(events, now))
    return events


def _insert(account: ChannelAccount | None, news: Sequence[News], now: datetime) -> list[ContactEvent]:
    for _attempt in range(5):
        events = [_event(account, each, now) for each in _unknown(news)]
        try:
            with transaction.atomic():
                return ContactEvent.objects.bulk_create(events)
        except IntegrityError:  # somebody was told the same at this moment: look again what is new
            continue
    return []


def _tell(events: list[ContactEvent], now: datetime) -> None:
    answers = provider_event.send_robust(sender=ContactEvent, events=events)
    failed = [answer for _receiver, answer in answers if isinstance(answer, Exception)]
    for problem in failed:
        log.error("a listener did not take %d events", len(events), exc_info=problem)
    if failed:
        ContactEvent.objects.filter(pk__in=[event.pk for event in events]).update(told_at=None)
    elif waiting := [event.pk for event in events if event.told_at is None]:
        ContactEvent.objects.filter(pk__in=waiting).update(told_at=now)


def tell_again(*, now: datetime, most: int = 500) -> int:
    """Tells listeners what they have not heard of: one of them failed, or we stopped in between. How many."""
    silent = ContactEvent.objects.filter(told_at=None, recorded_at__lt=now - _PATIENCE)
    events = list(silent.select_related("account").order_by("recorded_at")[:most])
    for event in events:
        _remember_address(event)
    if events:
        _tell(events, now)
    return len(events)


def _remember_address(event: ContactEvent) -> None:
    parts = event.dedupe_key.split(":")
    if event.account and parts[-1] == "inbound":
        said = InboundMessage.objects.filter(account=event.account, provider_id=parts[1]).first()
        if said:
            event.address, event.text = said.address, said.text


def _unknown(news: Sequence[News]) -> list[News]:
    once = {(each.channel, each.dedupe_key): each for each in news}
    keys = [key for _, key in once]
    known = set(ContactEvent.objects.filter(dedupe_key__in=keys).values_list("channel", "dedupe_key"))
    return [each for place, each in once.items() if place not in known]


def _event(account: ChannelAccount | None, news: News, now: datetime) -> ContactEvent:
    event = ContactEvent(
        run_id=news.run_id,
        customer_id=news.customer_id,
        account=account,
        channel=news.channel,
        kind=news.kind,
        at=news.at,
        recorded_at=now,
        machine=news.machine,
        permanent=news.permanent,
        link_id=news.link_id,
        code=news.code,
        dedupe_key=news.dedupe_key,
        told_at=None if news.kind in _MUST_BE_HEARD else now,
    )
    event.address, event.text = news.address, news.text
    return event
