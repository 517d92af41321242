"""Text messages over HTTP: signatures, refusals, silence and news."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode

import pytest

from apps.channels.adapters.base import AccountConfig, NotAuthentic, Outcome, OutgoingMessage, RawEvent, Receipt
from apps.channels.adapters.twilio_sms import TwilioSmsAdapter
from apps.channels.adapters.twilio_sms.signature import is_authentic, signature
from apps.channels.content import SmsContent
from apps.channels.counterparts import inbox
from apps.channels.counterparts.place import Endpoints
from tests.factories.channels import NOW
from tests.shared_data import shared

VECTORS = shared("webhooks/signature_vectors.json")
FORM = "application/x-www-form-urlencoded"
URL = "https://concord.example/hooks/1/"
TOKEN = "12345"


def adapter(base_url: str = "http://127.0.0.1:9", **options: Any) -> TwilioSmsAdapter:
    given = {"base_url": base_url, "timeout": 0.6, "concurrency": 4} | options
    secrets = {"account_sid": "AC1", "auth_token": TOKEN}
    return TwilioSmsAdapter(AccountConfig(1, "sms", "twilio_sms", given, secrets, {"from_number": "+4722222222"}))


def send(to: TwilioSmsAdapter, *numbers: str) -> dict[str, Receipt]:
    requests = [to.build(OutgoingMessage(f"2.{i}", n, "nb", SmsContent("Hei"))) for i, n in enumerate(numbers, 1)]
    by_reference = {receipt.reference: receipt for receipt in to.post(requests)}
    return {number: by_reference[f"2.{i}"] for i, number in enumerate(numbers, 1)}


def signed(fields: dict[str, str], url: str = URL, token: str = TOKEN) -> RawEvent:
    headers = {"X-Twilio-Signature": signature(token, url, fields.items()), "Content-Type": FORM}
    return RawEvent(url, urlencode(fields).encode(), headers, NOW)


def test_signatures_agree_with_the_providers_own_test_vectors() -> None:
    if not VECTORS.exists():
        pytest.skip("shared test data is absent")
    twilio = json.loads(VECTORS.read_text())["twilio"]

    for case in twilio["cases"]:
        body = case.get("form") or urlencode(case["params"])
        assert is_authentic(twilio["auth_token"], case["url"], body.encode(), FORM, case["signature"])
        assert not is_authentic("other", case["url"], body.encode(), FORM, case["signature"])
        assert not is_authentic(twilio["auth_token"], case["url"] + "x", body.encode(), FORM, case["signature"])
        assert not is_authentic(twilio["auth_token"], case["url"], body.encode() + b"&x=1", FORM, case["signature"])


def test_a_signature_holds_with_and_without_the_standard_port() -> None:
    given = signature(TOKEN, "https://concord.example:443/hooks/1/", [("a", "b")])

    assert is_authentic(TOKEN, "https://concord.example/hooks/1/", b"a=b", FORM, given)


def test_a_json_body_is_covered_by_its_digest_in_the_address() -> None:
    url = URL + "?bodySHA256=9ad4a30b07d0e01dd2ba9b2dd9e1ad0aa3e4ae8dd9c6a6a5b2f0c6f0d3d2f2ab"

    assert not is_authentic(TOKEN, url, b'{"a": 1}', "application/json", signature(TOKEN, url))


def test_an_empty_token_never_makes_anything_authentic() -> None:
    assert not is_authentic("", URL, b"a=b", FORM, signature("", URL, [("a", "b")]))


def test_each_person_gets_the_answer_of_the_provider(sandbox: Endpoints, settings: Any) -> None:
    got = send(
        adapter(sandbox.http_url),
        "+4740000001",
        "+475550404",
        "+475550610",
        "+475550429",
        "+475550500",
        "+475550999",
        "+475550888",
    )

    assert {number[-7:]: (r.outcome.value, r.code) for number, r in got.items()} == {
        "0000001": ("accepted", "201"),
        "5550404": ("rejected", "21211"),
        "5550610": ("rejected", "21610"),
        "5550429": ("retry", "20429"),
        "5550500": ("unknown", "20500"),
        "5550999": ("unknown", "none"),
        "5550888": ("unknown", "none"),
    }
    assert inbox.references("sms", settings.SANDBOX_DIR).keys() >= {"2.1"}


def test_where_the_provider_keeps_to_the_key_an_error_may_be_tried_again(sandbox: Endpoints, settings: Any) -> None:
    account = adapter(sandbox.http_url, idempotent=True)

    first, second = (send(account, "+475550888")["+475550888"].outcome for _ in range(2))

    assert (first, second) == (Outcome.RETRY, Outcome.ACCEPTED)
    assert send(account, "+475550500")["+475550500"].outcome is Outcome.RETRY
    assert inbox.references("sms", settings.SANDBOX_DIR)["2.1"] == 1


def test_a_provider_that_is_not_there_means_try_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert send(adapter(f"http://127.0.0.1:{port}"), "+4740000001")["+4740000001"].outcome is Outcome.RETRY


def test_wrong_credentials_are_nobodys_fault(sandbox: Endpoints) -> None:
    account = TwilioSmsAdapter(
        AccountConfig(1, "sms", "x", {"base_url": sandbox.http_url}, {"account_sid": "AC1", "auth_token": "refused"})
    )

    assert send(account, "+4740000001")["+4740000001"].outcome is Outcome.RETRY


@pytest.mark.parametrize(
    ("status", "kind", "permanent"),
    [("delivered", "delivered", None), ("undelivered", "bounced", True), ("failed", "failed", True)],
)
def test_status_news_name_the_delivery(status: str, kind: str, permanent: bool | None) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": status, "To": "+4740000001", "ErrorCode": "30005"}

    event = adapter().parse_events(signed(fields, URL + "?reference=3.14"))[0]

    assert (event.kind, event.reference, event.dedupe_key, event.permanent) == (
        kind,
        "3.14",
        f"SM1:{status}",
        permanent,
    )


def test_news_on_the_way_are_no_events() -> None:
    assert adapter().parse_events(signed({"MessageSid": "SM1", "MessageStatus": "sent"}, URL + "?reference=3.14")) == []


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("STOP", "unsubscribed", "stop"),
        ("Start", "subscribed", "start"),
        ("HELP", "replied", "help"),
        ("Hi!", "replied", ""),
    ],
)
def test_inbound_texts_are_understood(text: str, kind: str, code: str) -> None:
    fields = {"MessageSid": "SM2", "SmsStatus": "received", "From": "+4740000001", "Body": text}

    event = adapter().parse_events(signed(fields))[0]

    assert (event.kind, event.code, event.address, event.text) == (kind, code, "+4740000001", text)


def test_news_of_a_message_sent_long_ago_are_refused() -> None:
    url = f"{URL}?reference=3.14&sent={int(NOW.timestamp()) - 8 * 24 * 3600}"

    with pytest.raises(NotAuthentic, match="too long ago"):
        adapter().parse_events(signed({"MessageSid": "SM1", "MessageStatus": "delivered"}, url))


def test_answers_to_keywords_name_the_brand_once_and_only_where_asked_for() -> None:
    stop = adapter().parse_events(signed({"MessageSid": "SM2", "From": "+4740000001", "Body": "STOP"}))

    silent, spoken = adapter().respond(stop)[1], adapter(answers_keywords=True).respond(stop)[1]

    assert b"<Message>" not in silent
    assert spoken.count(b"<Message>+4722222222: you will get no more") == 1


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [(429, "7", 7), (503, "Wed, 21 Oct 2037 07:28:00 GMT", 3600), (429, "soon", 0), (429, "-5", 0), (500, "7", 0), (429, None, 0)],
)
def test_a_busy_provider_says_how_long(status: int, said: str | None, seconds: int) -> None:
    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            if said is not None:
                self.send_header("Retry-After", said)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        receipt = send(adapter(f"http://127.0.0.1:{server.server_port}"), "+4740000001")["+4740000001"]
        server.shutdown()

    assert receipt.retry_after == seconds or (seconds == 3600 and receipt.retry_after > 3600)
    assert receipt.outcome is (Outcome.RETRY if status != 500 else Outcome.UNKNOWN)
