"""What an adapter is: it builds, posts and parses; only `post` and `find` touch the network.

An adapter imports this module and a client library, no model and no other app. Everything it needs to know of
the account stands in `AccountConfig`, everything about the person in `OutgoingMessage`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, StrEnum
from typing import Any, ClassVar


class AdapterError(Exception):
    """The one failure of an adapter. `permanent`: doing the same again cannot help."""

    def __init__(self, message: str, permanent: bool) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent


class NotAuthentic(AdapterError):
    """A webhook that the provider did not sign, or signed too long ago."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True)


class Outcome(StrEnum):
    """What the provider said about one request.

    `RETRY` is certain not to have been handed over; `UNKNOWN` may have been, so it is never blindly sent again.
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RETRY = "retry"
    UNKNOWN = "unknown"


class Lookup(Enum):
    """Answers of `find` other than a receipt."""

    ABSENT = "absent"
    CANNOT_TELL = "cannot tell"


ABSENT = Lookup.ABSENT
CANNOT_TELL = Lookup.CANNOT_TELL


@dataclass(frozen=True)
class PostalAddress:
    """Where a letter goes. `country` is ISO 3166 alpha-2; `lines` are street lines as written."""

    name: str
    lines: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    company: str = ""


@dataclass(frozen=True)
class AccountConfig:
    """One provider account, detached from the database.

    `sender` is the identity people see (from_email, from_name, from_number, return address ...), `public_url` the
    address under which the provider reaches this account's webhook.
    """

    id: int
    channel: str
    adapter: str
    options: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sender: Mapping[str, Any] = field(default_factory=dict)
    public_url: str = ""


@dataclass(frozen=True)
class OutgoingMessage:
    """One finished message to one person. `content` is the compiled content of the adapter's family."""

    reference: str
    address: str | PostalAddress
    language: str
    content: Any
    slots: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What `build` makes and `post` hands over; an adapter adds its own fields. Holds no credential."""

    reference: str


@dataclass(frozen=True)
class Receipt:
    """What became of one request. `code` is the provider's own, `detail` its words, shortened.

    `retry_after` is for how many seconds the provider wants peace on the whole account (0: it said nothing of it).
    `by_us`: the provider never saw the request, so it says nothing about the provider.
    """

    reference: str
    outcome: Outcome
    provider_id: str = ""
    code: str = ""
    detail: str = ""
    retry_after: float = 0.0
    by_us: bool = False


@dataclass(frozen=True)
class Problem:
    """Something about content that an editor should mend; `blocking` content cannot be sent."""

    code: str
    text: str
    blocking: bool = True


@dataclass(frozen=True)
class RawEvent:
    """A webhook as it came: `url` is the exact public address called, `body` the raw bytes."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    method: str = "POST"


@dataclass(frozen=True)
class Event:
    """A provider's news in our vocabulary (`channels.models.ContactEvent`).

    `reference` names the delivery, "" when the provider does not know it (an inbound text). `dedupe_key` is equal
    for the same news told twice. `permanent`: a bounce that says the address is no good at all.
    """

    kind: str
    dedupe_key: str
    at: datetime
    reference: str = ""
    address: str = ""
    text: str = ""
    provider_id: str = ""
    code: str = ""
    detail: str = ""
    machine: bool = False
    permanent: bool | None = None


def seconds_to_wait(retry_after: str, now: datetime) -> float:
    """What a Retry-After header asks for, in seconds: a number, or a moment (RFC 9110 10.2.3). 0 when it says nothing."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


class Adapter(ABC):
    """One provider. Subclasses set `code`, `channel`, `name` and say which options and secrets they take."""

    code: ClassVar[str]
    channel: ClassVar[str]
    name: ClassVar[Any]
    option_fields: ClassVar[tuple["Setting", ...]] = ()
    credential_fields: ClassVar[tuple["Setting", ...]] = ()
    sender_fields: ClassVar[tuple["Setting", ...]] = ()
    sandbox: ClassVar[bool] = False

    def __init__(self, config: AccountConfig) -> None:
        self.config = config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} account={self.config.id}>"

    @abstractmethod
    def check(self, content: Any) -> list[Problem]:
        """What is wrong with this content on this channel; pure."""

    @abstractmethod
    def build(self, message: OutgoingMessage) -> Request:
        """The request for one person; pure. Raises a permanent `AdapterError` when it cannot be said at all."""

    @abstractmethod
    def post(self, requests: Iterable[Any]) -> Iterator[Receipt]:
        """Hands over; yields exactly one receipt per request, in any order. May batch and pipeline."""

    @abstractmethod
    def parse(self, response: Any) -> Receipt:
        """The provider's answer as a receipt; pure."""

    def find(self, reference: str) -> Receipt | Lookup:
        """What the provider knows of a request whose receipt was lost."""
        return CANNOT_TELL

    def parse_events(self, raw: RawEvent) -> list[Event]:
        """Verifies a webhook on its raw bytes and says what it means. Raises `NotAuthentic`."""
        raise NotAuthentic(f"{self.code} has no webhook")

    def respond(self, events: list[Event]) -> tuple[str, bytes]:
        """Content type and body that this provider expects as the answer to a webhook."""
        return "text/plain", b""

    def test_connection(self) -> str:
        """Holds a real conversation without sending anything; words for the administrator, or `AdapterError`."""
        return ""

    def close(self) -> None:  # noqa: B027 -- most adapters hold nothing
        """Gives connections back; the adapter can be used again afterwards."""


@dataclass(frozen=True)
class Setting:
    """A field of the account's form: what an administrator may set for this adapter."""

    name: str
    label: Any
    kind: str = "text"
    required: bool = False
    default: Any = ""
    choices: tuple[tuple[str, Any], ...] = ()
    help: Any = ""
