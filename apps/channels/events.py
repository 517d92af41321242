"""Keeps what happened to deliveries, once each, and tells the apps above."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from .models import ChannelAccount, ContactEvent
from .signals import provider_event


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
        fresh = _unknown(news)
        events = [_event(account, each, now) for each in fresh]
        ContactEvent.objects.bulk_create(events, ignore_conflicts=True)
        if events:
            transaction.on_commit(lambda: provider_event.send(sender=ContactEvent, events=events))
    return events


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
    )
    event.address, event.text = news.address, news.text
    return event
