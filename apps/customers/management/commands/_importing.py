"""What the three import commands have in common."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.customers.imports import jobs, process
from apps.customers.imports.dialect import DELIMITERS, ENCODINGS, FileRefused
from apps.customers.imports.mapping import Mapping
from apps.customers.models import ImportJob, Source


def pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            yield piece


class ImportCommand(BaseCommand):
    """Imports one file and prints what happened as JSON. Exit code 1 when the file is refused."""

    kind = ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, plain or gzip")
        parser.add_argument("--source", required=True, help="code of the source; made when it is new")
        parser.add_argument("--country", default="", help="country of phone numbers without prefix, for a new source")
        parser.add_argument(
            "--map", action="append", default=[], metavar="TARGET=TEMPLATE",
            help="such as email={E-mail}, country=NO or source_id=row-{#}; default: as saved for the source, or guessed",
        )  # fmt: skip
        parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE",
                            help="date_order=ymd|dmy|mdy, decimal=.|, or time_zone=Europe/Oslo")  # fmt: skip
        parser.add_argument("--encoding", default="", choices=["", *ENCODINGS])
        parser.add_argument("--delimiter", default="", choices=["", *DELIMITERS])
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"{path} is no file.")
        source, _made = Source.objects.get_or_create(
            code=options["source"],
            defaults={
                "name": options["source"].replace("-", " ").title(),
                "default_country": options["country"].upper(),
            },
        )
        try:
            job = jobs.create(
                source=source, kind=self.kind, filename=path.name, content=pieces(path), actor=None, now=clock.now(),
                encoding=options["encoding"], delimiter=options["delimiter"],
            )  # fmt: skip
            self._map(job, options)
            job = self._run(job, options["dry_run"])
        except (FileRefused, jobs.NotNow) as error:
            raise CommandError(str(error)) from error
        self._report(job)

    def _map(self, job: ImportJob, options: dict[str, Any]) -> None:
        if options["map"] or options["option"]:
            known = Mapping.from_json(job.mapping)
            targets = _pairs(options["map"]) or known.targets
            mapping = Mapping(targets, {**known.options, **_pairs(options["option"])})
        else:
            mapping = Mapping.from_json(job.mapping)
        if problems := jobs.save_mapping(job=job, mapping=mapping, now=clock.now()):
            raise CommandError(" ".join(problems))

    def _run(self, job: ImportJob, dry: bool) -> ImportJob:
        jobs.begin(job_id=job.pk, dry=dry, actor=None, now=clock.now())
        return process.process(job_id=job.pk, now=clock.now())

    def _report(self, job: ImportJob) -> None:
        told = {"job": job.pk, "status": job.status, "message": job.message, "errors": job.error_path, **job.counts}
        self.stdout.write(json.dumps({key: value for key, value in told.items() if value != ""}, indent=2))
        if job.status == "failed":
            raise CommandError(job.message)


def _pairs(given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise CommandError(f"{text} has no = in it.")
        found[name.strip()] = value
    return found
