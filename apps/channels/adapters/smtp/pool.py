"""A few connections to one relay, kept between bursts, on an event loop of their own.

The loop runs in a thread of its own because the caller may already stand inside another one, and so that receipts
come out while later messages still go in.
"""

import asyncio
import base64
import os
import ssl
import threading
from collections import deque
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from ..base import AdapterError
from .conversation import Connection, MailRequest, Reply, Stage

T = TypeVar("T")
_MOST_LOSSES = 6
_IDLE_SECONDS = 20.0


@dataclass(frozen=True)
class Relay:
    """Where to send. `security` is none, starttls or tls; `timeout` seconds of silence are too many."""

    host: str
    port: int
    security: str = "none"
    username: str = ""
    password: str = ""
    helo: str = "localhost"
    connections: int = 10
    timeout: float = 30.0
    ca_file: str = ""

    def __repr__(self) -> str:
        return f"<Relay {self.host}:{self.port} {self.security}>"

    def tls(self) -> ssl.SSLContext:
        """The TLS rules: certificates are checked, against `ca_file` when given."""
        return ssl.create_default_context(cafile=self.ca_file or None)


class Delivery:
    """One call of `post`: messages that wait, and replies on their way to the caller."""

    def __init__(self, requests: list[MailRequest], loop: asyncio.AbstractEventLoop) -> None:
        self.waiting = deque(requests)
        self.problem = "the relay could not be reached"
        self.out: SimpleQueue[list[Reply] | None] = SimpleQueue()
        self._loop = loop
        self._fresh: list[Reply] = []
        self._tried_again: set[str] = set()
        self._losses = 0

    def take(self) -> MailRequest | None:
        return self.waiting.popleft() if self.waiting else None

    def give_back(self, request: MailRequest, again: bool) -> bool:
        self._losses += 1
        if not again or request.reference in self._tried_again or self.hopeless:
            return False
        self._tried_again.add(request.reference)
        self.waiting.append(request)
        return True

    def answer(self, reply: Reply) -> None:
        if reply.code:
            self._losses = 0
        elif reply.stage is Stage.NO_ANSWER:
            self._losses += 1
        if not self._fresh:
            self._loop.call_soon(self._flush)
        self._fresh.append(reply)

    def _flush(self) -> None:
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            self.out.put(fresh)

    @property
    def hopeless(self) -> bool:
        """True when one connection after the other was lost without a single answer."""
        return self._losses > _MOST_LOSSES

    def finish(self) -> None:
        """Answers what is left and tells the caller that nothing more comes."""
        while request := self.take():
            self.answer(Reply(request.reference, Stage.NOT_HANDED_OVER, 0, self.problem))
        self._flush()
        self.out.put(None)


