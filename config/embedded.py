"""PostgreSQL and Valkey out of their wheels, for everybody who sets neither DATABASE_URL nor BROKER_URL.

Every attached process holds a shared lock on one lease file for as long as it lives. A watcher process (config/watcher.py)
owns the two servers; when it can take that lock for itself, nobody is attached any more, and it stops them and ends. The
kernel drops a lock with its holder, so SIGKILL and crashes are no special cases.
"""

import hashlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

START_SECONDS = 90


class ServicesFailed(Exception):
    """The embedded servers did not start; the message holds the end of their log."""


@dataclass
class Cluster:
    """One PostgreSQL and one Valkey with their data under `state_dir / name`."""

    state_dir: Path
    name: str = "main"
    _lease: IO[Any] | None = field(default=None, repr=False)
    _watchers: list["subprocess.Popen[bytes]"] = field(default_factory=list, repr=False)
    _guard: Any = field(default_factory=threading.Lock, repr=False)

    @property
    def directory(self) -> Path:
        return self.state_dir / self.name

    @property
    def socket_directory(self) -> Path:
        """Short, because a socket's path may have 100 characters only; one per checkout and user."""
        digest = hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        return Path("/tmp") / f"concord-{os.getuid() if hasattr(os, 'getuid') else 0}-{digest}"

    @property
    def database_url(self) -> str:
        return f"postgres://postgres@/concord?host={self.socket_directory}"

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.socket_directory}/valkey.sock?virtual_host=0"

    @property
    def cache_url(self) -> str:
        return f"unix://{self.socket_directory}/valkey.sock?db=1"

    def attach(self, *, again: bool = False) -> None:
        """Makes sure both servers run, and go on running while this process lives.

        `again` looks anew although this process is attached already (after a server crashed). Raises ServicesFailed.
        """
        with self._guard:
            if self._lease and not again:
                return
            self.directory.mkdir(parents=True, exist_ok=True)
            if not self._lease:
                self._lease = _locked(self.directory / "lease", shared=True)
            with _locked(self.directory / "start.lock"):
                self._start()

    def detach(self) -> None:
        """Gives the lease back before the process ends."""
        with self._guard:
            if self._lease:
                self._lease.close()
                self._lease = None

    def _start(self) -> None:
        ready, deadline = self.directory / "ready", time.monotonic() + START_SECONDS
        watcher = None
        while True:
            if watcher is None and not _is_held(self.directory / "watcher.lock"):
                ready.unlink(missing_ok=True)
                watcher = self._spawn_watcher()
            if ready.exists():
                return
            if time.monotonic() > deadline or (watcher and watcher.poll() is not None):
                raise ServicesFailed(f"The embedded PostgreSQL and Valkey did not start.\n{self._log_tail()}")
            time.sleep(0.02)

    def _spawn_watcher(self) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable,
            str(Path(__file__).with_name("watcher.py")),
            str(self.directory),
            str(self.socket_directory),
        ]
        with open(self.directory / "watcher.log", "wb") as log:
            watcher = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
            )
        self._watchers.append(watcher)
        return watcher

    def _log_tail(self) -> str:
        logs = [self.directory / name for name in ("watcher.log", "postgres.log", "valkey.log")]
        return "\n".join(f"{log}:\n{log.read_text(errors='replace')[-1500:]}" for log in logs if log.exists())


def _locked(path: Path, *, shared: bool = False) -> IO[Any]:
    """The opened file with its lock held; waits for it. Closing the file gives the lock back."""
    import fcntl

    file = open(path, "a+b")  # noqa: SIM115 - the lock lives as long as the open file
    fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    return file


def _is_held(path: Path) -> bool:
    import fcntl

    with open(path, "a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def attach_if_used() -> None:
    """Starts the embedded services unless both addresses are given from outside."""
    from django.conf import settings

    if not (settings.DATABASE_URL and settings.BROKER_URL):
        settings.CLUSTER.attach()
