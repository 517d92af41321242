"""Runs Concord's processes side by side in one terminal: prefixed logs, one stop for all, no one left behind."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
STOP_SECONDS = 15
READY_SECONDS = 180
COLOURS = (36, 35, 33, 32, 34)
BASE_DIR = Path(__file__).resolve().parent.parent


class Stopped(Exception):
    """A process ended although nobody asked it to; the message says which, and how."""


@dataclass(frozen=True)
class Part:
    """One process: a short name for its log lines and its command after the Python interpreter."""

    name: str
    arguments: Sequence[str]


def web(port: int, host: str = "127.0.0.1", workers: int = 2) -> Part:
    """Granian serving the WSGI application."""
    return Part("web", ["-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
                        "--workers", str(workers), "--blocking-threads", "4", "--no-ws", "--log-level", "warning",
                        "--workers-kill-timeout", "5", "config.wsgi:application"])  # fmt: skip


def worker() -> Part:
    """One Celery worker with WORKER_PROCESSES processes."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    return Part("worker", ["-m", "celery", "-q", "-A", "config", "worker", *quiet])


def beat() -> Part:
    """Celery's clock for periodic work; exactly one may run."""
    return Part("beat", ["-m", "celery", "-q", "-A", "config", "beat", "--loglevel", "WARNING", "--pidfile="])


def counterparts() -> Part:
    """The local mail relay and text message provider of the sandbox."""
    return Part("sandbox", ["manage.py", "counterparts"])


@dataclass
class Launcher:
    """Starts parts, prefixes their lines, and stops all of them together."""

    parts: Sequence[Part]
    environment: Mapping[str, str] = field(default_factory=dict)
    output: IO[str] = field(default_factory=lambda: sys.stdout)
    processes: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)

    def start(self) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", **self.environment}
        for place, part in enumerate(self.parts):
            process = subprocess.Popen(
                [sys.executable, *part.arguments], cwd=BASE_DIR, env=environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                preexec_fn=_die_with_parent,
            )  # fmt: skip
            self.processes[part.name] = process
            colour = COLOURS[place % len(COLOURS)]
            threading.Thread(target=self._copy, args=(part.name, process, colour), daemon=True).start()

    def ended(self) -> str | None:
        """The name of a part that has ended by itself, if one has."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    def watch(self) -> None:
        """Returns never; raises Stopped when a part ends, or what a signal handler raises."""
        while not (name := self.ended()):
            time.sleep(0.2)
        raise Stopped(f"{name} ended with code {self.processes[name].returncode}; its last lines are above.")

    def stop(self) -> None:
        """Asks all to end, and after STOP_SECONDS ends the rest by force, with whatever they started."""
        for process in self.processes.values():
            # Only the head of each part: a Celery worker lets its own processes finish what they have begun.
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, deadline - time.monotonic()))
        for process in self.processes.values():
            _signal_group(process, signal.SIGKILL)
            process.wait()

    def _copy(self, name: str, process: "subprocess.Popen[str]", colour: int) -> None:
        label = f"{name:<8}"
        if self.output.isatty():
            label = f"\x1b[{colour}m{label}\x1b[0m"
        assert process.stdout
        for line in process.stdout:
            self.output.write(f"{label} | {line.rstrip()}\n")
            self.output.flush()


@contextlib.contextmanager
def running(
    parts: Sequence[Part], environment: Mapping[str, str] | None = None, output: IO[str] | None = None
) -> Iterator[Launcher]:
    """The parts run for as long as the block lasts, however it ends."""
    launcher = Launcher(parts, environment or {}, output or sys.stdout)
    with stopping_on_signals():
        try:
            launcher.start()
            yield launcher
        finally:
            launcher.stop()


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does. Does nothing outside the main thread."""

    def stop(number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens at right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_web(launcher: Launcher, port: int) -> None:
    """Returns when /healthz answers. Raises Stopped when a part ends first or it takes over READY_SECONDS."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if name := launcher.ended():
            raise Stopped(f"{name} ended while it started; its last lines are above.")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return
        time.sleep(0.2)
    raise Stopped(f"The web process did not answer within {READY_SECONDS} seconds.")


def end_with_uv() -> None:
    """`uv run` stands between the terminal and Concord; if it is killed, this process gets SIGTERM (Linux)."""
    with contextlib.suppress(OSError):
        if Path(f"/proc/{os.getppid()}/comm").read_text().strip() == "uv":
            _die_with_parent()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: "subprocess.Popen[str]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