class Pool:
    """The connections to one relay; usable from any thread, and after a fork."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self._lock = threading.Lock()
        self._pid = 0
        self._idle: list[Connection] = []

    def deliver(self, requests: list[MailRequest]) -> Iterator[list[Reply]]:
        """Sends all; yields replies as they come, exactly one per message."""
        loop = self._running()
        delivery = Delivery(requests, loop)
        work = asyncio.run_coroutine_threadsafe(self._deliver(delivery), loop)
        try:
            while replies := delivery.out.get():
                yield replies
            work.result()
        finally:
            delivery.waiting.clear()

    def test(self) -> str:
        """Greets, logs in and says goodbye; what the relay can do, or `AdapterError`."""
        return self._wait(self._features())

    def close(self) -> None:
        """Says goodbye on all idle connections and ends the thread."""
        with self._lock:
            if self._pid == os.getpid():
                asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(5)
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._pid = 0

    async def _end(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.bid_farewell()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._pid != os.getpid():
                self._pid, self._idle = os.getpid(), []
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="smtp", daemon=True).start()
            return self._loop

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._running())
        return future.result()

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            wanted = min(self.relay.connections, 1 + len(delivery.waiting) // 4)
            await asyncio.gather(*[self._work(delivery) for _ in range(wanted)])
        finally:
            delivery.finish()

    async def _work(self, delivery: Delivery) -> None:
        while delivery.waiting and not delivery.hopeless:
            try:
                connection = await self._connection()
            except AdapterError as problem:
                delivery.problem = problem.message
                return
            await connection.run(delivery)
            if connection.reusable:
                self._idle.append(connection)
                asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._retire, connection)

    def _retire(self, connection: Connection) -> None:
        if connection in self._idle and connection.alive:
            self._idle.remove(connection)
            connection.bid_farewell()

    async def _features(self) -> str:
        connection = await self._connect()
        connection.bid_farewell()
        return ", ".join(sorted(connection.features)) or "nothing special"

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return await self._connect()

    async def _connect(self) -> Connection:
        relay = self.relay
        try:
            async with asyncio.timeout(relay.timeout):
                return await self._open()
        except TimeoutError:
            raise AdapterError(f"{relay.host} did not answer in {relay.timeout:g} seconds", permanent=False) from None
        except ssl.SSLError as problem:
            raise AdapterError(f"no trusted connection to {relay.host}: {problem}", permanent=True) from problem
        except OSError as problem:
            raise AdapterError(f"{relay.host}:{relay.port} cannot be reached: {problem}", permanent=False) from problem

    async def _open(self) -> Connection:
        relay, tls = self.relay, self.relay.tls() if self.relay.security == "tls" else None
        loop = asyncio.get_running_loop()
        transport, connection = await loop.create_connection(
            lambda: Connection(relay.timeout), relay.host, relay.port, ssl=tls
        )
        try:
            await self._greet(connection)
        except BaseException:
            transport.abort()
            raise
        return connection

    async def _greet(self, connection: Connection) -> None:
        code, lines = await connection.answer()
        _require(code == 220, code, lines)
        await self._ehlo(connection)
        if self.relay.security == "starttls":
            await self._start_tls(connection)
        if self.relay.username:
            await self._log_in(connection)

    async def _ehlo(self, connection: Connection) -> None:
        code, lines = await connection.command(f"EHLO {self.relay.helo}")
        if code >= 500:
            code, lines = await connection.command(f"HELO {self.relay.helo}")
        _require(code == 250, code, lines)
        for line in lines[1:]:
            word, _, rest = line.partition(" ")
            connection.features[word.upper()] = rest

    async def _start_tls(self, connection: Connection) -> None:
        # a relay that does not offer it may be somebody in between who took the offer out (RFC 3207 6)
        if "STARTTLS" not in connection.features:
            raise AdapterError("the relay does not offer STARTTLS", permanent=True)
        code, lines = await connection.command("STARTTLS")
        _require(code == 220, code, lines)
        connection.forget_plain_text()
        transport = await connection.loop.start_tls(
            connection.transport, connection, self.relay.tls(), server_hostname=self.relay.host
        )
        assert transport
        connection.connection_made(transport)
        await self._ehlo(connection)

    async def _log_in(self, connection: Connection) -> None:
        if self.relay.security == "none" and self.relay.host not in ("127.0.0.1", "localhost", "::1"):
            raise AdapterError("a password is never sent over an unprotected connection", permanent=True)
        user, password = self.relay.username, self.relay.password
        if "PLAIN" in connection.features.get("AUTH", "PLAIN").upper().split():
            code, lines = await connection.command(f"AUTH PLAIN {_coded(f'{chr(0)}{user}{chr(0)}{password}')}")
        else:
            await connection.command("AUTH LOGIN")
            await connection.command(_coded(user))
            code, lines = await connection.command(_coded(password))
        if code != 235:
            raise AdapterError(f"the relay refused the login: {code} {lines[-1]}", permanent=code >= 500)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _require(fine: bool, code: int, lines: list[str]) -> None:
    if not fine:
        raise AdapterError(f"the relay answered {code} {lines[-1]}", permanent=code >= 500)
