"""Monthly partitions of the ledger, so that an old month can be moved or dropped as a whole."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection, transaction

LEDGER = "campaigns_delivery"
# Second number of the advisory lock under which partitions are made; the first says "ledger".
LOCK = (0x4C454447, 1)


def month_of(day: date) -> tuple[date, date]:
    """First day of the month and first day of the next."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def ensure(day: date) -> bool:
    """Makes sure that the month of `day` has a partition of its own; says whether one was made.

    A month of which rows already lie in the default partition stays there: they cannot be moved, the ledger is append-only.
    """
    first, following = month_of(day)
    name = f"{LEDGER}_{first:%Y_%m}"
    if _exists(name):
        return False
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", LOCK)
        if _exists(name) or _in_default(first, following):
            return False
        cursor.execute(f"CREATE TABLE {name} (LIKE {LEDGER} INCLUDING DEFAULTS)")
        cursor.execute(f"ALTER TABLE {LEDGER} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{following}')")
        return True


def ensure_ahead(today: date, months: int = 2) -> int:
    """Makes this month's partition and those of the next months; returns how many were made."""
    made = 0
    day = today
    for _ in range(months + 1):
        made += ensure(day)
        day = month_of(day)[1]
    return made


def _exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def _in_default(first: date, following: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM {LEDGER}_default WHERE run_day >= %s AND run_day < %s)", [first, following]
        )
        return bool(cursor.fetchone()[0])
