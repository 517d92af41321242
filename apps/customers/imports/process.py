"""Running an import: read into staging with progress, then match and write in one transaction.

A killed run leaves nothing behind: what was staged is swept, what was written is rolled back, the job is taken up again
by whoever gets its lock. The job's end and its rows are committed together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from apps.core.formulas import is_formula
from apps.customers import identity
from apps.customers.models import AttributeDefinition, ImportJob
from apps.customers.models.imports import ImportKind, ImportStatus

from . import columns, customers, interactions, people, products, staging
from .dialect import Dialect, FileRefused
from .errors import ErrorFile
from .mapping import Mapping
from .people import PersonParser, RowRefused
from .reading import Reader

LOCK_SPACE = 0x494D504F
_BUSY = (ImportStatus.CHECKING, ImportStatus.WAITING, ImportStatus.RUNNING)


class Cancelled(Exception):
    """Somebody asked to stop; nothing was written."""


@contextmanager
def held(job_id: int) -> Iterator[bool]:
    """The job's own lock for as long as this process lives; False when another process works on the job."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, job_id])
        got = bool(cursor.fetchone()[0])
    try:
        yield got
    finally:
        if got:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, job_id])


def process(*, job_id: int, now: datetime) -> ImportJob:
    """Does a dry run (status checking) or the import itself (waiting or running). Harmless when run twice or late."""
    with held(job_id) as got:
        job = ImportJob.objects.select_related("source").get(pk=job_id)
        if not got or job.status not in _BUSY:
            return job
        dry = job.status == ImportStatus.CHECKING
        if not dry:
            job.status = ImportStatus.RUNNING
        job.started_at, job.rows_done, job.rows_refused, job.message = now, 0, 0, ""
        job.save(update_fields=["status", "started_at", "rows_done", "rows_refused", "message"])
        try:
            _read_and_write(job, dry, now)
        except Cancelled:
            _end(job, ImportStatus.CANCELLED, _("Cancelled. Nothing was written."), now)
        except FileRefused as error:
            _end(job, ImportStatus.FAILED, str(error), now)
        except Exception:
            _end(job, ImportStatus.FAILED, _("Concord failed while importing. Nothing was written."), now)
            raise
        finally:
            _clean(job)
    return job


def _clean(job: ImportJob) -> None:
    """Staging goes in any case; the uploaded file goes once it is imported."""
    if not connection.needs_rollback:
        staging.drop(job)
    if job.status == ImportStatus.DONE and job.path:
        Path(job.path).unlink(missing_ok=True)


def _end(job: ImportJob, status: ImportStatus, message: str, now: datetime) -> None:
    job.status, job.message, job.finished_at, job.cancel_requested = status, message, now, False
    job.save(update_fields=["status", "message", "finished_at", "cancel_requested", "rows_done", "rows_refused"])


def _read_and_write(job: ImportJob, dry: bool, now: datetime) -> None:
    reader = Reader(Path(job.path), Dialect(job.encoding, job.delimiter))
    mapping = Mapping.from_json(job.mapping)
    reading = _Reading(job, reader, mapping)
    try:
        if job.kind == ImportKind.PRODUCTS:
            lines = list(reading.lines())
            apply = _products(job, lines)
        else:
            apply = _staged(job, reading)
    finally:
        reading.errors.close()
        reader.close()
    reading.tell(final=True)
    with transaction.atomic():
        counts = apply(dry, now)
        if dry:
            transaction.set_rollback(True)
        else:
            _finish(job, counts | reading.notes(), ImportStatus.DONE, now, reading.errors.written)
    if dry:
        _finish(job, counts | reading.notes(), ImportStatus.CHECKED, now, reading.errors.written)


def _finish(job: ImportJob, counts: dict[str, Any], status: ImportStatus, now: datetime, errors: str) -> None:
    job.counts, job.status, job.finished_at, job.error_path = counts, status, now, errors
    job.cancel_requested = False
    job.save()


