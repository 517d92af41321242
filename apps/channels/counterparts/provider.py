"""The text message counterpart: HTTP of Twilio's shape, with signed callbacks, on loopback only."""

import asyncio
import base64
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests

from ..adapters.twilio_sms.signature import signature
from .inbox import Got, Writer, find, message
from .rules import Behaviour, Rules

_REFUSALS = {
    Behaviour.INVALID: (400, 21211, "The 'To' number is not a valid phone number"),
    Behaviour.BLOCKED: (400, 21610, "Attempt to send to unsubscribed recipient"),
    Behaviour.BUSY: (429, 20429, "Too many requests"),
    Behaviour.BROKEN: (500, 20500, "Internal server error"),
}
_REASONS = {
    200: "OK",
    201: "Created",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
}


@dataclass(frozen=True)
class Call:
    """An HTTP request that was read."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def login(self) -> tuple[str, str]:
        """Account SID and auth token of the basic authentication."""
        kind, _, coded = self.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(coded).decode().partition(":")
        except ValueError:
            return "", ""
        return (user, password) if kind.lower() == "basic" else ("", "")


@dataclass
class Callbacks:
    """Posts signed callbacks from a thread; a receiver that does not answer is left alone for a while."""

    waiting: SimpleQueue[tuple[str, dict[str, str], str] | None] = field(default_factory=SimpleQueue)
    rest: float = 5.0

    def __post_init__(self) -> None:
        self._quiet_until = 0.0
        self._thread = Thread(target=self._run, name="callbacks", daemon=True)
        self._thread.start()

    def send(self, url: str, fields: dict[str, str], token: str) -> None:
        """Queues one callback."""
        self.waiting.put((url, fields, token))

    def close(self) -> None:
        """Drops what waits and ends."""
        self._quiet_until = float("inf")
        self.waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        session = requests.Session()
        session.trust_env = False
        while entry := self.waiting.get():
            if time.monotonic() < self._quiet_until:
                continue
            url, fields, token = entry
            headers = {"X-Twilio-Signature": signature(token, url, fields.items())}
            try:
                session.post(url, data=fields, headers=headers, timeout=5)
            except requests.RequestException:
                self._quiet_until = max(self._quiet_until, time.monotonic() + self.rest)


class Provider:
    """The counterpart's memory and its answers; `serve` speaks HTTP/1.1 with kept connections."""

    def __init__(self, writer: Writer, rules: Rules, folder: Path) -> None:
        self.writer = writer
        self.rules = rules
        self.folder = folder
        self.callbacks = Callbacks()
        self.recent: OrderedDict[str, str] = OrderedDict()
        self.tokens: dict[str, str] = {}

    async def serve(self, reader: asyncio.StreamReader, stream: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while call := await _read(reader):
                status, data = await self._answer(call)
                if status < 0:
                    break
                payload = json.dumps(data).encode()
                head = f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\nContent-Type: application/json\r\n"
                stream.write(f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload)
                await stream.drain()
        except (ConnectionError, asyncio.IncompleteReadError, ValueError, asyncio.CancelledError):
            # cancelled only when the counterparts end; asyncio would call that an error of this connection
            pass
        finally:
            stream.close()

    async def _answer(self, call: Call) -> tuple[int, dict[str, object]]:
        if call.path == "/control/flush":
            await asyncio.to_thread(self.writer.flush)
            return 200, {"flushed": True}
        if call.path == "/control/reply":
            return await asyncio.to_thread(self._reply, call.fields)
        sid, token = call.login
        parts = call.path.strip("/").split("/")
        if parts[:2] != ["2010-04-01", "Accounts"] or len(parts) < 3:
            return 404, {"code": 20404, "message": "Not found"}
        if not sid or parts[2].removesuffix(".json") != sid or token == "refused":
            return 401, {"code": 20003, "message": "Authenticate"}
        self.tokens[sid] = token
        if len(parts) == 3:
            return 200, {"sid": sid, "friendly_name": "Concord sandbox", "status": "active"}
        if call.method == "POST":
            return await self._send(call, sid, token)
        return await asyncio.to_thread(self._look_up, call.query.get("Reference", [""])[0])

    async def _send(self, call: Call, sid: str, token: str) -> tuple[int, dict[str, object]]:
        fields = call.fields
        to = fields.get("To", "")
        behaviour = self.rules.behaviour("sms", to) if fields.get("Body") and to.startswith("+") else Behaviour.INVALID
        if behaviour in _REFUSALS:
            status, code, words = _REFUSALS[behaviour]
            return status, {"code": code, "message": words, "status": status}
        if behaviour is Behaviour.NEVER:
            await asyncio.sleep(3600)
        key = call.headers.get("idempotency-key", "")
        if key and key in self.recent:
            return 201, {"sid": self.recent[key], "status": "queued"}
        message_sid = "SM" + secrets.token_hex(16)
        self._remember(key, message_sid)
        body = json.dumps({**fields, "AccountSid": sid, "MessageSid": message_sid}).encode()
        sender = fields.get("From") or fields.get("MessagingServiceSid", "")
        self.writer.add(Got("sms", key, to, sender, fields.get("Body", "")[:200], time.time(), body))
        self._call_back(fields, sid, message_sid, token, behaviour)
        return (-1, {}) if behaviour is Behaviour.VANISH else (201, {"sid": message_sid, "status": "queued"})

    def _remember(self, key: str, message_sid: str) -> None:
        if key:
            self.recent[key] = message_sid
            if len(self.recent) > 500_000:
                self.recent.popitem(last=False)

    def _call_back(self, fields: dict[str, str], sid: str, message_sid: str, token: str, how: Behaviour) -> None:
        url = fields.get("StatusCallback")
        if not url:
            return
        status = "undelivered" if how is Behaviour.UNDELIVERED else "delivered"
        news = {"MessageSid": message_sid, "SmsSid": message_sid, "MessageStatus": status, "AccountSid": sid}
        news |= {"To": fields.get("To", ""), "From": fields.get("From", ""), "ApiVersion": "2010-04-01"}
        if status == "undelivered":
            news["ErrorCode"] = "30003"
        self.callbacks.send(url, news, token)

    def _look_up(self, reference: str) -> tuple[int, dict[str, object]]:
        self.writer.flush()
        found = find("sms", reference, self.folder)
        got = message(found.id, self.folder) if found else None
        return 200, {"messages": [{"sid": json.loads(got.body)["MessageSid"], "status": "delivered"}] if got else []}

    def _reply(self, fields: dict[str, str]) -> tuple[int, dict[str, object]]:
        """A person answers the stored message `id` with `text`: posted as the provider would, signed."""
        self.writer.flush()
        got = message(int(fields.get("id") or 0), self.folder)
        if got is None or got.channel != "sms":
            return 404, {"message": "no such text message"}
        original = json.loads(got.body)
        url, token = original.get("StatusCallback", ""), self.tokens.get(original["AccountSid"], "")
        if not url or not token:
            return 400, {"message": "the account has no webhook, or has sent nothing since the sandbox started"}
        sid = "SM" + secrets.token_hex(16)
        news = {"MessageSid": sid, "SmsSid": sid, "SmsStatus": "received", "Body": fields.get("text", "")}
        news |= {"From": got.address, "To": got.sender, "AccountSid": original["AccountSid"]}
        self.callbacks.send(url.partition("?")[0], news, token)
        return 200, {"sid": sid}


async def _read(reader: asyncio.StreamReader) -> Call | None:
    first = await reader.readline()
    if not first.strip():
        return None
    method, target, _version = first.decode("latin-1").split()
    headers: dict[str, str] = {}
    while line := (await reader.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    parts = urlsplit(target)
    return Call(method, parts.path, parse_qs(parts.query), headers, body)
