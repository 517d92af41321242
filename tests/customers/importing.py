"""Importing a text in tests: one call from file to finished job."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import Any

from apps.customers.imports import jobs, process
from apps.customers.imports.mapping import Mapping
from apps.customers.models import ImportJob
from tests.factories.customers import SourceFactory

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
BASICS = {"source_id": "{id}", "email": "{email}", "phone": "{phone}", "name": "{name}"}


def upload(
    content: str | bytes,
    *,
    source: str = "shop",
    kind: str = "customers",
    packed: bool = False,
    now: datetime = NOW,
    **asked: Any,
) -> ImportJob:
    """A job with its file, not mapped by hand yet."""
    body = content.encode() if isinstance(content, str) else content
    body = gzip.compress(body) if packed else body
    return jobs.create(
        source=SourceFactory(code=source),
        kind=kind,
        filename="people.csv",
        content=[body],
        actor=None,
        now=now,
        **asked,
    )


def imported(
    content: str | bytes, targets: dict[str, str] | None = None, *, options: dict[str, Any] | None = None, dry: bool = False,
    now: datetime = NOW, **how: Any,
) -> ImportJob:  # fmt: skip
    """The job after its run. Without targets those of BASICS whose columns the file has."""
    job = upload(content, now=now, **how)
    chosen = targets or {code: text for code, text in BASICS.items() if text[1:-1] in job.columns}
    assert jobs.save_mapping(job=job, mapping=Mapping(chosen, options or {}), now=now) == []
    jobs.begin(job_id=job.pk, dry=dry, actor=None, now=now)
    return process.process(job_id=job.pk, now=now)


def errors(job: ImportJob) -> str:
    """The text of the errors file."""
    with open(job.error_path, encoding="utf-8-sig") as file:
        return file.read()
