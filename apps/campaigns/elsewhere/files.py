"""Contacts and audiences from another tool's file: CSV with a heading, read row by row, each bad row said in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from pyroaring import BitMap

from apps.accounts.models import Department
from apps.campaigns.models import Message
from apps.core import clock
from apps.customers import naming
from apps.customers.imports.dialect import FileRefused, find
from apps.customers.imports.reading import Reader, Row

from . import contacts, told

# Columns of a file, in any order; other columns are passed over.
PERSON = ("customer", "source", "source_id", "email", "phone")
COLUMNS = (*PERSON, "id", "at", "message", "channel", "purpose")
MOST_PROBLEMS = 200


@dataclass
class Report:
    """What became of a file: rows recorded, known before, and refused; the first problems as (line, words)."""

    recorded: int = 0
    known: int = 0
    refused: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)

    def refuse(self, line: int, words: str) -> None:
        """Notes a row that cannot be used."""
        self.refused += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((line, words))


def rows_of(path: Path) -> Iterator[tuple[Row, dict[str, str]]]:
    """The rows of a file, each with its cells by column. Raises FileRefused in words."""
    reader = Reader(path, find(path))
    try:
        columns = [name.strip().lower().replace("-", "").replace(" ", "_") for name in reader.columns]
        if not set(columns) & set(PERSON):
            raise FileRefused(_("No column says who was contacted. Name one of: customer, source_id, email, phone."))
        for row in reader.rows():
            cells = dict(zip(columns, (cell.strip() for cell in row.cells), strict=False))
            yield row, {name: cells[name] for name in COLUMNS if cells.get(name)}
    finally:
        reader.close()


def person_of(cells: dict[str, str]) -> dict[str, str]:
    """How a row names its person, the surest first; the other columns are for people to read."""
    if cells.get("customer"):
        return {"id": cells["customer"]}
    if cells.get("source_id"):
        return {"source_id": cells["source_id"], "source": cells.get("source", "")}
    return {"email": cells["email"]} if cells.get("email") else {"phone": cells.get("phone", "")}


def read_contacts(
    path: Path, *, department: Department, now: datetime, message: Message | None = None, country: str = ""
) -> Report:
    """Records the contacts of a file. The same file twice changes nothing: rows without an ``id`` are known by their facts.

    A row without ``at`` took place when the message was planned. Raises FileRefused.
    """
    report = Report()
    batch: list[tuple[int, dict[str, Any]]] = []
    for row, cells in rows_of(path):
        try:
            batch.append((row.line, _made(row, cells, message)))
        except ValueError as problem:
            report.refuse(row.line, str(problem))
        if len(batch) == told.MOST:
            _tell(batch, report, department, message, country, now)
            batch = []
    if batch:
        _tell(batch, report, department, message, country, now)
    return report


def _made(row: Row, cells: dict[str, str], message: Message | None) -> dict[str, Any]:
    if row.problem:
        raise ValueError(row.problem)
    at = moment(cells["at"], clock.company_zone()) if cells.get("at") else message.send_at if message else None
    if at is None:
        raise ValueError(_("The row does not say when (column “at”)."))
    if (named := cells.get("message")) and not (named.isascii() and named.isdecimal() and len(named) < 20):
        raise ValueError(_("The message is named by its number."))
    item: dict[str, Any] = {name: cells[name] for name in ("message", "channel", "purpose") if cells.get(name)}
    person = person_of(cells)
    facts = (sorted(person.items()), at.isoformat(), item.get("message") or (message.pk if message else ""), item.get("channel"))
    key = cells.get("id") or "file-" + sha256(repr(facts).encode()).hexdigest()[:40]
    if len(key) > 120:
        raise ValueError(_("The id is longer than 120 characters."))
    return item | {"id": key, "person": person, "at": at}


def moment(text: str, zone: ZoneInfo) -> datetime:
    """A moment as in ISO 8601; without an offset it is the company's clock. Raises ValueError in words."""
    try:
        found = parse_datetime(text) or (parse_datetime(f"{text}T12:00") if len(text) == 10 else None)
    except ValueError:
        found = None
    if found is None:
        raise ValueError(_("“%(text)s” is no date and time. Write 2026-11-18 14:30.") % {"text": text[:40]})
    return found if found.tzinfo else found.replace(tzinfo=zone)


def _tell(
    batch: list[tuple[int, dict[str, Any]]], report: Report, department: Department, message: Message | None, country: str,
    now: datetime,
) -> None:  # fmt: skip
    contacts.prepare(item["at"] for _line, item in batch if now - told.OLDEST <= item["at"] <= now + told.AHEAD)
    with transaction.atomic():
        answers = told.tell(
            department=department, items=[item for _line, item in batch], now=now, message=message, country=country
        )
    for (line, _item), answer in zip(batch, answers, strict=True):
        if answer.outcome == "refused":
            report.refuse(line, answer.problem)
        else:
            setattr(report, answer.outcome, getattr(report, answer.outcome) + 1)


def read_people(path: Path, *, country: str = "") -> tuple[BitMap, Report]:
    """The people a file names, for an audience. Raises FileRefused."""
    people, report = BitMap(), Report()
    batch: list[tuple[int, naming.Key]] = []
    for row, cells in rows_of(path):
        try:
            if row.problem:
                raise ValueError(row.problem)
            batch.append((row.line, naming.key_of(person_of(cells), country=country)))
        except ValueError as problem:
            report.refuse(row.line, str(problem))
        if len(batch) == told.MOST:
            people |= _named(batch, report)
            batch = []
    people |= _named(batch, report)
    return people, report


def _named(batch: list[tuple[int, naming.Key]], report: Report) -> BitMap:
    found = naming.find(key for _line, key in batch)
    for line, key in batch:
        if key not in found:
            report.refuse(line, _("Nobody, or more than one person, is known by this."))
    report.recorded += sum(key in found for _line, key in batch)
    return BitMap(found.values())
