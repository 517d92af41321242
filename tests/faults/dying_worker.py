"""A worker process that is killed in a given stage. Run as `python -m tests.faults.dying_worker STAGE ...`.

It is a real worker that sends by SMTP; only its words are plain and the moment of its death is arranged.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(act: Callable[..., Any], times: int) -> Callable[..., Any]:
    """Does the act, and dies when it has been done so many times."""
    count = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        result = act(*args, **kwargs)
        count += 1
        if count >= times:
            die()
        return result

    return wrapped


def before(act: Callable[..., Any], times: int) -> Callable[..., Any]:
    """Dies instead of doing the act that often."""
    count = 0

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count >= times:
            die()
        return act(*args, **kwargs)

    return wrapped


def half_posted(post: Callable[..., Any]) -> Callable[..., Any]:
    """Dies when half of the second burst has its receipts."""
    bursts = 0

    def wrapped(self: Any, requests: Any) -> Any:
        nonlocal bursts
        bursts += 1
        waiting = list(requests)
        for number, receipt in enumerate(post(self, waiting)):
            yield receipt
            if bursts == 2 and number >= len(waiting) // 2:
                die()

    return wrapped


def arrange(stage: str) -> None:
    """Lets the worker die in that stage of its second burst (or of its first claim)."""
    from apps.campaigns.sending import attempt, settle, work
    from apps.channels.adapters.smtp import SmtpAdapter

    if stage == "claimed":
        work.claim = after(work.claim, 1)
    elif stage == "burst begun":
        attempt.begin = after(attempt.begin, 2)
    elif stage == "half posted":
        SmtpAdapter.post = half_posted(SmtpAdapter.post)  # type: ignore[method-assign]
    elif stage == "posted before settle":
        settle.settle = before(settle.settle, 2)
    elif stage == "settled":
        settle.settle = after(settle.settle, 2)


def main(stage: str, database: str, sandbox: str, now: str) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    connection.settings_dict["NAME"] = database
    settings.SANDBOX_DIR = type(settings.SANDBOX_DIR)(sandbox)

    from apps.campaigns.sending import work, writing
    from tests.factories.sending import mail_drafts

    writing.prepare = mail_drafts
    arrange(stage)
    work.work_runs(now=datetime.fromisoformat(now), budget=30)


if __name__ == "__main__":
    main(*sys.argv[1:5])
