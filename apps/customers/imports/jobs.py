"""Jobs as people see them: upload, map, try, start, cancel. Each leaves an audit line."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.customers.models import ImportJob, Source
from apps.customers.models.imports import ImportKind, ImportStatus

from . import dialect, staging, targets
from .errors import folder
from .mapping import Mapping, guess
from .process import LOCK_SPACE
from .reading import Reader

_NEEDED = {
    ImportKind.CUSTOMERS: [{"source_id", "email", "phone"}],
    ImportKind.INTERACTIONS: [{"source_id", "email", "phone"}, {"at"}],
    ImportKind.PRODUCTS: [{"sku"}],
}


class NotNow(Exception):
    """The job cannot do that in its present state; the message says why."""


def create(
    *,
    source: Source,
    kind: str,
    filename: str,
    content: Iterable[bytes],
    actor: User | None,
    now: datetime,
    encoding: str = "",
    delimiter: str = "",
) -> ImportJob:
    """Keeps an uploaded file and finds out how to read it. Raises FileRefused; then nothing is kept."""
    job = ImportJob.objects.create(
        source=source,
        kind=kind,
        filename=get_valid_filename(filename or "file")[:255],
        created_by=actor,
        created_at=now,
    )
    try:
        _keep(job, content)
        describe(job, encoding, delimiter)
    except dialect.FileRefused:
        discard(job)
        raise
    job.mapping = suggested(job).to_json()
    job.save()
    audit.record(
        actor=actor, action="import.uploaded", subject=job, after={"kind": kind, "source": source.code}, now=now
    )
    return job


def _keep(job: ImportJob, content: Iterable[bytes]) -> None:
    path = folder(job) / "upload"
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in content:
            digest.update(piece)
            file.write(piece)
    job.path, job.size, job.digest = str(path), path.stat().st_size, digest.hexdigest()


def describe(job: ImportJob, encoding: str = "", delimiter: str = "") -> None:
    """Finds (or takes as asked) encoding and delimiter, and the header's columns. Raises FileRefused."""
    found = dialect.find(Path(job.path), encoding, delimiter)
    reader = Reader(Path(job.path), found)
    job.encoding, job.delimiter, job.columns = found.encoding, found.delimiter, reader.columns
    reader.close()


def sample(job: ImportJob, count: int = 3) -> list[list[str]]:
    """The first rows of the file, for people who map columns."""
    reader = Reader(Path(job.path), dialect.Dialect(job.encoding, job.delimiter))
    try:
        return [[cell[:80] for cell in row.cells] for row in islice(reader.rows(), count) if row.cells]
    except dialect.FileRefused:
        return []
    finally:
        reader.close()


def suggested(job: ImportJob) -> Mapping:
    """The mapping saved for the source if it fits this file, else one guessed from the columns' names."""
    saved = Mapping.from_json((job.source.mapping or {}).get(job.kind, {}))
    if saved.targets and not saved.missing(job.columns):
        return saved
    return Mapping(guess(job.columns, {one.code for one in targets.offered(job.kind, job.source)}), saved.options)


def problems(job: ImportJob, mapping: Mapping) -> list[str]:
    """Why the mapping cannot be used, in words."""
    found = [_("The file has no column “%(name)s”.") % {"name": name} for name in mapping.missing(job.columns)]
    for target in mapping.targets:
        if not targets.allowed(target, job.kind):
            found.append(_("Concord knows nothing called “%(name)s” for this import.") % {"name": target})
    labels = {one.code: one.label for one in targets.offered(job.kind, job.source)}
    for choice in _NEEDED[ImportKind(job.kind)]:
        if not choice & set(mapping.targets):
            names = [str(labels[one]) for one in sorted(choice, reverse=True)]
            found.append(_("Say which column holds: %(names)s.") % {"names": _(" or ").join(names)})
    return found


def save_mapping(*, job: ImportJob, mapping: Mapping, now: datetime) -> list[str]:
    """Stores the mapping with the job and, when it is usable, with its source. Returns problems."""
    found = problems(job, mapping)
    job.mapping = mapping.to_json()
    job.save(update_fields=["mapping"])
    if not found:
        source = Source.objects.get(pk=job.source_id)
        source.mapping = {**source.mapping, job.kind: mapping.to_json()}
        source.save(update_fields=["mapping"])
    return found


@transaction.atomic
def begin(*, job_id: int, dry: bool, actor: User | None, now: datetime) -> ImportJob:
    """Marks a job to be tried or imported; the task is queued by the caller on commit. A second click does nothing."""
    job = ImportJob.objects.select_for_update().select_related("source").get(pk=job_id)
    wanted = ImportStatus.CHECKING if dry else ImportStatus.WAITING
    if job.status in (ImportStatus.CHECKING, ImportStatus.WAITING, ImportStatus.RUNNING):
        return job
    if job.status in (ImportStatus.DONE, ImportStatus.UNDONE):
        raise NotNow(_("This file was imported already. Upload it again to import it once more."))
    if found := problems(job, Mapping.from_json(job.mapping)):
        raise NotNow(" ".join(found))
    job.status, job.cancel_requested = wanted, False
    job.rows_done, job.rows_refused, job.counts, job.message = 0, 0, {}, ""
    job.save()
    audit.record(actor=actor, action="import.tried" if dry else "import.started", subject=job, now=now)
    return job


def cancel(*, job_id: int, actor: User | None, now: datetime) -> None:
    """Asks a running job to stop; a job that waits stops at once."""
    asked = ImportJob.objects.filter(pk=job_id, status__in=["checking", "waiting", "running"]).update(
        cancel_requested=True
    )
    if not asked:
        raise NotNow(_("This import is not running any more."))
    audit.record(actor=actor, action="import.cancelled", subject=ImportJob(pk=job_id), now=now)


def discard(job: ImportJob) -> None:
    """Removes a job that never wrote anything, with its files."""
    shutil.rmtree(folder(job), ignore_errors=True)
    job.delete()


def forget_files(job: ImportJob) -> None:
    """Deletes what was uploaded and its errors file; what was counted stays."""
    shutil.rmtree(folder(job), ignore_errors=True)
    job.path, job.error_path = "", ""
    job.save(update_fields=["path", "error_path"])


def orphans() -> list[int]:
    """Jobs that should run and that no living process works on; leftover staging tables are dropped on the way."""
    busy = list(ImportJob.objects.filter(status__in=["checking", "waiting", "running"]).values_list("pk", flat=True))
    staging.sweep(set(busy))
    found: list[int] = []
    with connection.cursor() as cursor:
        for job_id in busy:
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, job_id])
            if cursor.fetchone()[0]:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, job_id])
                found.append(job_id)
    return found


def progress(job: ImportJob, now: datetime) -> dict[str, Any]:
    """Done, total, rows per second and seconds left, for the page."""
    seconds = max((now - job.started_at).total_seconds(), 0.1) if job.started_at else 0.1
    rate = job.rows_done / seconds
    left = (job.rows_total - job.rows_done) / rate if rate and job.rows_total else None
    return {"done": job.rows_done, "total": job.rows_total, "rate": int(rate), "left": left}
