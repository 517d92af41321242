"""Ctrl-C ends the sandbox quietly, whatever conversations are open."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_sandbox_stops_without_a_word_of_complaint(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "counterparts"], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "SANDBOX_DIR": str(tmp_path)},
    )  # fmt: skip
    try:
        assert process.stdout
        mail, texts = map(int, re.findall(r"port (\d+)", process.stdout.readline()))
        talks = [socket.create_connection(("127.0.0.1", port), timeout=5) for port in (mail, mail, texts, texts, texts)]
        talks[0].sendall(b"EHLO x\r\n")
        talks[3].sendall(b"POST /half HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
        talks[2].sendall(b"GET /answered HTTP/1.1\r\n\r\n")
        assert talks[2].recv(100), "what was sent before has been read as well"
        process.send_signal(number)
        said = process.communicate(timeout=20)[0]
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, said.strip()) == (0, "")
