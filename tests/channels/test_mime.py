"""A pre-rendered e-mail says exactly what was meant, whatever the values are."""

import html
import json
import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from apps.channels.content import BadHeader, MimeTemplate, MissingSlot, UnknownSlot, marker, unsubscribe_headers
from tests.shared_data import shared

NAUGHTY = shared("edge/blns.json")
OWN_NAUGHTY = [
    "",
    "\r\nBcc: everybody@example.com",
    "a\r\n.\r\nMAIL FROM:<>",
    ".",
    "..",
    " x ",
    "tab\t",
    "From me",
    "x" * 3000,
    "=?utf-8?q?x?=",
    "\ud800",
    "zażółć gęślą jaźń, blåbærsyltetøy " * 20,
    "%s %b %% %(x)s",
    "<script>alert('&amp;')</script>",
]
SENDER = {"from_email": "hei@fjord.example", "from_name": "Fjord & Fjell – klær", "reply_to": "svar@fjord.example"}


def template(**parts: str) -> MimeTemplate:
    texts = {"subject": "Hi", "html": "<p>Hi</p>", "text": "Hi"} | parts
    return MimeTemplate.compile(**texts, sender=SENDER, slots=["x", "y"])


def read(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=policy.default)  # type: ignore[return-value]


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def as_lines(value: str) -> str:
    return value.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("source", ["own", "big list"])
def test_naughty_values_parse_back_exactly(source: str) -> None:
    if source == "big list" and not NAUGHTY.exists():
        pytest.skip("shared test data is absent")
    x = marker("x")
    mail = template(subject=f"A{x}B", html=f"<p>{x}</p>\n<b>{x}</b>", text=f"T: {x} end\n{x}\n.{x}.")

    for value in OWN_NAUGHTY if source == "own" else json.loads(NAUGHTY.read_text()):
        message = read(mail.fill({"x": value}, {}, to="ola@example.com", reference="1.2"))
        lines, escaped = as_lines(value), html.escape(as_lines(value))
        spaced = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", f"A{value}B").encode("utf-8", "replace").decode()

        assert message["subject"] == spaced
        assert part(message, "plain") == f"T: {lines} end\n{lines}\n.{lines}.\n"
        assert part(message, "html") == f"<p>{escaped}</p>\n<b>{escaped}</b>\n"
        assert message.keys() == ["From", "Reply-To", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"]


def test_lines_stay_short_and_never_begin_with_a_dot() -> None:
    x = marker("x")
    mail = template(subject=x, html=f".{x}", text=f"\n{x}.\n.\n..")

    for value in OWN_NAUGHTY:
        data = mail.fill({"x": value}, {}, to="ola@example.com", reference="1.2")

        assert data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n")
        assert max(len(line) for line in data.split(b"\r\n")) <= 78
        assert not any(line.startswith(b".") for line in data.split(b"\r\n"))


def test_the_message_id_comes_from_the_delivery_and_the_sender_from_the_brand() -> None:
    message = read(template().fill({}, {}, to="ola@example.com", reference="17.4711"))

    assert message["message-id"] == "<17.4711@fjord.example>"
    assert message["from"] == "Fjord & Fjell – klær <hei@fjord.example>"
    assert message["reply-to"] == "svar@fjord.example"
    assert message["to"] == "ola@example.com"


def test_one_click_unsubscribing_stands_in_the_headers() -> None:
    headers = unsubscribe_headers("https://fjord.example/u/abc/", mailto="stop@fjord.example")

    message = read(template().fill({}, headers, to="ola@example.com", reference="1.2"))

    assert message["List-Unsubscribe"] == "<https://fjord.example/u/abc/>, <mailto:stop@fjord.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_fragments_stay_html_and_other_values_are_escaped() -> None:
    mail = MimeTemplate.compile(
        subject="Hi",
        html=f"{marker('list')}<p>{marker('name')}",
        text="x",
        sender=SENDER,
        slots=["name"],
        fragments=["list"],
    )

    data = mail.fill({"list": "<b>5</b>", "name": "<b>"}, {}, to="ola@example.com", reference="1.2")

    assert part(read(data), "html") == "<b>5</b><p>&lt;b&gt;\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "1\r\nBcc: x@example.com"),
        ("X-A\r\nBcc", "1"),
        ("Subject", "2"),
        ("Content-Type", "text/html"),
        ("X-A", "ø"),
    ],
)
def test_headers_cannot_be_smuggled_in(name: str, value: str) -> None:
    with pytest.raises(BadHeader):
        template().fill({}, {name: value}, to="ola@example.com", reference="1.2")


@pytest.mark.parametrize("to", ["", "ola", "a@b@c", "ola@example.com>\r\nRCPT TO:<x@y.z", "ø@example.com", "a b@c.no"])
def test_an_address_that_cannot_be_written_is_refused(to: str) -> None:
    with pytest.raises(BadHeader):
        template().fill({}, {}, to=to, reference="1.2")


def test_a_slot_nobody_declared_is_refused_when_compiling() -> None:
    with pytest.raises(UnknownSlot, match="z"):
        template(text=marker("z"))


def test_a_missing_value_is_named() -> None:
    with pytest.raises(MissingSlot, match="y"):
        template(html=marker("y")).fill({"x": ""}, {}, to="ola@example.com", reference="1.2")
