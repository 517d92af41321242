"""Per-job staging tables: unlogged, filled by COPY, dropped when the job ends; what a killed job left is swept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from apps.customers.models import ImportJob

BATCH = 5_000
PREFIX = "customers_staging_"


def table(job: ImportJob, part: str = "people") -> str:
    """The name of a job's staging table, made of its id only."""
    return f'"{PREFIX}{int(job.pk)}_{part}"'


def create(job: ImportJob, columns: Sequence[tuple[str, str]], part: str = "people") -> str:
    """An empty staging table, in place of one left behind."""
    name = table(job, part)
    body = ", ".join(f"{column} {kind}" for column, kind in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")
        cursor.execute(f"CREATE UNLOGGED TABLE {name} ({body})")
    return name


def drop(job: ImportJob) -> None:
    """Removes what the job staged."""
    with connection.cursor() as cursor:
        for part in ("people", "events"):
            cursor.execute(f"DROP TABLE IF EXISTS {table(job, part)}")


def fill(name: str, columns: Sequence[tuple[str, str]], lines: Iterable[Sequence[Any]]) -> Iterator[int]:
    """COPYs lines in batches of 5,000, each in a transaction of its own; yields the number staged so far."""
    names = ", ".join(column for column, _kind in columns)
    done = 0
    batch: list[Sequence[Any]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            done += _copy(name, names, batch)
            batch = []
            yield done
    yield done + _copy(name, names, batch)


def _copy(name: str, names: str, batch: list[Sequence[Any]]) -> int:
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(f"COPY {name} ({names}) FROM STDIN") as copy:
        for line in batch:
            # An empty list as it is written: working out of which type its missing elements are costs more than the rest.
            copy.write_row(["{}" if value == [] else value for value in line])
    return len(batch)


def sweep(alive: set[int]) -> list[str]:
    """Drops staging tables of jobs that are not among ``alive`` any more; returns their names."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE %s", [f"{PREFIX}%"])
        found = [name for (name,) in cursor.fetchall()]
        gone = [name for name in found if int(name.removeprefix(PREFIX).partition("_")[0]) not in alive]
        for name in gone:
            cursor.execute(f'DROP TABLE IF EXISTS "{name}"')
    return gone


class Ticker:
    """Says at most once a second that it is time to tell progress and to look for a cancellation."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._next = 0.0

    def due(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._seconds
        return True
