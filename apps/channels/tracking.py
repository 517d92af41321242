"""Tracked links and the open pixel, and the question whether it was a person who followed them.

A token names (run, customer, link) and nothing else; customer 0 is somebody who did not agree to be measured, for whom
no record is made. Only stored targets are redirected to, so a token can never lead elsewhere.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from apps.core import tokens

from . import events
from .machines import Signs, fetches_ahead, stands_for_a_reader
from .models import ContactEvent, EventKind, Link

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
HONEYPOT = 0
_CLICK, _OPEN = "click", "open"
_SOON = timedelta(seconds=5)
_TOGETHER = timedelta(seconds=2)
_TRAPPED = timedelta(minutes=10)


@dataclass(frozen=True)
class Visit:
    """A request for a tracked address, as far as it matters."""

    method: str
    user_agent: str
    at: datetime
    prefetch: bool = False


def link_for(url: str, *, now: datetime) -> Link:
    """The stored target for `url`, made when it is new."""
    digest = hashlib.sha256(url.encode()).hexdigest()
    return Link.objects.get_or_create(digest=digest, defaults={"url": url, "created_at": now})[0]


def links_for(urls: Iterable[str], *, now: datetime) -> dict[str, int]:
    """url -> link id for many targets, in three queries."""
    digests = {hashlib.sha256(url.encode()).hexdigest(): url for url in urls}
    Link.objects.bulk_create(
        [Link(url=url, digest=digest, created_at=now) for digest, url in digests.items()], ignore_conflicts=True
    )
    found = Link.objects.filter(digest__in=digests).values_list("digest", "pk")
    return {digests[digest]: pk for digest, pk in found}


def link_token(
    run_id: int, customer_id: int, link_id: int, *, sent: datetime | None = None, channel: str = "email"
) -> str:
    """The token of a link in one message; `link_id` HONEYPOT makes the hidden link that only machines follow.

    `sent` is when the message is handed over: a click within seconds of it is a scanner's.
    """
    return tokens.seal(_CLICK, (run_id, customer_id, link_id, int(sent.timestamp()) if sent else 0, channel))


def open_token(run_id: int, customer_id: int) -> str:
    """The token of the open pixel in one message."""
    return tokens.seal(_OPEN, (run_id, customer_id))


def _read(kind: str, token: str, shape: tuple[type, ...]) -> tuple[Any, ...]:
    found = tokens.unseal(kind, token)
    if len(found) != len(shape) or not all(map(isinstance, found, shape)):
        raise tokens.BadToken("of another shape")
    return found


def click(token: str, visit: Visit, *, now: datetime) -> str:
    """Records a click and returns where it leads, "" for the honeypot. Raises `BadToken`, `Link.DoesNotExist`."""
    run_id, customer_id, link_id, sent, channel = _read(_CLICK, token, (int, int, int, int, str))
    target = Link.objects.get(pk=link_id).url if link_id else ""
    if customer_id and run_id:
        where = _Delivery(run_id, customer_id, channel, sent)
        machine = _by_machine(where, link_id, visit)
        _record(EventKind.CLICKED, where, visit, machine, link_id or None, now)
        if machine:
            _mark_as_machine(where, visit, hidden=link_id == HONEYPOT)
    return target


def opened(token: str, visit: Visit, *, now: datetime) -> None:
    """Records that the pixel was fetched. Raises `BadToken`."""
    run_id, customer_id = _read(_OPEN, token, (int, int))
    if customer_id and run_id:
        where = _Delivery(run_id, customer_id, "email", 0)
        reader = stands_for_a_reader(visit.user_agent)
        ahead = visit.prefetch or (fetches_ahead(visit.user_agent) and not reader)
        signs = Signs(visit.method, visit.user_agent, ahead, where.just_delivered(visit.at), trapped=where.trapped(visit.at))
        _record(EventKind.OPENED, where, visit, signs.machine, None, now)


@dataclass(frozen=True)
class _Delivery:
    run_id: int
    customer_id: int
    channel: str
    sent: int

    def clicks(self, since: datetime, until: datetime) -> QuerySet[ContactEvent]:
        return ContactEvent.objects.filter(
            run_id=self.run_id, customer_id=self.customer_id, kind=EventKind.CLICKED, at__gt=since, at__lte=until
        )

    def just_delivered(self, at: datetime) -> bool:
        """Whether it was handed over, or delivered, only seconds ago."""
        if self.sent and at - datetime.fromtimestamp(self.sent, UTC) <= _SOON:
            return True
        own = ContactEvent.objects.filter(run_id=self.run_id, customer_id=self.customer_id, kind=EventKind.DELIVERED)
        return own.filter(at__gt=at - _SOON, at__lte=at).exists()

    def trapped(self, at: datetime) -> bool:
        """Whether somebody followed the hidden link of this delivery lately."""
        return self.clicks(at - _TRAPPED, at).filter(link=None, machine=True).exists()


def _by_machine(where: _Delivery, link_id: int, visit: Visit) -> bool:
    if link_id == HONEYPOT:
        return True  # nobody sees it, so whoever follows it is no reader; of the other links it is one sign among others
    around = where.clicks(visit.at - _TOGETHER, visit.at).values_list("link_id", flat=True)
    signs = Signs(
        visit.method, visit.user_agent, visit.prefetch, soon=where.just_delivered(visit.at),
        at_once=len({*around, link_id}), trapped=where.trapped(visit.at),
    )  # fmt: skip
    return signs.machine


def _mark_as_machine(where: _Delivery, visit: Visit, *, hidden: bool) -> None:
    # what a scanner did first is only understood when it does the rest; the hidden link alone still needs a second sign
    before = where.clicks(visit.at - _TOGETHER, visit.at).filter(machine=False)
    if not hidden or Signs("GET", "-", at_once=1 + before.values("link_id").distinct().count(), trapped=True).machine:
        before.update(machine=True)


def _record(kind: str, where: _Delivery, visit: Visit, machine: bool, link_id: int | None, now: datetime) -> None:
    # one record a second and link is plenty: a reload is no second visit, and nobody fills the table by hammering
    key = f"{kind}:{where.run_id}.{where.customer_id}:{link_id or 0}:{visit.at:%Y%m%d%H%M%S}:{int(machine)}"
    news = events.News(where.channel, kind, visit.at, key, where.run_id, where.customer_id, machine, link_id=link_id)
    events.record(account=None, news=[news], now=now)


def human(kind: str, run_id: int) -> int:
    """How many people (not machines) did `kind` with messages of a run."""
    found = ContactEvent.objects.filter(kind=kind, run_id=run_id, machine=False)
    return found.values("customer_id").distinct().count()
