"""One SMTP connection that pipelines (RFC 2920): the body of one message travels with the envelope of the next.

So a message costs one round trip. At every moment it is known of each message whether its body has been handed over,
which is the line between "try again" and "unknown".
"""

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from functools import lru_cache
from typing import Protocol, cast

from ..base import AdapterError, Request

_CRLF = re.compile(rb"\r?\n")
_TOO_LATE = "the relay did not answer in time"


@dataclass(frozen=True)
class MailRequest(Request):
    """One message with its envelope. `data` has CRLF line ends, none beginning with a dot, and no Date header."""

    sender: str
    recipient: str
    data: bytes


@lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    return f"Date: {formatdate(second)}\r\n".encode()


class Stage(StrEnum):
    """How far a message had come when the reply came, or the connection went."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"
    TRANSFER = "transfer"
    NOT_HANDED_OVER = "not handed over"
    NO_ANSWER = "no answer"
    RESET = "reset"


@dataclass(frozen=True)
class Reply:
    """The answer that decided about one message; code 0 when there was none."""

    reference: str
    stage: Stage
    code: int
    text: str


class Job(Protocol):
    """Where a connection takes messages from and gives their replies to."""

    def take(self) -> MailRequest | None: ...

    def give_back(self, request: MailRequest, again: bool) -> bool:
        """A connection was lost before the body went; True when the message waits for another one (if `again`)."""

    def answer(self, reply: Reply) -> None: ...


@dataclass
class _Transaction:
    request: MailRequest
    failure: tuple[Stage, int, str] | None = None
    handed_over: bool = False
    answered: bool = False


@dataclass
class _Command:
    data: bytes
    stage: Stage
    transaction: _Transaction | None = None


@dataclass
class Connection(asyncio.Protocol):
    """One connection. Make with `connect`, prepare with `greet`, then `run` jobs on it."""

    timeout: float
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    features: dict[str, str] = field(default_factory=dict)
    alive: bool = False
    lost_because: str = "the relay closed the connection"

    def __post_init__(self) -> None:
        self._buffer = b""
        self._lines: list[str] = []
        self._waiter: asyncio.Future[tuple[int, list[str]]] | None = None
        self._early: deque[tuple[int, list[str]]] = deque()
        self._job: Job | None = None
        self._idle: asyncio.Future[None] | None = None
        self._commands: deque[_Command] = deque()
        self._expected: deque[_Command] = deque()
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None

    # --- transport -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.alive = True

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        *lines, self._buffer = _CRLF.split(self._buffer + data)
        for line in lines:
            self._lines.append(line[4:].decode("utf-8", "replace"))
            if line[3:4] != b"-":
                text, self._lines = self._lines, []
                self._reply(int(line[:3]) if line[:3].isdigit() else 0, text)
        if self._job:
            self._pump()
            self._rest_if_done()

    def connection_lost(self, problem: Exception | None) -> None:
        self.alive = False
        if self._watch:
            self._watch.cancel()
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(AdapterError(self.lost_because, permanent=False))
        for transaction in {id(c.transaction): c.transaction for c in [*self._expected, *self._commands]}.values():
            if transaction and not transaction.answered:
                self._lose(transaction)
        self._expected.clear()
        self._commands.clear()
        self._rest()

    def _lose(self, transaction: _Transaction) -> None:
        assert self._job
        in_time = self.lost_because != _TOO_LATE
        if not transaction.handed_over and self._job.give_back(transaction.request, again=in_time):
            return
        stage = Stage.NO_ANSWER if transaction.handed_over else Stage.NOT_HANDED_OVER
        self._job.answer(Reply(transaction.request.reference, stage, 0, self.lost_because))

    def _give_up_when_silent(self) -> None:
        silent = self.loop.time() - self._heard
        if silent >= self.timeout and (self._expected or (self._waiter and not self._waiter.done())):
            self.lost_because = _TOO_LATE
            self.transport.abort()
        else:
            wait = max(0.02, self.timeout - silent if silent < self.timeout else self.timeout)
            self._watch = self.loop.call_later(wait, self._give_up_when_silent)

    @property
    def reusable(self) -> bool:
        """True when the relay still listens and has not spoken out of turn (421 before it hangs up)."""
        return self.alive and not self._early and not self.transport.is_closing()

    def watch(self) -> None:
        """Starts counting silence; a relay silent for `timeout` seconds is given up."""
        self._heard = self.loop.time()
        if self._watch:
            self._watch.cancel()
        self._watch = self.loop.call_later(self.timeout, self._give_up_when_silent)

    # --- one command at a time: greeting and login -------------------------------------------------

    async def answer(self) -> tuple[int, list[str]]:
        """The next reply of the relay: its code and its lines."""
        if self._early:
            return self._early.popleft()
        if not self.alive:
            raise AdapterError(self.lost_because, permanent=False)
        self._waiter = self.loop.create_future()
        return await self._waiter

    async def command(self, line: str) -> tuple[int, list[str]]:
        """Sends one command and waits for its reply."""
        self._heard = self.loop.time()
        self.transport.write(line.encode("ascii") + b"\r\n")
        return await self.answer()

    def forget_plain_text(self) -> None:
        """Drops everything heard before TLS began, so that nobody can have put words in between."""
        self._buffer, self._lines = b"", []
        self._early.clear()
        self.features.clear()

    def bid_farewell(self) -> None:
        """Says QUIT and hangs up without waiting for the answer."""
        if self.alive:
            self.transport.write(b"QUIT\r\n")
            self.transport.close()

    # --- a job of many messages --------------------------------------------------------------------

    async def run(self, job: Job) -> None:
        """Sends messages of `job` until it has no more or the connection is lost."""
        self._job = job
        self._idle = self.loop.create_future()
        self.watch()
        self._begin_next()
        self._pump()
        self._rest_if_done()
        await self._idle

    def _begin_next(self) -> None:
        request = self._job.take() if self._job else None
        if request is None:
            return
        transaction = _Transaction(request)
        self._commands += [
            _Command(b"MAIL FROM:<%b>\r\n" % request.sender.encode("ascii"), Stage.SENDER, transaction),
            _Command(b"RCPT TO:<%b>\r\n" % request.recipient.encode("ascii"), Stage.RECIPIENT, transaction),
            _Command(b"DATA\r\n", Stage.CONTENT, transaction),
        ]

    def _pump(self) -> None:
        commands = self._commands
        if not commands or not self.alive:
            return
        if "PIPELINING" not in self.features:
            if self._expected:
                return
            batch = [commands.popleft()]
        else:
            batch = list(commands)
            commands.clear()
        for command in batch:
            if command.stage is Stage.TRANSFER and command.transaction:
                command.transaction.handed_over = True
        self._expected += batch
        self.transport.write(b"".join([command.data for command in batch]))

    def _reply(self, code: int, lines: list[str]) -> None:
        if self._job is None or not self._expected:
            if self._waiter and not self._waiter.done():
                self._waiter.set_result((code, lines))
            else:
                self._early.append((code, lines))
            return
        command = self._expected.popleft()
        transaction, text = command.transaction, lines[-1]
        if command.stage is Stage.RESET or transaction is None:
            return
        if command.stage is Stage.TRANSFER:
            self._answer(transaction, Stage.TRANSFER, code, text)
        elif command.stage is Stage.CONTENT:
            self._content_reply(transaction, code, text)
        elif not 200 <= code < 300 and transaction.failure is None:
            transaction.failure = (command.stage, code, text)

    def _content_reply(self, transaction: _Transaction, code: int, text: str) -> None:
        if code == 354 and transaction.failure is None:
            body = _date(int(time.time())) + transaction.request.data + b".\r\n"
            self._commands.append(_Command(body, Stage.TRANSFER, transaction))
        else:
            # RFC 2920 3.1: a server may say 354 though it refused the only recipient; then nothing but the end is sent
            end = b".\r\n" if code == 354 else b"RSET\r\n"
            self._commands.append(_Command(end, Stage.RESET))
            self._answer(transaction, *(transaction.failure or (Stage.CONTENT, code, text)))
        self._begin_next()

    def _answer(self, transaction: _Transaction, stage: Stage, code: int, text: str) -> None:
        assert self._job
        transaction.answered = True
        self._job.answer(Reply(transaction.request.reference, stage, code, text))

    def _rest_if_done(self) -> None:
        if not self._expected and not self._commands:
            self._rest()

    def _rest(self) -> None:
        self._job = None
        if self._idle and not self._idle.done():
            self._idle.set_result(None)
