"""Where the counterparts keep what they got, and at which ports they listen. Files, so that any process can ask."""

import json
import os
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path


@dataclass(frozen=True)
class Endpoints:
    """Ports on 127.0.0.1 of running counterparts."""

    smtp: int
    http: int
    pid: int = 0

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http}"


def announce(folder: Path, endpoints: Endpoints) -> None:
    """Says in `folder` where the counterparts listen."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"endpoints.{os.getpid()}"
    fresh.write_text(json.dumps(asdict(endpoints)))
    fresh.replace(folder / "endpoints.json")


def find(folder: Path) -> Endpoints | None:
    """Where the counterparts of `folder` listen, None when they do not run."""
    try:
        endpoints = Endpoints(**json.loads((folder / "endpoints.json").read_text()))
        os.kill(endpoints.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return endpoints


def withdraw(folder: Path) -> None:
    """Takes the announcement of this process back."""
    endpoints = find(folder)
    if endpoints and endpoints.pid == os.getpid():
        (folder / "endpoints.json").unlink(missing_ok=True)


def settle(folder: Path) -> bool:
    """Has running counterparts write down everything they got so far; False when none run."""
    endpoints = find(folder)
    if endpoints is None:
        return False
    connection = HTTPConnection("127.0.0.1", endpoints.http, timeout=10)
    try:
        connection.request("POST", "/control/flush")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
