"""The mail counterpart: an SMTP server with PIPELINING that is never the bottleneck."""

import asyncio
import base64
import binascii
import re
import ssl
import time
from email.header import decode_header, make_header
from typing import cast

from .inbox import Got, Writer
from .rules import Behaviour, Rules

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([0-9]+\.[0-9]+)@", re.IGNORECASE | re.MULTILINE)
_SUBJECT = re.compile(rb"^Subject:[ \t]*((?:[^\r]|\r\n[ \t])*)\r\n", re.IGNORECASE | re.MULTILINE)
_PATH = re.compile(rb"<([^>]*)>")
_AT_RECIPIENT = {
    Behaviour.INVALID: b"550 5.1.1 No such mailbox here\r\n",
    Behaviour.BUSY: b"452 4.2.2 Mailbox full, try again later\r\n",
}
_AT_END = {
    Behaviour.BLOCKED: b"554 5.7.1 Message refused by policy\r\n",
    Behaviour.BROKEN: b"451 4.3.0 Local error, try again later\r\n",
}


def reference_of(data: bytes) -> str:
    """The delivery reference in the Message-ID of a message, "" when it has none of ours."""
    found = _MESSAGE_ID.search(data, 0, 4000)
    return found[1].decode() if found else ""


def subject_of(data: bytes) -> str:
    """The subject of a message, decoded."""
    found = _SUBJECT.search(data, 0, 8000)
    text = found[1].decode("utf-8", "replace").replace("\r\n", "") if found else ""
    return str(make_header(decode_header(text))) if "=?" in text else text


class RelaySession(asyncio.Protocol):
    """One SMTP connection to the counterpart."""

    def __init__(self, writer: Writer, rules: Rules, tls: ssl.SSLContext | None = None) -> None:
        self.writer = writer
        self.rules = rules
        self.tls = tls
        self.buffer = bytearray()
        self.receiving = False
        self.silent = False
        self.login = 0
        self._reset()

    def _reset(self) -> None:
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.behaviour = Behaviour.ACCEPT

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(b"220 sandbox.invalid ESMTP Concord sandbox\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        replies: list[bytes] = []
        while not self.silent and self._step(replies):
            pass
        if replies and not self.transport.is_closing():
            self.transport.write(b"".join(replies))

    def _step(self, replies: list[bytes]) -> bool:
        if self.receiving:
            return self._receive(replies)
        end = self.buffer.find(b"\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end]).rstrip(b"\r")
        del self.buffer[: end + 1]
        replies.append(self._command(line))
        return True

    def _receive(self, replies: list[bytes]) -> bool:
        if self.buffer.startswith(b".\r\n"):
            end, skip = 0, 3
        else:
            end, skip = self.buffer.find(b"\r\n.\r\n") + 2, 3
            if end < 2:
                return False
        data = bytes(self.buffer[:end])
        del self.buffer[: end + skip]
        self.receiving = False
        replies.append(self._keep(data.replace(b"\r\n..", b"\r\n.")))
        return True

    def _keep(self, data: bytes) -> bytes:
        behaviour, recipients, sender = self.behaviour, self.recipients, self.sender or ""
        self._reset()
        if behaviour is Behaviour.VANISH:
            self.transport.abort()
            return b""
        if behaviour in _AT_END:
            return _AT_END[behaviour]
        reference, subject, now = reference_of(data), subject_of(data), time.time()
        for recipient in recipients:
            self.writer.add(Got("email", reference, recipient, sender, subject, now, data))
        return b"250 2.0.0 Ok: queued as %s\r\n" % (reference.encode() or b"SANDBOX")

    def _command(self, line: bytes) -> bytes:
        if self.login:
            self.login -= 1
            return b"334 \r\n" if self.login else b"235 2.7.0 Welcome\r\n"
        verb = line[:4].upper()
        if verb == b"MAIL":
            self._reset()
            self.sender = self._path(line)
            return b"250 2.1.0 Ok\r\n"
        if verb == b"RCPT":
            return self._recipient(self._path(line))
        if verb == b"DATA":
            if not self.recipients:
                return b"554 5.5.1 No valid recipients\r\n"
            self.receiving = True
            return b"354 End data with a line of one dot\r\n"
        return self._other(verb, line)

    def _recipient(self, address: str) -> bytes:
        if self.sender is None:
            return b"503 5.5.1 MAIL first\r\n"
        behaviour = self.rules.behaviour("email", address)
        if behaviour is Behaviour.NEVER:
            self.silent = True
            return b""
        if behaviour in _AT_RECIPIENT:
            return _AT_RECIPIENT[behaviour]
        if behaviour is not Behaviour.ACCEPT:
            self.behaviour = behaviour
        self.recipients.append(address)
        return b"250 2.1.5 Ok\r\n"

    def _other(self, verb: bytes, line: bytes) -> bytes:
        if verb == b"EHLO":
            words = [b"250-sandbox.invalid", b"250-PIPELINING", b"250-8BITMIME", b"250-AUTH PLAIN LOGIN"]
            words += [b"250-STARTTLS"] if self.tls else []
            return b"\r\n".join([*words, b"250 ENHANCEDSTATUSCODES", b""])
        if verb in (b"HELO", b"NOOP", b"RSET"):
            self._reset()
            return b"250 2.0.0 Ok\r\n"
        if verb == b"AUTH":
            return self._authenticate(line)
        if verb == b"STAR" and self.tls:
            asyncio.get_running_loop().create_task(self._start_tls(self.tls))
            return b""
        if verb == b"QUIT":
            self.transport.write(b"221 2.0.0 Bye\r\n")
            self.transport.close()
            return b""
        return b"502 5.5.2 Command not known\r\n"

    def _authenticate(self, line: bytes) -> bytes:
        words = line.split()
        if len(words) == 3 and b"refused" in _decoded(words[2]):
            return b"535 5.7.8 Wrong user name or password\r\n"
        if words[1:2] == [b"LOGIN"]:
            self.login = 2
            return b"334 VXNlcm5hbWU6\r\n"
        return b"235 2.7.0 Welcome\r\n"

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        self.transport.write(b"220 2.0.0 Go ahead\r\n")
        self.buffer.clear()
        # the first words after the handshake may come before start_tls returns: they wait for the new transport
        self.silent = True
        transport = await asyncio.get_running_loop().start_tls(self.transport, self, context, server_side=True)
        if transport:
            self.transport, self.tls, self.silent = cast(asyncio.Transport, transport), None, False
            self.data_received(b"")

    @staticmethod
    def _path(line: bytes) -> str:
        found = _PATH.search(line)
        return found[1].decode("utf-8", "replace") if found else ""


def _decoded(coded: bytes) -> bytes:
    try:
        return base64.b64decode(coded)
    except binascii.Error:
        return b""
