"""The processes of one terminal stop together."""

import io
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config import launcher
from config.launcher import Launcher, Part, Stopped

ROOT = Path(__file__).resolve().parents[2]
SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = f"""
import time
from config.launcher import Part, running
with running([Part("one", ["-c", {SLEEP!r}]), Part("two", ["-c", {SLEEP!r}])]) as parts:
    print("pids", *(process.pid for process in parts.processes.values()), flush=True)
    parts.watch()
"""


def alive(number):
    try:
        return (Path("/proc") / str(number) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_parts_end_with_the_terminal_they_run_in(number):
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    lines = iter(process.stdout.readline, "")
    pids = [int(word) for word in next(line for line in lines if line.startswith("pids")).split()[1:]]
    assert all(alive(pid) for pid in pids)
    process.send_signal(number)
    process.wait(20)
    assert wait_until(lambda: not any(alive(pid) for pid in pids))


def test_one_part_that_dies_is_named_and_takes_the_others_with_it():
    parts = [Part("good", ["-c", SLEEP]), Part("bad", ["-c", "raise SystemExit(3)"])]
    with (
        pytest.raises(Stopped, match="bad ended with code 3"),
        launcher.running(parts, output=io.StringIO()) as running,
    ):
        running.watch()
    assert all(process.poll() is not None for process in running.processes.values())


def test_a_part_that_will_not_end_is_ended(monkeypatch):
    monkeypatch.setattr(launcher, "STOP_SECONDS", 1)
    output = io.StringIO()
    stubborn = Launcher([Part("stubborn", ["-c", STUBBORN])], output=output)
    stubborn.start()
    assert wait_until(lambda: "up" in output.getvalue())
    stubborn.stop()
    assert stubborn.processes["stubborn"].returncode == -signal.SIGKILL


def test_lines_carry_the_name_of_their_part():
    output = io.StringIO()
    running = Launcher([Part("web", ["-c", "print('hello')"])], output=output)
    running.start()
    assert wait_until(lambda: "hello" in output.getvalue())
    running.stop()
    assert output.getvalue() == "web      | hello\n"


def test_a_taken_port_is_noticed():

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not launcher.port_is_free(taken.getsockname()[1])
    assert launcher.port_is_free(launcher.free_port())
