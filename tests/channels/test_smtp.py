"""SMTP: what becomes of each person when the relay has a bad day."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from apps.channels.adapters.base import AccountConfig, AdapterError, Outcome, OutgoingMessage, Receipt
from apps.channels.adapters.smtp import SmtpAdapter
from apps.channels.content import MimeTemplate
from apps.channels.counterparts import inbox
from apps.channels.counterparts.place import Endpoints
from apps.channels.references import parse_signed

TEMPLATE = MimeTemplate.compile(subject="Hi", html="<p>Hi</p>", text="Hi", sender={"from_email": "hei@fjord.example"})


def adapter(port: int, **options: Any) -> SmtpAdapter:
    credentials = options.pop("credentials", {})
    given = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": 0.5, "connections": 3} | options
    return SmtpAdapter(AccountConfig(1, "email", "smtp", given, credentials))


def message(reference: str, address: str) -> OutgoingMessage:
    return OutgoingMessage(reference, address, "nb", TEMPLATE)


def send(to: SmtpAdapter, *addresses: str) -> dict[str, Receipt]:
    requests = [to.build(message(f"1.{n}", address)) for n, address in enumerate(addresses, 1)]
    receipts = list(to.post(requests))
    to.close()
    assert len(receipts) == len(addresses)
    by_reference = {receipt.reference: receipt for receipt in receipts}
    return {address: by_reference[f"1.{n}"] for n, address in enumerate(addresses, 1)}


@contextmanager
def relay(*scripts: Callable[[socket.socket], None]) -> Iterator[int]:
    """A relay whose n-th connection is held by the n-th script (the last one again for all further ones)."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        number = 0
        while True:
            try:
                connection, _peer = server.accept()
            except OSError:
                return
            script = scripts[min(number, len(scripts) - 1)]
            number += 1
            threading.Thread(target=_hold, args=(connection, script), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def _hold(connection: socket.socket, script: Callable[[socket.socket], None]) -> None:
    with connection:
        connection.settimeout(5)
        try:
            script(connection)
        except OSError:
            return


def conversation(**answers: str) -> Callable[[socket.socket], None]:
    """A relay without PIPELINING; `answers` by verb, "hang" is silence, "drop" hangs up."""
    words = {
        "EHLO": "250 plain.example",
        "MAIL": "250 Ok",
        "RCPT": "250 Ok",
        "DATA": "354 Go",
        "END": "250 Ok",
        "RSET": "250 Ok",
    }
    words |= answers

    def script(connection: socket.socket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(f"{words.get('GREETING', '220 hello')}\r\n".encode())
        body = False
        for line in lines:
            if body and line != b".\r\n":
                continue
            verb = "END" if body else line[:4].decode().upper()
            answer = words.get(verb, "221 Bye")
            if answer in ("hang", "drop"):
                if answer == "hang":
                    threading.Event().wait(3)
                return
            body = answer.startswith("354")
            connection.sendall(f"{answer}\r\n".encode())

    return script


def test_each_person_gets_the_answer_of_the_relay(sandbox: Endpoints, settings: Any) -> None:
    got = send(
        adapter(sandbox.smtp),
        "ola@example.com",
        "bounce@example.com",
        "full@example.com",
        "policy@example.com",
        "broken@example.com",
        "vanish@example.com",
        "never@example.com",
        "kari@example.com",
    )

    assert {address.partition("@")[0]: (r.outcome.value, r.code) for address, r in got.items()} == {
        "ola": ("accepted", "250 2.0.0"),
        "kari": ("accepted", "250 2.0.0"),
        "bounce": ("rejected", "550 5.1.1"),
        "policy": ("rejected", "554 5.7.1"),
        "full": ("retry", "452 4.2.2"),
        "broken": ("retry", "451 4.3.0"),
        "vanish": ("unknown", "no answer"),
        "never": ("retry", "not handed over"),
    }
    assert inbox.references("email", settings.SANDBOX_DIR) == {"1.1": 1, "1.8": 1}


def test_a_refused_sender_is_nobodys_bounce() -> None:
    with relay(conversation(MAIL="550 5.7.1 Sender not allowed", RCPT="503 no", DATA="503 no")) as port:
        got = send(adapter(port), "ola@example.com")

    assert got["ola@example.com"].outcome is Outcome.RETRY
    assert got["ola@example.com"].code == "550 5.7.1"


def test_a_relay_without_pipelining_is_served_step_by_step() -> None:
    with relay(conversation()) as port:
        got = send(adapter(port), *[f"a{n}@example.com" for n in range(7)])

    assert {receipt.outcome for receipt in got.values()} == {Outcome.ACCEPTED}


@pytest.mark.parametrize(("answer", "outcome"), [("hang", Outcome.UNKNOWN), ("drop", Outcome.UNKNOWN)])
def test_silence_after_the_body_is_unknown(answer: str, outcome: Outcome) -> None:
    with relay(conversation(END=answer)) as port:
        got = send(adapter(port, connections=1), "ola@example.com")

    assert got["ola@example.com"].outcome is outcome


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_silence_before_the_body_is_tried_again(verb: str) -> None:
    with relay(conversation(**{verb: "hang"})) as port:
        got = send(adapter(port, connections=1), "ola@example.com")

    assert got["ola@example.com"].outcome is Outcome.RETRY


def test_a_connection_lost_before_the_body_is_made_anew() -> None:
    with relay(conversation(MAIL="drop"), conversation()) as port:
        got = send(adapter(port, connections=1), "ola@example.com")

    assert got["ola@example.com"].outcome is Outcome.ACCEPTED


def test_a_relay_that_loses_every_connection_is_given_up() -> None:
    with relay(conversation(END="drop")) as port:
        got = send(adapter(port, connections=2), *[f"a{n}@example.com" for n in range(60)])

    unknown = [r for r in got.values() if r.outcome is Outcome.UNKNOWN]
    assert len(unknown) < 15
    assert {r.outcome for r in got.values()} == {Outcome.UNKNOWN, Outcome.RETRY}


def test_a_relay_that_is_not_there_means_try_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    got = send(adapter(port), "ola@example.com", "kari@example.com")

    assert {r.outcome for r in got.values()} == {Outcome.RETRY}
    assert "cannot be reached" in got["ola@example.com"].detail


@pytest.mark.parametrize("greeting", ["554 no service", "421 busy", "garbage"])
def test_a_relay_that_turns_us_away_means_try_again(greeting: str) -> None:
    with relay(conversation(GREETING=greeting)) as port:
        got = send(adapter(port), "ola@example.com")

    assert got["ola@example.com"].outcome is Outcome.RETRY


def test_a_refused_login_is_said_in_words(sandbox: Endpoints) -> None:
    account = adapter(sandbox.smtp, credentials={"username": "u", "password": "refused"})

    with pytest.raises(AdapterError, match="refused the login: 535") as caught:
        account.test_connection()

    assert caught.value.permanent


def test_a_password_is_never_sent_in_the_clear() -> None:
    account = adapter(25, host="relay.invalid", credentials={"username": "u", "password": "p"})

    assert account.relay().security == "none"
    with pytest.raises(AdapterError):
        account.test_connection()


def test_bounces_come_back_to_an_address_that_names_the_delivery() -> None:
    account = adapter(25, return_path="bounce@fjord.example")

    sender = account.build(message("17.4", "ola@example.com")).sender

    assert re.fullmatch(r"bounce\+17\.4\.[a-z2-7]{10}@fjord\.example", sender)
    assert parse_signed(sender[7:].partition("@")[0]) == "17.4"


def test_a_connection_is_kept_from_one_burst_to_the_next(sandbox: Endpoints) -> None:
    account = adapter(sandbox.smtp, connections=1)
    list(account.post([account.build(message("1.1", "ola@example.com"))]))
    first = account.pool._idle[0]
    list(account.post([account.build(message("1.2", "ola@example.com"))]))

    assert account.pool._idle == [first]
    account.close()


def test_receipts_come_while_later_messages_still_wait() -> None:
    with relay(conversation(), conversation(RCPT="hang")) as port:
        account = adapter(port, connections=1)
        receipts = account.post([account.build(message(f"1.{n}", "ola@example.com")) for n in range(3)])

        assert next(receipts).outcome is Outcome.ACCEPTED
        receipts.close()
        account.close()
