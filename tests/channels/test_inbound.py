"""Webhooks: only signed ones, each once, kept before they are answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from apps.channels import events, inbound
from apps.channels.adapters.twilio_sms.signature import signature
from apps.channels.models import ChannelAccount, ContactEvent, InboundMessage, RawEvent
from apps.channels.signals import provider_event
from apps.core import clock
from tests.factories.channels import ChannelAccountFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account() -> ChannelAccount:
    return ChannelAccountFactory(sms=True, credentials_dict={"account_sid": "AC1", "auth_token": "t0ken"})


@pytest.fixture
def heard() -> Iterator[list[ContactEvent]]:
    """Events that listeners heard of."""
    told: list[ContactEvent] = []

    def listen(**named: Any) -> None:
        told.extend(named["events"])

    provider_event.connect(listen)
    yield told
    provider_event.disconnect(listen)


def post(client: Client, account: ChannelAccount, fields: dict[str, str], query: str = "", **headers: str) -> Any:
    path = f"/hooks/{account.public_id}/{query}"
    given = headers or {"X-Twilio-Signature": signature("t0ken", f"https://concord.example{path}", fields.items())}
    return client.post(path, urlencode(fields), content_type="application/x-www-form-urlencoded", headers=given)


@pytest.fixture(autouse=True)
def _public_url(settings: Any) -> None:
    settings.PUBLIC_URL = "https://concord.example"


DELIVERED = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+4740000001"}


def test_news_about_a_delivery_are_kept_and_told(client: Client, account: ChannelAccount, heard: list[Any]) -> None:
    response = post(client, account, DELIVERED, "?reference=3.7")

    assert response.status_code == 200
    event = ContactEvent.objects.get()
    assert (event.kind, event.run_id, event.customer_id, event.account) == ("delivered", 3, 7, account)
    assert [each.pk for each in heard] == [event.pk]
    assert bytes(RawEvent.objects.get().body) == urlencode(DELIVERED).encode()


def test_the_same_news_twice_are_one_event(client: Client, account: ChannelAccount, heard: list[Any]) -> None:
    for _ in range(2):
        assert post(client, account, DELIVERED, "?reference=3.7").status_code == 200

    assert ContactEvent.objects.count() == RawEvent.objects.count() == len(heard) == 1


def test_news_without_a_signature_are_refused_and_not_kept(client: Client, account: ChannelAccount) -> None:
    response = post(client, account, DELIVERED, "?reference=3.7", **{"X-Twilio-Signature": "bm8="})

    assert response.status_code == 403
    assert not RawEvent.objects.exists()


def test_a_stop_becomes_an_event_that_names_the_number(
    client: Client, account: ChannelAccount, heard: list[Any]
) -> None:
    fields = {"MessageSid": "SM9", "SmsStatus": "received", "From": "+4740000001", "Body": "Stopp!"}

    assert post(client, account, fields).status_code == 200

    assert [(e.kind, e.address, e.text, e.channel) for e in heard] == [("unsubscribed", "+4740000001", "Stopp!", "sms")]
    kept = InboundMessage.objects.get()
    assert (kept.address, kept.keyword, kept.text) == ("+4740000001", "stop", "Stopp!")


def test_a_stop_is_told_again_until_every_listener_has_heard_it(client: Client, account: ChannelAccount) -> None:
    heard: list[tuple[str, str]] = []
    broken = [True]

    def listen(**named: Any) -> None:
        if broken:
            raise RuntimeError("a listener is broken")
        heard.extend((event.kind, event.address) for event in named["events"])

    provider_event.connect(listen)
    try:
        fields = {"MessageSid": "SM9", "SmsStatus": "received", "From": "+4740000001", "Body": "STOP"}
        assert post(client, account, fields).status_code == 200
        later = clock.now() + timedelta(minutes=2)
        assert events.tell_again(now=later) == 1
        broken.clear()
        assert [events.tell_again(now=later), events.tell_again(now=later)] == [1, 0]
    finally:
        provider_event.disconnect(listen)
    assert heard == [("unsubscribed", "+4740000001")]


def test_what_cannot_be_understood_is_kept_with_its_problem(
    client: Client, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> None:
        raise KeyError("Body")

    monkeypatch.setattr("apps.channels.adapters.twilio_sms.adapter._inbound", broken)
    fields = {"MessageSid": "SM9", "From": "+4740000001", "Body": "x"}

    assert post(client, account, fields).status_code == 200
    assert RawEvent.objects.get().problem == "KeyError: 'Body'"


def test_secrets_in_headers_are_not_kept(client: Client, account: ChannelAccount) -> None:
    post(client, account, DELIVERED, "?reference=3.7")

    assert not {name.lower() for name in RawEvent.objects.get().headers} & {"x-twilio-signature", "cookie"}


def test_a_huge_body_and_a_get_are_refused(client: Client, account: ChannelAccount) -> None:
    path = f"/hooks/{account.public_id}/"

    assert client.get(path).status_code == 405
    assert client.post(path, b"x" * (inbound.MAX_BYTES + 1), content_type="text/plain").status_code == 413


def test_an_account_that_does_not_exist_has_no_webhook(client: Client) -> None:
    assert client.post("/hooks/00000000-0000-4000-8000-000000000000/").status_code == 404
