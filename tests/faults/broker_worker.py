"""A real Celery worker over a real broker. Run as `python -m tests.faults.broker_worker DATABASE SANDBOX NOW DIARY OPTIONS`.

Only the words are plain, the clock begins at NOW, and every task of the engine writes its beginning and end into DIARY.
OPTIONS are those of the broker's transport; `together` beside them is how many tasks have to have begun before any works.
"""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any


def main(database: str, sandbox: str, now: str, diary: str, options: str) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    connection.settings_dict["NAME"] = database
    settings.SANDBOX_DIR = Path(sandbox)
    transport = json.loads(options)
    _arrange(datetime.fromisoformat(now), Path(diary), transport.pop("together", 1))
    from config.celery import app

    app.conf.broker_transport_options = transport
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING", "--concurrency", "1"]
    app.worker_main(["worker", "--hostname", f"w{os.getpid()}@test", *quiet])


def _arrange(start: datetime, diary: Path, together: int) -> None:
    from apps.campaigns.sending import tasks, work, writing
    from apps.core import clock
    from tests.factories.sending import mail_drafts

    began = time.monotonic()
    clock.now = lambda: start + timedelta(seconds=time.monotonic() - began)
    writing.prepare = mail_drafts
    tasks.BUDGET = 60.0  # far beyond the visibility timeout that the test sets
    work_runs = work.work_runs

    def noted(**values: Any) -> Any:
        with diary.open("a") as lines:
            lines.write(f"begin {os.getpid()}\n")
        _wait_for_others(diary, together)
        done = work_runs(**values)
        with diary.open("a") as lines:
            lines.write(f"end {os.getpid()} {done.sent}\n")
        return done

    work.work_runs = noted


def _wait_for_others(diary: Path, together: int) -> None:
    deadline = time.monotonic() + 180
    while diary.read_text().count("begin") < together and time.monotonic() < deadline:
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:6])
