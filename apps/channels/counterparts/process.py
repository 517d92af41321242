"""Runs the counterparts: as a process of its own, or in a thread of a test."""

import asyncio
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .inbox import Writer
from .place import Endpoints, announce, withdraw
from .provider import Provider
from .relay import RelaySession
from .rules import Rules

_HOST = "127.0.0.1"


async def _refresh(rules: Rules) -> None:
    while True:
        rules.refresh()
        await asyncio.sleep(0.2)


async def serve(
    folder: Path,
    stop: asyncio.Event,
    *,
    ports: tuple[int, int] = (0, 0),
    tls: ssl.SSLContext | None = None,
    ready: Callable[[Endpoints], None] = lambda endpoints: None,
) -> None:
    """Listens on loopback (SMTP port, HTTP port; 0 = any) until `stop`; what came is kept in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rules, writer = Rules(folder), Writer(folder)
    provider = Provider(writer, rules, folder)
    loop = asyncio.get_running_loop()
    relay = await loop.create_server(lambda: RelaySession(writer, rules, tls), _HOST, ports[0], backlog=512)
    http = await asyncio.start_server(provider.serve, _HOST, ports[1], backlog=512)
    endpoints = Endpoints(relay.sockets[0].getsockname()[1], http.sockets[0].getsockname()[1], os.getpid())
    rules.refresh()
    refreshing = asyncio.create_task(_refresh(rules))
    announce(folder, endpoints)
    ready(endpoints)
    try:
        await stop.wait()
    finally:
        refreshing.cancel()
        withdraw(folder)
        relay.close()
        http.close()
        await asyncio.to_thread(provider.callbacks.close)
        await asyncio.to_thread(writer.close)


@contextmanager
def running(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[Endpoints]:
    """Counterparts in a thread for as long as the block lasts."""
    found: list[tuple[Endpoints, asyncio.AbstractEventLoop]] = []
    started, stop = threading.Event(), asyncio.Event()

    def ready(endpoints: Endpoints) -> None:
        found.append((endpoints, asyncio.get_running_loop()))
        started.set()

    def run() -> None:
        try:
            asyncio.run(serve(folder, stop, tls=tls, ready=ready))
        finally:
            started.set()

    thread = threading.Thread(target=run, name="counterparts", daemon=True)
    thread.start()
    started.wait(10)
    endpoints, loop = found[0]
    try:
        yield endpoints
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
