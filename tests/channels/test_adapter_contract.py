"""What every adapter keeps to, checked for each of them against a counterpart that is really talked to."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.channels.adapters.base import (
    AccountConfig,
    Adapter,
    AdapterError,
    Lookup,
    NotAuthentic,
    Outcome,
    OutgoingMessage,
    PostalAddress,
    RawEvent,
    Receipt,
)
from apps.channels.adapters.call_list import CallListAdapter
from apps.channels.adapters.call_list.adapter import CallSink
from apps.channels.content import CallContent, LetterContent, MimeTemplate, SmsContent, marker
from apps.channels.counterparts.place import Endpoints
from apps.channels.counterparts.process import running
from apps.channels.registry import ADAPTERS
from apps.core import clock

SECRET = "s3cret-zażółć"
NAME = marker("name")
CONTENT: dict[str, Any] = {
    "email": MimeTemplate.compile(
        subject=f"Hi {NAME}",
        html=f"<p>{NAME}</p>",
        text=NAME,
        sender={"from_email": "hei@fjord.example", "from_name": "Fjord"},
        slots=["name"],
    ),
    "sms": SmsContent(f"Hi {NAME}"),
    "letter": LetterContent("Hello", f"Dear {NAME}", "Fjord"),
    "call": CallContent(f"Good day {NAME}"),
}
EMPTY: dict[str, Any] = {
    "email": MimeTemplate.compile(subject="", html="", text="", sender={"from_email": "a@fjord.example"}),
    "sms": SmsContent(" "),
    "letter": LetterContent("", ""),
    "call": CallContent(""),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="module")
def endpoints(folder: Path) -> Iterator[Endpoints]:
    with running(folder) as found:
        yield found


def options(kind: type[Adapter], folder: Path, endpoints: Endpoints) -> dict[str, Any]:
    common = {"sandbox_folder": str(folder), "folder": str(folder / "letters"), "timeout": 2}
    if kind.code == "smtp":
        return common | {"host": "127.0.0.1", "port": endpoints.smtp, "security": "none"}
    if kind.code == "twilio_sms":
        return common | {"base_url": endpoints.http_url}
    return common


def address(channel: str, number: int) -> str | PostalAddress:
    if channel == "email":
        return f"ola{number}@example.com"
    if channel == "letter":
        return PostalAddress("Ola Nordmann", ("Storgata 1",), "0155", "Oslo", country="NO")
    return f"+47400{number:05d}"


@pytest.fixture(params=ADAPTERS, ids=lambda kind: kind.code)
def adapter(request: pytest.FixtureRequest, folder: Path, endpoints: Endpoints) -> Iterator[Adapter]:
    kind: type[Adapter] = request.param
    made = kind(
        AccountConfig(
            id=7,
            channel=kind.channel,
            adapter=kind.code,
            options=options(kind, folder, endpoints),
            credentials={"account_sid": "AC7", "auth_token": SECRET, "username": "u", "password": SECRET},
            sender={"from_email": "hei@fjord.example", "from_number": "+4722222222"},
            public_url="",
        )
    )
    if isinstance(made, CallListAdapter):
        taken: set[str] = set()
        made.sink = CallSink(
            add=lambda _id, calls: taken.update(c.reference for c in calls) or {}, has=taken.__contains__
        )
    yield made
    made.close()


def message(adapter: Adapter, reference: str, number: int = 1, **changes: Any) -> OutgoingMessage:
    parts: dict[str, Any] = {"slots": {"name": "Åse Żółć"}, "content": CONTENT[adapter.channel]} | changes
    return OutgoingMessage(reference, parts.pop("address", address(adapter.channel, number)), "nb", **parts)


class TestEveryAdapter:
    """One class for all of them: a new adapter is covered as soon as it is registered."""

    def test_it_says_who_it_is(self, adapter: Adapter) -> None:
        assert adapter.code
        assert adapter.channel in CONTENT
        assert str(adapter.name)
        assert (adapter.__doc__ or "").strip()

    def test_building_is_pure(self, adapter: Adapter) -> None:
        one, other = (adapter.build(message(adapter, "3.4")) for _ in range(2))

        assert one == other
        assert one.reference == "3.4"

    def test_good_content_passes_and_empty_content_is_refused_in_words(self, adapter: Adapter) -> None:
        problems = adapter.check(EMPTY[adapter.channel])

        assert adapter.check(CONTENT[adapter.channel]) == []
        assert [p.blocking for p in problems] == [True]
        assert all(p.code and p.text for p in problems)

    def test_posting_yields_one_receipt_per_request(self, adapter: Adapter) -> None:
        references = [f"10.{number}" for number in range(1, 31)]
        requests = [adapter.build(message(adapter, r, n)) for n, r in enumerate(references)]

        receipts = list(adapter.post(iter(requests)))

        assert sorted(r.reference for r in receipts) == sorted(references)
        assert {r.outcome for r in receipts} == {Outcome.ACCEPTED}

    def test_posting_nothing_yields_nothing(self, adapter: Adapter) -> None:
        assert list(adapter.post([])) == []

    def test_a_missing_value_is_a_permanent_error(self, adapter: Adapter) -> None:
        with pytest.raises(AdapterError) as caught:
            adapter.build(message(adapter, "3.5", slots={}))

        assert caught.value.permanent

    def test_an_address_of_the_wrong_kind_is_a_permanent_error(self, adapter: Adapter) -> None:
        wrong = "not an address" if adapter.channel != "letter" else "Storgata 1"

        with pytest.raises(AdapterError) as caught:
            adapter.build(message(adapter, "3.5", address=wrong))

        assert caught.value.permanent

    def test_looking_up_answers_or_says_that_it_cannot(self, adapter: Adapter) -> None:
        list(adapter.post([adapter.build(message(adapter, "20.1"))]))

        known, unknown = adapter.find("20.1"), adapter.find("20.999")

        if known is Lookup.CANNOT_TELL:
            assert unknown is Lookup.CANNOT_TELL
        else:
            assert isinstance(known, Receipt)
            assert known.outcome is Outcome.ACCEPTED
            assert unknown is Lookup.ABSENT

    def test_unsigned_news_is_refused(self, adapter: Adapter) -> None:
        raw = RawEvent("https://concord.example/hooks/x/", b"MessageSid=SM1&MessageStatus=delivered", {}, clock.now())

        with pytest.raises(NotAuthentic):
            adapter.parse_events(raw)

    def test_secrets_are_never_shown(self, adapter: Adapter) -> None:
        request = adapter.build(message(adapter, "3.6"))

        shown = f"{adapter!r} {adapter.config!r} {request!r}"
        if hasattr(adapter, "relay"):
            shown += repr(adapter.relay())

        assert SECRET not in shown

    def test_a_conversation_can_be_tested(self, adapter: Adapter) -> None:
        assert adapter.test_connection()

    def test_requests_and_receipts_are_plain_values(self, adapter: Adapter) -> None:
        request = adapter.build(message(adapter, "3.7"))

        assert pickle.loads(pickle.dumps(request)) == request

    def test_it_imports_no_model(self, adapter: Adapter) -> None:
        source = inspect.getsource(inspect.getmodule(type(adapter)))  # type: ignore[arg-type]

        assert "models" not in source
        assert "apps." not in source