class _Reading:
    """Rows of the file through the parser: refused ones to the errors file, progress and cancellation on the way."""

    def __init__(self, job: ImportJob, reader: Reader, mapping: Mapping) -> None:
        self.job, self.reader = job, reader
        self.errors = ErrorFile(job, reader.columns)
        kinds: dict[str, Any] = {
            ImportKind.CUSTOMERS: PersonParser,
            ImportKind.INTERACTIONS: interactions.InteractionParser,
            ImportKind.PRODUCTS: products.ProductParser,
        }
        self.parser = kinds[job.kind](mapping, reader.columns, job.source)
        self.formulas = 0
        self.rows = 0
        self._ticker = staging.Ticker()

    def lines(self) -> Iterator[Any]:
        for row in self.reader.rows():
            self.rows = row.number
            if row.problem:
                self.errors.add(row.line, row.problem, row.cells)
                continue
            if not _SUSPECT.isdisjoint([cell[:1] for cell in row.cells]) and any(map(is_formula, row.cells)):
                self.formulas += 1
            try:
                yield self.parser.parse(row.cells, row.number)
            except RowRefused as error:
                self.errors.add(row.line, " ".join(error.problems), row.cells)
            if row.number % 500 == 0 and self._ticker.due():
                self.tell()

    def tell(self, final: bool = False) -> None:
        """Writes progress; raises Cancelled when somebody asked for it."""
        done = max(self.reader.fraction, 1e-6) if not final else 1.0
        self.job.rows_done, self.job.rows_refused = self.rows, self.errors.count
        self.job.rows_total = int(self.rows / done)
        self.job.save(update_fields=["rows_done", "rows_refused", "rows_total"])
        check_cancelled(self.job)

    def notes(self) -> dict[str, Any]:
        """What should be said although no row was refused for it."""
        found: dict[str, Any] = {f"unknown_{name}": count for name, count in self.parser.warnings.items()}
        return found | {"rows": self.rows, "refused": self.errors.count, "formula_rows": self.formulas}


_SUSPECT = frozenset("=+-@\t\r＝＋－＠")


def check_cancelled(job: ImportJob) -> None:
    """Raises Cancelled when the job's flag is up. Also seen from inside the writing transaction (read committed)."""
    if ImportJob.objects.filter(pk=job.pk, cancel_requested=True).exists():
        raise Cancelled


def _staged(job: ImportJob, reading: _Reading) -> Any:
    """Stages the file; returns the step that matches and writes."""
    people_columns = people.COLUMNS
    if job.kind == ImportKind.CUSTOMERS:
        table = staging.create(job, people_columns)
        _drain(staging.fill(table, people_columns, reading.lines()))
        return lambda dry, now: _apply_people(job, table, dry, now)
    table = staging.create(job, interactions.COLUMNS, "events")
    _drain(staging.fill(table, interactions.COLUMNS, reading.lines()))
    who = staging.create(job, people_columns)
    return lambda dry, now: _apply_events(job, table, who, dry, now)


def _drain(steps: Iterator[int]) -> None:
    for _done in steps:
        pass


def _apply_people(job: ImportJob, table: str, dry: bool, now: datetime) -> dict[str, int]:
    plan, counts = customers.match(job, table)
    check_cancelled(job)
    if dry:
        return counts
    _define_attributes(job, now)
    customers.write(job, table, plan, _kinds_spoken_of(job), now)
    check_cancelled(job)
    for handler in columns.HANDLERS.values():
        counts |= handler.apply(job=job, staging=table, now=now)
    check_cancelled(job)
    return counts


def _apply_events(job: ImportJob, events: str, who: str, dry: bool, now: datetime) -> dict[str, int]:
    interactions.number_repeats(events)
    interactions.stage_people(job, events, who)
    plan, counts = customers.match(job, who)
    counts |= interactions.counts(job, events)
    check_cancelled(job)
    if dry:
        return counts
    customers.write(job, who, plan, [], now)
    counts |= interactions.write(job, events, who, now)
    check_cancelled(job)
    return counts


def _products(job: ImportJob, lines: Sequence[dict[str, Any]]) -> Any:
    def apply(dry: bool, now: datetime) -> dict[str, int]:
        identity.lock()
        return products.write(job, lines, now, dry)

    return apply


def _kinds_spoken_of(job: ImportJob) -> list[str]:
    targets = Mapping.from_json(job.mapping).targets
    kinds = {"email": "email", "email_2": "email", "phone": "phone", "phone_2": "phone", "street": "postal"}
    return sorted({kind for target, kind in kinds.items() if target in targets})


def _define_attributes(job: ImportJob, now: datetime) -> None:
    """Attributes that the mapping names for the first time get a definition, so that segments offer them."""
    for target in Mapping.from_json(job.mapping).targets:
        family, _colon, rest = target.partition(":")
        if family == "attribute":
            key, _colon, kind = rest.partition(":")
            label = key.replace("_", " ").capitalize()
            AttributeDefinition.objects.get_or_create(
                key=key, defaults={"label": label, "kind": kind or "text", "created_at": now}
            )
