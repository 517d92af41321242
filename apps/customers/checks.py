"""System checks of customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections
from django.db.utils import DatabaseError

DENSE_ENOUGH = 0.5
# Few people prove nothing: a test that failed three times leaves a gap too.
WORTH_CHECKING = 10_000


def density(alias: str = "default") -> tuple[int, int]:
    """Customers and the highest id ever drawn."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT count(*), coalesce(max(id), 0) FROM customers_customer")
        people, highest = cursor.fetchone()
    return people, highest


@register(Tags.database)
def ids_are_dense(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Bitmaps of people stay small only while customer ids have few gaps (manage.py check --database default)."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        try:
            people, highest = density(alias)
        except DatabaseError:
            continue
        if highest >= WORTH_CHECKING and people < highest * DENSE_ENOUGH:
            found.append(
                Warning(
                    f"Customer ids are sparse: {people} people, the highest id is {highest}.",
                    hint="Ids must be drawn only for new rows. Look for imports that were cancelled or undone again and again.",
                    id="customers.W001",
                )
            )
    return found
