"""News that providers post to us: verified, kept as it came, understood, and told upwards, in one transaction.

The provider hears 2xx only after the commit; whatever goes wrong before makes it try again.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from . import events, registry
from .adapters.base import AdapterError, Event
from .adapters.base import RawEvent as Raw
from .models import ChannelAccount, InboundMessage, RawEvent
from .references import parse_reference

MAX_BYTES = 256 * 1024
_SECRET_HEADERS = {"authorization", "cookie", "x-twilio-signature", "proxy-authorization"}


@dataclass(frozen=True)
class Received:
    """What was made of a webhook, and what to answer. `known`: it had been told before."""

    known: bool
    content_type: str = "text/plain"
    body: bytes = b""


def receive(account: ChannelAccount, raw: Raw, *, now: datetime) -> Received:
    """Takes one webhook. Raises `NotAuthentic`; keeps verified but not understood ones with their problem."""
    adapter = registry.adapter_for(account)
    problem, understood = "", []
    try:
        understood = adapter.parse_events(raw)
    except AdapterError:
        raise
    except Exception as error:  # verified comes first in every adapter, so this is a message we failed to read
        problem = f"{type(error).__name__}: {error}"[:500]
    with transaction.atomic():
        if not _keep(account, raw, problem, now):
            return Received(True, *adapter.respond([]))
        events.record(account=account, news=[_news(account, event) for event in understood], now=now)
        _keep_inbound(account, understood)
    return Received(False, *adapter.respond(understood))


def _keep(account: ChannelAccount, raw: Raw, problem: str, now: datetime) -> bool:
    digest = hashlib.sha256(raw.url.encode() + b"\n" + raw.body).hexdigest()
    headers = {name: value for name, value in raw.headers.items() if name.lower() not in _SECRET_HEADERS}
    _row, created = RawEvent.objects.get_or_create(
        account=account,
        digest=digest,
        defaults={
            "received_at": now,
            "headers": headers,
            "body": raw.body,
            "processed_at": None if problem else now,
            "problem": problem,
        },
    )
    return created


def _news(account: ChannelAccount, event: Event) -> events.News:
    run_id, customer_id = parse_reference(event.reference) or (None, None)
    return events.News(
        channel=account.channel,
        kind=event.kind,
        at=event.at,
        dedupe_key=f"{account.pk}:{event.dedupe_key}"[:120],
        run_id=run_id,
        customer_id=customer_id,
        machine=event.machine,
        permanent=event.permanent,
        code=event.code[:60],
        address=event.address,
        text=event.text,
    )


def _keep_inbound(account: ChannelAccount, understood: list[Event]) -> None:
    InboundMessage.objects.bulk_create(
        [
            InboundMessage(
                account=account,
                address=event.address,
                text=event.text,
                keyword=event.code,
                received_at=event.at,
                provider_id=event.provider_id,
            )
            for event in understood
            if event.kind in ("replied", "unsubscribed", "subscribed") and event.provider_id and event.address
        ],
        ignore_conflicts=True,
    )
