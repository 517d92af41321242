"""The seam by which another app takes its own columns out of a customer file.

A handler names targets such as ``consent:email:offers``; a mapping fills a target like any other. What the handler
parsed stands in the staging table's ``extra`` (jsonb, target -> parsed value), one row per record of the file, beside
``row_no``, ``source_record_id`` and ``customer_id``; ``apply`` reads it there, set-wise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from apps.customers.models import ImportJob


@dataclass(frozen=True)
class Target:
    """Something a column can be mapped to: its code in the mapping, its name and a hint for people."""

    code: str
    label: str
    help: str = ""
    group: str = ""


class ColumnHandler(Protocol):
    """What another app implements to receive columns. ``code`` is the part of its targets before the first colon."""

    code: str

    def targets(self) -> list[Target]:
        """The targets offered now, in the order in which people should see them."""

    def parse(self, target: str, text: str) -> Any:
        """The JSON-able value of one cell (never empty text). Raises ValueError with words for the errors file."""

    def apply(self, *, job: ImportJob, staging: str, now: datetime) -> dict[str, int]:
        """Takes the columns of all staged rows, inside the import's transaction. Returns counts for the report.

        ``staging`` is the quoted name of a table with row_no, source_record_id, customer_id, extra. It is called for
        rows that were imported before as well, and must then change nothing.
        """

    def undo(self, *, job: ImportJob, customers: list[int], now: datetime) -> dict[str, int]:
        """Takes back what ``apply`` did for this job; never lifts an opt-out. Before the customers go."""


HANDLERS: dict[str, ColumnHandler] = {}


def register(handler: ColumnHandler) -> None:
    """Adds a handler; a code registered twice is a mistake."""
    if handler.code in HANDLERS and type(HANDLERS[handler.code]) is not type(handler):
        raise ValueError(f"import columns {handler.code!r} are registered twice")
    HANDLERS[handler.code] = handler


def handler_of(target: str) -> ColumnHandler | None:
    """The handler that owns a target, or None for the targets of customers itself."""
    return HANDLERS.get(target.partition(":")[0])
