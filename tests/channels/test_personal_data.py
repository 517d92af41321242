"""Erasure and retention reach everything that channels holds, sandbox copies included."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.accounts import retention
from apps.channels import personal_data, prints, registry
from apps.channels.adapters.base import OutgoingMessage, PostalAddress
from apps.channels.content import CallContent, LetterContent, MimeTemplate
from apps.channels.counterparts import inbox
from apps.channels.counterparts.place import Endpoints
from apps.channels.models import CallTask, InboundMessage, RawEvent
from tests.factories.channels import NOW, ChannelAccountFactory

pytestmark = pytest.mark.django_db
MAIL = MimeTemplate.compile(subject="Hi", html="x", text="x", sender={"from_email": "hei@fjord.example"})


def hand_over(content: Any, address: Any, *customers: int, **kind: bool) -> None:
    adapter = registry.adapter_for(ChannelAccountFactory(**kind))
    messages = [
        OutgoingMessage(f"5.{c}", address(c), "nb", content, {}, {"name": "Ola"} if kind.get("call") else {})
        for c in customers
    ]
    list(adapter.post([adapter.build(message) for message in messages]))


def test_an_erased_person_is_gone_everywhere(sandbox: Endpoints, settings: Any) -> None:
    hand_over(MAIL, lambda c: f"a{c}@example.com", 1, 2)
    hand_over(CallContent("Hello Ola"), lambda c: f"+4740000{c:03d}", 1, 2, call=True)
    account = ChannelAccountFactory(letter=True)
    batch = prints.open_batch(account=account, run_id=5, now=NOW)
    home = PostalAddress("Ola Nordmann", ("Storgata 1",), "0155", "Oslo")
    prints.add(batch, [OutgoingMessage("5.1", home, "nb", LetterContent("Hi", "Hi"))])
    closed = prints.close(batch, still_allowed=set, by=None, now=NOW)
    news = {"account": account, "received_at": NOW, "digest": "x"}
    RawEvent.objects.create(body=b"From=%2B4740000001&Body=Hi", **news)
    InboundMessage.objects.create(account=account, address="+4740000001", text="Hi", received_at=NOW, provider_id="1")

    done = personal_data.erase([1], [("email", "a1@example.com"), ("phone", "+4740000001")], NOW)

    assert done == {"calls": 1, "letters": 0, "replies": 1, "provider_news": 1, "sandbox_copies": 2, "print_files": 0}
    assert inbox.references("email") == {"5.2": 1}
    assert inbox.references("letter") == {}
    assert not prints.files_of(closed.batch)
    assert list(CallTask.objects.order_by("customer_id").values_list("phone", "name", "state")) == [
        ("", "", "withdrawn"),
        ("+4740000002", "Ola", "waiting"),
    ]
    kept = b"".join(path.read_bytes() for path in Path(settings.SANDBOX_DIR).iterdir() if path.is_file())
    assert b"a2@example.com" in kept
    assert b"a1@example.com" not in kept


def test_a_print_file_with_an_erased_person_is_deleted(tmp_path: Path) -> None:
    account = ChannelAccountFactory(letter=True, adapter="print_file", options={"folder": str(tmp_path / "out")})
    batch = prints.open_batch(account=account, run_id=5, now=NOW)
    home = PostalAddress("Ola Nordmann", ("Storgata 1",), "0155", "Oslo")
    prints.add(batch, [OutgoingMessage("5.1", home, "nb", LetterContent("Hi", "Hi"))])
    closed = prints.close(batch, still_allowed=set, by=None, now=NOW)
    assert len(prints.files_of(closed.batch)) == 2

    assert personal_data.erase([11], [], NOW)["print_files"] == 0
    assert personal_data.erase([1], [], NOW)["print_files"] == 1
    assert not prints.files_of(closed.batch)


def test_what_is_old_is_let_go() -> None:
    account = ChannelAccountFactory(sms=True)
    for days in (29, 31, 366):
        at = NOW - timedelta(days=days)
        RawEvent.objects.create(account=account, received_at=at, body=b"x", digest=str(days))
        InboundMessage.objects.create(account=account, address="+47", text="x", received_at=at, provider_id=str(days))

    done = {line.table: line.count for line in retention.run(now=NOW)}

    assert (done["channels.rawevent"], done["channels.inboundmessage"], done["channels.calltask"]) == (2, 1, 0)


def test_a_person_gets_their_calls_and_events() -> None:
    hand_over(CallContent("Hello"), lambda c: f"+4740000{c:03d}", 1, call=True)

    assert personal_data.export([1])["calls"][0]["number"] == "+4740000001"
    assert personal_data.export([2]) == {"calls": [], "events": []}
