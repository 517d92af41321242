"""What the counterparts got: one SQLite file, written in batches, in which doubles are a query.

Without a folder the functions speak of the installation's own sandbox (setting SANDBOX_DIR).

Bodies of one batch are compressed together: advertisements resemble each other, so a message costs a few hundred bytes.
"""

import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from .place import settle

_SCHEMA = """
create table if not exists batch (id integer primary key, body blob not null);
create table if not exists message (
    id integer primary key, channel text not null, reference text not null, address text not null,
    sender text not null, subject text not null, at real not null,
    batch integer not null, start integer not null, length integer not null);
create index if not exists message_channel on message (channel, id);
create index if not exists message_reference on message (channel, reference);
create index if not exists message_address on message (address);
"""
_TOGETHER = 64


@dataclass(frozen=True)
class Got:
    """A message that a counterpart got. `at` is seconds since 1970; `body` its bytes as they came."""

    channel: str
    reference: str
    address: str
    sender: str
    subject: str
    at: float
    body: bytes
    id: int = 0


@dataclass(frozen=True)
class Count:
    """Of one channel: messages, distinct references, and messages that came more than once."""

    messages: int
    distinct: int

    @property
    def duplicates(self) -> int:
        return self.messages - self.distinct


@dataclass(frozen=True)
class Page:
    """A page of messages without bodies, newest first."""

    messages: list[Got]
    number: int
    pages: int
    total: int


@contextmanager
def _opened(place: Path | None) -> Iterator[sqlite3.Connection]:
    folder = place or Path(settings.SANDBOX_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(folder / "inbox.sqlite3", timeout=30)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = off")  # a sandbox: a power cut may forget
        connection.executescript(_SCHEMA)
        yield connection
    finally:
        connection.close()


def store(folder: Path, messages: list[Got]) -> None:
    """Writes messages in one transaction."""
    with _opened(folder) as connection, connection:
        for first in range(0, len(messages), _TOGETHER):
            _store_batch(connection, messages[first : first + _TOGETHER])


def _store_batch(connection: sqlite3.Connection, messages: list[Got]) -> None:
    body = zlib.compress(b"".join([m.body for m in messages]), 1)
    batch = connection.execute("insert into batch (body) values (?)", (body,)).lastrowid
    rows, start = [], 0
    for m in messages:
        rows.append((m.channel, m.reference, m.address, m.sender, m.subject, m.at, batch, start, len(m.body)))
        start += len(m.body)
    connection.executemany(
        "insert into message (channel, reference, address, sender, subject, at, batch, start, length)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def counts(folder: Path | None = None) -> dict[str, Count]:
    """Per channel how much was got, to the last message. A message without a reference is always distinct."""
    settle(folder or Path(settings.SANDBOX_DIR))
    with _opened(folder) as connection:
        rows = connection.execute(
            "select channel, count(*), count(distinct case reference when '' then id else reference end)"
            " from message group by channel"
        )
        return {channel: Count(messages, distinct) for channel, messages, distinct in rows}


def references(channel: str, folder: Path | None = None) -> dict[str, int]:
    """How often each reference came on `channel`, to the last message."""
    settle(folder or Path(settings.SANDBOX_DIR))
    with _opened(folder) as connection:
        rows = connection.execute(
            "select reference, count(*) from message where channel = ? group by reference", (channel,)
        )
        return dict(rows.fetchall())


_FIELDS = "id, channel, reference, address, sender, subject, at"


def _got(row: tuple[Any, ...], body: bytes = b"") -> Got:
    number, channel, reference, address, sender, subject, at = row
    return Got(channel, reference, address, sender, subject, at, body, number)


def messages(channel: str = "", search: str = "", page: int = 1, size: int = 50, folder: Path | None = None) -> Page:
    """Messages of a channel ("" = all) whose address, subject or reference contains `search`."""
    pattern = "%" + search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    where = (
        "(? = '' or channel = ?) and (? = '' or address like ? escape '\\' or subject like ? escape '\\'"
        " or reference like ? escape '\\')"
    )
    values = (channel, channel, search, pattern, pattern, pattern)
    with _opened(folder) as connection:
        total = connection.execute(f"select count(*) from message where {where}", values).fetchone()[0]
        pages = max(1, -(-total // size))
        number = min(max(1, page), pages)
        rows = connection.execute(
            f"select {_FIELDS} from message where {where} order by id desc limit ? offset ?",
            (*values, size, (number - 1) * size),
        ).fetchall()
    return Page([_got(row) for row in rows], number, pages, total)


def message(number: int, folder: Path | None = None) -> Got | None:
    """One message with its body."""
    with _opened(folder) as connection:
        row = connection.execute(
            f"select {_FIELDS}, batch, start, length from message where id = ?", (number,)
        ).fetchone()
        if row is None:
            return None
        *fields, batch, start, length = row
        body = connection.execute("select body from batch where id = ?", (batch,)).fetchone()[0]
    return _got(tuple(fields), zlib.decompress(body)[start : start + length])


def find(channel: str, reference: str, folder: Path | None = None) -> Got | None:
    """The first message with this reference, without its body."""
    with _opened(folder) as connection:
        row = connection.execute(
            f"select {_FIELDS} from message where channel = ? and reference = ? order by id limit 1",
            (channel, reference),
        ).fetchone()
    return _got(row) if row else None


def forget(addresses: Sequence[str], customers: Sequence[int] = (), folder: Path | None = None) -> list[Got]:
    """Erases all messages to these addresses or customers (erasure reaches sandbox copies too); what they were."""
    settle(folder or Path(settings.SANDBOX_DIR))
    gone: list[Got] = []
    tests = [("address = ?", address) for address in addresses]
    tests += [("reference like ?", f"%.{customer}") for customer in customers]
    with _opened(folder) as connection:
        connection.execute("pragma secure_delete = on")
        with connection:
            for test, value in tests:
                found = connection.execute(
                    f"select {_FIELDS}, batch, start, length from message where {test}", (value,)
                )
                gone += [_blank(connection, row) for row in found.fetchall()]
        # what is deleted still stands in the log until that is cut off
        connection.execute("pragma wal_checkpoint(truncate)")
    return gone


def _blank(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Got:
    *fields, batch, start, length = row
    body = zlib.decompress(connection.execute("select body from batch where id = ?", (batch,)).fetchone()[0])
    blank = body[:start] + b" " * length + body[start + length :]
    connection.execute("update batch set body = ? where id = ?", (zlib.compress(blank, 1), batch))
    connection.execute("delete from message where id = ?", (fields[0],))
    return _got(tuple(fields), body[start : start + length])


class Writer:
    """Takes messages at once and writes them from a thread, a few times a second."""

    def __init__(self, folder: Path, every: float = 0.15) -> None:
        self._folder = folder
        self._every = every
        self._waiting: list[Got] = []
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    def add(self, message: Got) -> None:
        """Keeps a message until the next write."""
        self._waiting.append(message)

    def flush(self) -> None:
        """Returns when everything added before is written."""
        with self._writing:
            waiting, self._waiting = self._waiting, []
            if waiting:
                store(self._folder, waiting)

    def close(self) -> None:
        """Writes the rest and ends."""
        self._stopping.set()
        self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stopping.is_set():
            time.sleep(self._every)
            self.flush()
