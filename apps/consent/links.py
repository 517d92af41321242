"""The personal addresses in messages: preference page, one-click unsubscribing, confirmation. Opaque, without a login.

Whoever has the address speaks for the person: it was sent to nobody else. Tokens stay valid when keys rotate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.urls import reverse

from apps.channels import content
from apps.core import tokens
from apps.core.tokens import BadToken

from .models import Purpose


@dataclass(frozen=True)
class Preferences:
    """Whose preference page it is, and the run whose message led there (0: none)."""

    customer_id: int
    run_id: int


@dataclass(frozen=True)
class Unsubscribe:
    """Who unsubscribes from what: every topic on the channel when ``purpose_id`` is 0."""

    customer_id: int
    purpose_id: int
    run_id: int
    channel: str


@dataclass(frozen=True)
class Confirmation:
    """A yes that waits for its second half: the wording shown and the moment when it was asked for."""

    customer_id: int
    channel: str
    purpose_id: int
    wording_id: int
    asked_at: int
    address_hash: str


def preference_url(customer_id: int, run_id: int = 0) -> str:
    """Where this person chooses channels and topics."""
    return _absolute("consent:preferences", tokens.seal("preferences", (customer_id, run_id)))


def open_preferences(token: str) -> Preferences:
    """Raises BadToken."""
    return Preferences(*_numbers(tokens.unseal("preferences", token), 2))


def unsubscribe_url(customer_id: int, *, channel: str, purpose_id: int = 0, run_id: int = 0) -> str:
    """The address for RFC 8058: a POST unsubscribes, a GET only shows a page with a button."""
    return _absolute("consent:unsubscribe", tokens.seal("unsubscribe", (customer_id, purpose_id, run_id, str(channel))))


def open_unsubscribe(token: str) -> Unsubscribe:
    """Raises BadToken."""
    *numbers, channel = _parts("unsubscribe", token, 4)
    customer_id, purpose_id, run_id = _numbers(tuple(numbers), 3)
    return Unsubscribe(customer_id, purpose_id, run_id, str(channel))


def unsubscribe_headers(customer_id: int, purpose: Purpose, run_id: int, channel: str) -> dict[str, str]:
    """List-Unsubscribe (RFC 2369) and List-Unsubscribe-Post (RFC 8058) of one message to one person."""
    url = unsubscribe_url(customer_id, channel=channel, purpose_id=purpose.pk, run_id=run_id)
    return content.unsubscribe_headers(url)


def confirmation_url(
    customer_id: int, channel: str, purpose_id: int, wording_id: int, at: datetime, hashed: str
) -> str:
    """The second half of a double opt-in: the page behind it confirms by POST only, for the address (hash) it went to."""
    payload = (customer_id, str(channel), purpose_id, wording_id, int(at.timestamp()), hashed)
    return _absolute("consent:confirm", tokens.seal("confirm", payload))


def open_confirmation(token: str) -> Confirmation:
    """Raises BadToken."""
    customer_id, channel, *numbers, address_hash = _parts("confirm", token, 6)
    purpose_id, wording_id, asked_at = _numbers(tuple(numbers), 3)
    (person,) = _numbers((customer_id,), 1)
    return Confirmation(person, str(channel), purpose_id, wording_id, asked_at, str(address_hash))


def _parts(kind: str, token: str, count: int) -> tuple[int | str, ...]:
    parts = tokens.unseal(kind, token)
    if len(parts) != count:
        raise BadToken("sealed by another version")
    return parts


def _numbers(parts: tuple[int | str, ...], count: int) -> tuple[int, ...]:
    numbers = tuple(part for part in parts if isinstance(part, int))
    if len(numbers) != count or len(parts) != count:
        raise BadToken("sealed by another version")
    return numbers


def _absolute(name: str, token: str) -> str:
    before, after = _around_token(name)
    return f"{settings.PUBLIC_URL}{before}{token}{after}"


@lru_cache(maxsize=8)
def _around_token(name: str) -> tuple[str, str]:
    """The address without its token: reversing it for each of a million people would cost more than sending to them."""
    before, _mark, after = reverse(name, args=["0"]).rpartition("0")
    return before, after
