"""Pages of channels: health for everybody, setup for administrators, and an inbox of what was really handed over."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import AuditEvent, Role, User
from apps.channels import health, registry
from apps.channels.adapters.base import OutgoingMessage, PostalAddress
from apps.channels.content import CallContent, LetterContent, MimeTemplate, SmsContent
from apps.channels.counterparts import inbox
from apps.channels.counterparts.place import Endpoints
from apps.channels.models import AccountHour, ChannelAccount
from apps.core import clock, crypto
from tests.factories.accounts import UserFactory
from tests.factories.channels import ChannelAccountFactory

pytestmark = pytest.mark.django_db
MAIL = MimeTemplate.compile(
    subject="Vinterklær – nå",
    html="<html><head><title>x</title></head><body><p>Hei på deg</p></body></html>",
    text="Hei på deg",
    sender={"from_email": "hei@fjord.example"},
)


def signed_in(client: Client, role: str = Role.MARKETER, **more: Any) -> User:
    user = UserFactory(role=role, **more)
    client.force_login(user)
    return user


def hand_over(account: ChannelAccount, content: Any, *addresses: Any) -> None:
    adapter = registry.adapter_for(account)
    messages = [OutgoingMessage(f"8.{n}", a, "nb", content, {}, {}) for n, a in enumerate(addresses, 1)]
    requests = [adapter.build(message) for message in messages]
    health.note(account.pk, adapter.post(requests), now=clock.now())


def form_of(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Relay",
        "is_active": "on",
        "rate": "20",
        "unit_cost": "0",
        "currency": "nok",
        "option_host": "relay.example",
        "option_port": "587",
        "option_security": "starttls",
        "option_connections": "10",
        "option_timeout": "30",
    } | changes


def test_the_overview_says_how_each_account_does(client: Client, sandbox: Endpoints) -> None:
    account = ChannelAccountFactory(name="House mail")
    hand_over(account, MAIL, "ola@example.com", "bounce@example.com", "full@example.com")
    signed_in(client)

    page = client.get(reverse("channels:overview")).content.decode()

    assert "House mail" in page
    assert "50%" in page.replace("\xa0", "").replace(" ", "")
    hour = AccountHour.objects.get()
    assert (hour.accepted, hour.rejected, hour.retry, hour.unknown) == (1, 1, 1, 0)
    account.refresh_from_db()
    assert account.last_error.startswith("452 4.2.2")


def test_an_empty_overview_teaches(client: Client) -> None:
    signed_in(client)

    assert "No channel yet" in client.get(reverse("channels:overview")).content.decode()


def test_only_administrators_set_accounts_up(client: Client) -> None:
    account = ChannelAccountFactory(adapter="smtp")
    signed_in(client)

    assert (
        '<form method="post" action="/channels'
        not in client.get(reverse("channels:account", args=[account.pk])).content.decode()
    )
    for name in ("change", "test"):
        assert client.post(reverse(f"channels:{name}", args=[account.pk])).status_code == 403
    assert client.get(reverse("channels:new")).status_code == 403


def test_setting_up_begins_with_the_choice_of_a_provider(client: Client) -> None:
    signed_in(client, Role.ADMINISTRATOR)

    choice = client.get(reverse("channels:new")).content.decode()
    form = client.get(reverse("channels:new_account", args=["smtp"])).content.decode()

    assert all(str(kind.name) in choice for kind in registry.ADAPTERS)
    assert "Settings of SMTP relay" in form
    assert client.get(reverse("channels:new_account", args=["pigeon"])).status_code == 404


def test_credentials_go_in_and_never_come_out(client: Client) -> None:
    user = signed_in(client, Role.ADMINISTRATOR)
    client.post(
        reverse("channels:new_account", args=["smtp"]), form_of(secret_username="fjord", secret_password="hush-hush")
    )
    account = ChannelAccount.objects.get(name="Relay")

    page = client.get(reverse("channels:account", args=[account.pk])).content.decode()

    assert crypto.decrypt(account.credentials) == {"username": "fjord", "password": "hush-hush"}
    assert "hush-hush" not in page
    assert "fjord" not in page
    trail = AuditEvent.objects.get(actor=user)
    assert (trail.action, trail.after["credentials"]) == ("channel_account.made", ["password", "username"])
    assert "hush-hush" not in str(trail.after)


def test_an_empty_password_keeps_the_stored_one(client: Client) -> None:
    signed_in(client, Role.ADMINISTRATOR)
    account = ChannelAccountFactory(adapter="smtp", credentials_dict={"password": "old"}, is_sandbox=False)

    client.post(reverse("channels:change", args=[account.pk]), form_of(name="Renamed"))

    account.refresh_from_db()
    assert (account.name, account.currency) == ("Renamed", "NOK")
    assert crypto.decrypt(account.credentials) == {"password": "old"}
    assert account.options["host"] == "relay.example"


@pytest.mark.parametrize("changes", [{"rate": "0"}, {"currency": "€"}, {"option_host": ""}, {"option_port": "99999"}])
def test_a_wrong_setup_is_said_at_its_field_and_changes_nothing(client: Client, changes: dict[str, str]) -> None:
    signed_in(client, Role.ADMINISTRATOR)
    account = ChannelAccountFactory(name="Before", adapter="smtp")

    response = client.post(reverse("channels:change", args=[account.pk]), form_of(**changes))

    assert response.status_code == 422
    assert "errorlist" in response.content.decode()
    assert ChannelAccount.objects.get(pk=account.pk).name == "Before"


def test_testing_a_connection_tells_how_it_went(client: Client, sandbox: Endpoints) -> None:
    signed_in(client, Role.ADMINISTRATOR)
    account = ChannelAccountFactory()

    page = client.post(reverse("channels:test", args=[account.pk]), follow=True).content.decode()

    assert "PIPELINING" in page


def test_a_failing_test_is_told_in_words(client: Client) -> None:
    signed_in(client, Role.ADMINISTRATOR)
    account = ChannelAccountFactory()

    page = client.post(reverse("channels:test", args=[account.pk]), follow=True).content.decode()

    assert "local counterparts do not run" in page


def test_the_inbox_shows_a_mail_as_html_text_and_headers(client: Client, sandbox: Endpoints) -> None:
    hand_over(ChannelAccountFactory(), MAIL, "ola@example.com")
    signed_in(client, handles_personal_data=True)

    listing = client.get(reverse("channels:inbox")).content.decode()
    (got,) = inbox.messages("email").messages
    page = client.get(reverse("channels:inbox_message", args=[got.id])).content.decode()
    html = client.get(reverse("channels:inbox_html", args=[got.id]))

    assert "Vinterklær – nå" in listing
    assert "ola@example.com" in listing
    assert "Hei på deg" in page
    assert "8.1@fjord.example" in page
    assert "<p>Hei på deg</p>" in html.content.decode()
    policy = html["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "script-src 'none'" in policy
    assert AuditEvent.objects.filter(action="people.opened").count() == 1


def test_addresses_are_masked_for_those_who_only_count(client: Client, sandbox: Endpoints) -> None:
    hand_over(ChannelAccountFactory(), MAIL, "ola@example.com")
    signed_in(client)

    assert "ola@example.com" not in client.get(reverse("channels:inbox")).content.decode()


def test_in_production_messages_open_only_to_those_who_handle_personal_data(
    client: Client, sandbox: Endpoints, settings: Any
) -> None:
    hand_over(ChannelAccountFactory(), MAIL, "ola@example.com")
    (got,) = (inbox.counts(), inbox.messages("email").messages)[1]
    settings.PRODUCTION = True
    signed_in(client)

    for name in ("inbox_message", "inbox_html"):
        assert client.get(reverse(f"channels:{name}", args=[got.id])).status_code == 403


def test_the_inbox_shows_texts_letters_and_calls(client: Client, sandbox: Endpoints) -> None:
    hand_over(ChannelAccountFactory(sms=True), SmsContent("Tilbud i dag"), "+4740000001")
    home = PostalAddress("Ola Nordmann", ("Storgata 1",), "0155", "Oslo", country="NO")
    hand_over(ChannelAccountFactory(letter=True), LetterContent("Kjære kunde", "Hei"), home)
    hand_over(ChannelAccountFactory(call=True), CallContent("Hei"), "+4740000002")
    signed_in(client, handles_personal_data=True)

    pages = {
        c: client.get(reverse("channels:inbox"), {"channel": c}).content.decode() for c in ("sms", "letter", "call")
    }
    (letter,) = inbox.messages("letter").messages
    pdf = client.get(reverse("channels:inbox_letter", args=[letter.id]))

    assert "Tilbud i dag" in pages["sms"]
    assert "Kjære kunde" in pages["letter"]
    assert "+4740000002" in pages["call"]
    assert b"".join(pdf.streaming_content).startswith(b"%PDF")


@pytest.mark.parametrize("query", [{"channel": "fax"}, {"page": "999999999"}, {"page": "-1"}, {"q": "%_\\'"}])
def test_strange_addresses_of_the_inbox_are_borne(client: Client, query: dict[str, str]) -> None:
    signed_in(client)

    assert client.get(reverse("channels:inbox"), query).status_code in (200, 404)


def test_messages_that_are_not_there_are_not_found(client: Client) -> None:
    signed_in(client, handles_personal_data=True)

    for name in ("inbox_message", "inbox_html", "inbox_letter"):
        assert client.get(reverse(f"channels:{name}", args=[4711])).status_code == 404
