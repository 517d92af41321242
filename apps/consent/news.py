"""What providers tell us that changes whom we may contact: dead addresses, complaints, STOP and START.

Providers repeat themselves, so hearing the same news twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyroaring import BitMap

from apps.channels.models import ContactEvent

from . import addresses, aliases, suppression, wishes
from .models import SuppressionReason


def heard(sender: Any, events: Iterable[ContactEvent], **_signal: Any) -> None:
    """Receiver of ``channels.signals.provider_event``."""
    for event in events:
        if event.machine:
            continue
        if event.kind == "bounced" and event.permanent:
            _put_on_list(event, SuppressionReason.BOUNCED)
        elif event.kind == "complained":
            _put_on_list(event, SuppressionReason.COMPLAINED)
        elif event.kind == "unsubscribed":
            _unsubscribed(event)
        elif event.kind == "subscribed":
            _subscribed(event)


def _put_on_list(event: ContactEvent, reason: str) -> None:
    address = _address(event)
    if address:
        suppression.suppress(reason=reason, address=address, channel=event.channel, now=event.at)
    elif event.customer_id:
        suppression.suppress(reason=reason, customer=event.customer_id, channel=event.channel, now=event.at)


def _unsubscribed(event: ContactEvent) -> None:
    kind, address = addresses.kind_of(event.channel), str(getattr(event, "address", ""))
    text = str(getattr(event, "text", ""))
    if address:
        wishes.stopped(kind=kind, address=address, channel=event.channel, at=event.at, source=_source(event), text=text)
    elif event.customer_id:
        wishes.opt_out(
            customers=[event.customer_id], channel=event.channel, purposes=wishes.stoppable(), at=event.at,
            source=_source(event), method=wishes.STOP, run_id=event.run_id,
        )  # fmt: skip


def _subscribed(event: ContactEvent) -> None:
    address = str(getattr(event, "address", ""))
    if address:
        kind = addresses.kind_of(event.channel)
        text = str(getattr(event, "text", ""))
        wishes.started(kind=kind, address=address, channel=event.channel, at=event.at, source=_source(event), text=text)


def _address(event: ContactEvent) -> str:
    """The address in the news, else the one the person was reached at then, as far as it is certain."""
    told = str(getattr(event, "address", ""))
    if told or not event.customer_id:
        return told
    survivor = aliases.survivors([event.customer_id])[event.customer_id]
    found = addresses.chosen(BitMap([survivor]), event.channel, event.at, dead=set())
    return found[survivor].value if survivor in found else ""


def _source(event: ContactEvent) -> str:
    return f"{event.channel}: {event.account.name}" if event.account else str(event.channel)
