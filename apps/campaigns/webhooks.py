"""Other programs are told about conflicts: each call is a row, handed over by beat until it was taken or a day is over.

A call is signed as ``Concord-Signature: t=<unix seconds>,v1=<hex>``: HMAC-SHA256 with the endpoint's secret over
``<t>.<body>``. A receiver compares in constant time, refuses a ``t`` that is minutes old, and knows repetitions by the
``id`` in the body. Addresses inside a private network are refused when calling, after the name was resolved, and the
connection goes to the very address that was looked at (no second look-up could give another one).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

import certifi
import urllib3
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core import crypto

from . import partners
from .models import Campaign, Conflict, WebhookCall, WebhookEndpoint

OPENED, REOPENED, RESOLVED, ACCEPTED, GONE, ESCALATED = (
    "conflict.opened", "conflict.reopened", "conflict.resolved", "conflict.accepted", "conflict.gone", "conflict.escalated",
)
TEST = "test"
PREFIX = "whsec_"
FIRST_WAIT, LONGEST_WAIT, GIVEN_UP = timedelta(seconds=30), timedelta(hours=2), timedelta(days=1)
TIMEOUT = urllib3.Timeout(connect=5, read=10)
LEASE = timedelta(minutes=1)
MOST_AT_ONCE = 50


class Refused(Exception):
    """An address that Concord does not call, in words."""


def make_secret() -> str:
    """A new secret, to be shown once."""
    return PREFIX + token_urlsafe(32)


def secret_of(endpoint: WebhookEndpoint) -> str:
    """The secret that signs this endpoint's calls."""
    return str(crypto.decrypt(endpoint.secret)["secret"])


def tell(event: str, conflicts: Iterable[Conflict], *, now: datetime) -> int:
    """Keeps a call for every webhook in use that these conflicts concern; of one moment the same news once. Returns how
    many calls.
    """
    rows = list(conflicts)
    endpoints = list(WebhookEndpoint.objects.filter(is_active=True)) if rows else []
    if not endpoints:
        return 0
    known = set(WebhookCall.objects.filter(event=event, created_at=now).values_list("payload__conflict__id", flat=True))
    rows = [row for row in rows if row.pk not in known]
    ids = {pk for row in rows for pk in (row.first_campaign_id, row.second_campaign_id) if pk}
    campaigns = Campaign.objects.select_related("department").prefetch_related("partners").in_bulk(ids)
    calls = []
    for row in rows:
        sides = [campaigns[pk] for pk in (row.first_campaign_id, row.second_campaign_id) if pk in campaigns]
        concerned = partners.departments(*sides)
        calls += [
            WebhookCall(endpoint=endpoint, event=event, payload=_payload(event, row, sides, now), created_at=now, next_at=now)
            for endpoint in endpoints if endpoint.department_id in (None, *concerned)
        ]  # fmt: skip
    WebhookCall.objects.bulk_create(calls)
    return len(calls)


def _payload(event: str, row: Conflict, sides: list[Campaign], now: datetime) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()), "event": event, "at": now.isoformat(),
        "conflict": {
            "id": row.pk, "rule": row.rule, "state": row.state, "severity": row.severity, "people_count": row.people_count,
            "decide_by": row.decide_by.isoformat() if row.decide_by else None,
            "campaigns": [{"id": side.pk, "name": side.name, "department": side.department.slug} for side in sides],
            "url": settings.PUBLIC_URL.rstrip("/") + reverse("campaigns:conflict", args=[row.pk]),
        },
    }  # fmt: skip


def test(endpoint: WebhookEndpoint, *, now: datetime) -> WebhookCall:
    """Sends a test call at once; the call says how it went and is not repeated."""
    payload = {"id": str(uuid.uuid4()), "event": TEST, "at": now.isoformat()}
    call = WebhookCall.objects.create(endpoint=endpoint, event=TEST, payload=payload, created_at=now)
    _attempt(call, now)
    call.next_at, call.done_at = None, now
    call.save()
    return call


def again(call: WebhookCall, *, now: datetime) -> WebhookCall:
    """The same news once more, as a new call with the same ``id`` inside, so that a receiver sees a repetition."""
    return WebhookCall.objects.create(
        endpoint=call.endpoint, event=call.event, payload=call.payload, created_at=now, next_at=now
    )


