"""Workers side by side, each with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection


def _closing(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connection.close()


def in_thread(act: Callable[[], Any]) -> Any:
    """Does something on another connection."""
    return in_parallel([act])[0]


def in_parallel(acts: list[Callable[[], Any]]) -> list[Any]:
    """Does all at once. Raises TimeoutError for whoever hangs; on a busy machine eight of them need their time."""
    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(300) for future in [pool.submit(_closing, act) for act in acts]]
