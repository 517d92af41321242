"""Mail that comes back: who it was for is believed only when we signed it, and only a dead address is called dead."""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.channels import bounces
from apps.channels.models import ChannelAccount, ContactEvent
from apps.channels.references import parse_signed, signed
from apps.consent.models import Suppression
from tests.factories.channels import NOW
from tests.factories.customers import ContactPointFactory
from tests.shared_data import shared

BASE = "bounces@mail.fjord.example"
SAMPLES = shared("bounces/sisimai")

# as Postfix writes it
MAIL = """\
Return-Path: <>
From: MAILER-DAEMON@mail.fjord.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.fjord.example
X-Postfix-Queue-ID: 4cXyZ1
Arrival-Date: Wed, 18 Nov 2026 14:00:00 +0000 (UTC)

Final-Recipient: rfc822; ola@example.no
Original-Recipient: rfc822;ola@example.no
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.no
Diagnostic-Code: smtp; {words}

--B
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: Fjell & Fjord <hello@fjord.example>
To: <ola@example.no>
Message-ID: <7.{customer}@fjord.example>

--B--
"""


def mail(
    customer: int = 5, *, to: str | None = None, action: str = "failed", status: str = "5.1.1",
    words: str = "550 5.1.1 <ola@example.no>: Recipient address rejected: User unknown",
) -> bytes:  # fmt: skip
    to = to if to is not None else f"bounces+{signed(f'7.{customer}')}@mail.fjord.example"
    return MAIL.format(to=to, customer=customer, action=action, status=status, words=words).encode()


@pytest.fixture
def account(db: Any) -> ChannelAccount:
    return ChannelAccount.objects.create(
        name="Mail", channel="email", adapter="smtp", options={"return_path": BASE}, created_at=NOW
    )


def test_a_dead_address_bounces_hard_and_is_not_written_to_again(account: ChannelAccount) -> None:
    point = ContactPointFactory(kind="email", value="ola@example.no")
    raw = mail(point.customer_id)

    bounces.receive(account, raw, now=NOW)
    bounces.receive(account, raw, now=NOW)

    event = ContactEvent.objects.get()
    assert (event.kind, event.permanent, event.code) == ("bounced", True, "5.1.1")
    assert (event.run_id, event.customer_id, event.account) == (7, point.customer_id, account)


@pytest.mark.django_db(transaction=True)
def test_the_do_not_contact_list_hears_of_it(account: ChannelAccount) -> None:
    point = ContactPointFactory(kind="email", value="ola@example.no")
    bounces.receive(account, mail(point.customer_id, status="5.2.2", words="552 5.2.2 Mailbox full"), now=NOW)
    assert not Suppression.objects.exists()
    bounces.receive(account, mail(point.customer_id), now=NOW)
    assert Suppression.objects.get().reason == "bounced"


@pytest.mark.parametrize(
    ("action", "status", "words", "kind", "permanent"),
    [
        ("failed", "5.2.2", "552 5.2.2 mailbox full", "bounced", False),
        ("failed", "5.7.1", "550 5.7.1 blocked: listed by spamhaus", "bounced", False),
        ("failed", "5.1.1", "550 5.7.1 IP address blacklisted by recipient", "bounced", False),
        ("failed", "5.0.0", "550 No such user here", "bounced", True),
        ("failed", "5.1.8", "553 5.1.8 sender address rejected", "bounced", False),
        ("delayed", "4.4.1", "connect to mx.example.no: timed out", "deferred", None),
        ("delayed", "5.1.1", "User unknown", "deferred", None),
        ("delivered", "2.0.0", "250 ok", "delivered", None),
    ],
)
def test_what_came_back_is_told_apart(
    account: ChannelAccount, action: str, status: str, words: str, kind: str, permanent: bool | None
) -> None:
    bounces.receive(account, mail(action=action, status=status, words=words), now=NOW)

    event = ContactEvent.objects.get()
    assert (event.kind, event.permanent) == (kind, permanent)


@pytest.mark.parametrize("to", ["bounces+7.5@mail.fjord.example", "bounces+7.5.aaaaaaaaaa@mail.fjord.example", BASE, ""])
def test_news_that_anybody_could_have_written_condemns_nobody(account: ChannelAccount, to: str) -> None:
    bounces.receive(account, mail(to=to), now=NOW)

    event = ContactEvent.objects.get()
    assert (event.kind, event.permanent, event.customer_id) == ("deferred", None, 5)


def test_a_signature_is_of_one_delivery_and_outlives_its_key(settings: Any) -> None:
    settings.TOKEN_KEYS = ["old"]
    made = signed("7.5")
    settings.TOKEN_KEYS = ["new", "old"]

    assert parse_signed(made) == parse_signed(made.upper()) == "7.5"
    assert parse_signed(made.replace("7.5", "7.6")) == ""


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00\xff", b"Subject: On holiday\n\nBack on Monday", b"Content-Type: multipart/report; boundary=B\n\n--B\n" * 50,
     b"Content-Type: message/delivery-status\n\nAction: failed", mail()[:700], b"To: x\nContent-Type: text/plain; charset=nonsense\n\n\xff"],
)  # fmt: skip
def test_other_mail_says_nothing_and_breaks_nothing(account: ChannelAccount, raw: bytes) -> None:
    assert bounces.receive(account, raw, now=NOW) == []


def test_postfix_pipes_it_in(account: ChannelAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    recipient = f"bounces+{signed('7.5')}@mail.fjord.example"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(mail(to="someone@else.example"))))
    said = io.StringIO()
    call_command("inbound", recipient=recipient, stdout=said)

    assert said.getvalue().strip() == "bounced 5.1.1"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(mail())))
    with pytest.raises(CommandError, match="--account"):
        call_command("inbound", recipient="info@fjord.example")


@pytest.mark.skipif(not SAMPLES.exists(), reason="shared test data is absent")
def test_real_notifications_of_many_mail_systems_are_understood() -> None:
    expected: dict[str, list[bool]] = {}
    with (SAMPLES.parent / "sisimai_expected.csv").open() as rows:
        for row in csv.DictReader(rows):
            expected.setdefault(row["file"], []).append(row["hardbounce"] == "true")
    agreed: Counter[tuple[bool, bool]] = Counter()
    read = 0
    for name, hard in expected.items():
        notices = bounces.read((SAMPLES / name).read_bytes()).notices
        read += bool(notices)
        agreed.update(zip((notice.permanent for notice in notices), hard, strict=False))

    # of 280 files 155 hold a delivery-status part; some of those have no recipient in it
    assert read >= 145
    # Sisimai calls "User unknown" of some hosts "filtered"; besides those hardly any good address may be called dead
    assert agreed[True, True] >= 40 and agreed[False, False] >= 88
    assert agreed[True, False] <= 13 and agreed[False, True] <= 5
