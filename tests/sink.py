"""Postfix's smtp-sink: a mail server that takes everything."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from config.launcher import free_port

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin"
SINK = shutil.which("smtp-sink", path=PATH)


@contextmanager
def running_sink(*options: str, backlog: int) -> Iterator[int]:
    """The port of a sink that answers, until the block ends. It must be installed (see SINK)."""
    assert SINK is not None
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([SINK, *user, *options, f"127.0.0.1:{port}", str(backlog)])
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < deadline, "smtp-sink did not start"
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