def deliver_due(*, now: datetime) -> int:
    """Makes the calls whose time has come, each in its own transaction. Returns how many were taken."""
    taken = 0
    for pk in list(_due(now).order_by("next_at", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE]):
        # Reserved before the network is touched: another worker passes it by, and a worker that dies leaves it to the next.
        if _due(now).filter(pk=pk).update(next_at=now + LEASE, attempts=F("attempts") + 1):
            call = WebhookCall.objects.select_related("endpoint").get(pk=pk)
            _attempt(call, now)
            _decide(call, now)
            taken += call.status is not None and call.done_at is not None
    return taken


def _due(now: datetime) -> QuerySet[WebhookCall]:
    return WebhookCall.objects.filter(done_at=None, next_at__lte=now, endpoint__is_active=True)


def _attempt(call: WebhookCall, now: datetime) -> None:
    """One try; what came of it stands in ``status`` and ``problem``."""
    body = json.dumps(call.payload, separators=(",", ":")).encode()
    try:
        call.status = post(call.endpoint.url, body, headers(secret_of(call.endpoint), call, body, now))
        call.problem = "" if _is_taken(call) else _("answered %(status)s") % {"status": call.status}
    except (Refused, crypto.CannotDecrypt, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        call.status, call.problem = None, f"{type(error).__name__}: {error}"[:200]


def _decide(call: WebhookCall, now: datetime) -> None:
    """Taken, tried again after a while that doubles, or given up after a day."""
    wait = min(FIRST_WAIT * 2 ** min(call.attempts - 1, 20), LONGEST_WAIT)
    is_over = now + wait > call.created_at + GIVEN_UP
    call.next_at = now + wait
    if _is_taken(call) or is_over:
        call.next_at, call.done_at = None, now
    with transaction.atomic():
        call.save(update_fields=["status", "problem", "next_at", "done_at"])


def _is_taken(call: WebhookCall) -> bool:
    return call.status is not None and 200 <= call.status < 300


def headers(secret: str, call: WebhookCall, body: bytes, now: datetime) -> dict[str, str]:
    """What goes with the body: the event, the call's number and the signature."""
    stamp = int(now.timestamp())
    return {
        "Content-Type": "application/json", "User-Agent": "Concord/1", "Concord-Event": call.event,
        "Concord-Call": str(call.pk), "Concord-Signature": f"t={stamp},v1={signature(secret, stamp, body)}",
    }  # fmt: skip


def signature(secret: str, stamp: int, body: bytes) -> str:
    """HMAC-SHA256 (RFC 2104) over ``<stamp>.<body>`` as hexadecimal."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def post(url: str, body: bytes, sent: dict[str, str]) -> int:
    """Posts to the address that the name stands for now; the status. No redirect is followed.

    Raises Refused, urllib3's errors, OSError.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = resolved(url)
    options: dict[str, Any] = {"timeout": TIMEOUT, "retries": False}
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port, server_hostname=host, assert_hostname=host, cert_reqs="CERT_REQUIRED", ca_certs=certifi.where(), **options
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, **options)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with pool:
        answer = pool.request("POST", target, body=body, headers=sent | {"Host": parts.netloc.rpartition("@")[2]},
                              redirect=False, preload_content=False)  # fmt: skip
        answer.close()
    return int(answer.status)


def resolved(url: str) -> str:
    """The address behind a URL. Raises Refused for other schemes, credentials, and private addresses in production.

    All addresses of the name have to be public: a name with one private one is not called at all.
    """
    parts = urlsplit(url)
    is_inside_allowed = settings.DEBUG or settings.DEMO
    if parts.scheme != "https" and not (is_inside_allowed and parts.scheme == "http"):
        raise Refused(_("Only https addresses are called."))
    if not parts.hostname or "@" in parts.netloc:
        raise Refused(_("This address cannot be called."))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = [info[4][0] for info in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)]
    if not is_inside_allowed and not all(is_public(str(address)) for address in found):
        raise Refused(_("This address lies inside a private network."))
    return str(found[0])


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public Internet; addresses wrapped into IPv6 are looked at as what they are."""
    known: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(known, ipaddress.IPv6Address):
        known = known.ipv4_mapped or known.sixtofour or known
    return known.is_global and not known.is_multicast

