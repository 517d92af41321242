"""The errors file: one line per refused row, with the reason in words and the row as it came."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.utils.translation import gettext as _

from apps.core.formulas import defuse
from apps.customers.models import ImportJob

CELL_SHOWN = 1000


def folder(job: ImportJob) -> Path:
    """Where the job's files are."""
    return Path(settings.MEDIA_ROOT) / "imports" / str(job.pk)


class ErrorFile:
    """Written while reading; the file appears with the first refused row. Safe to open in a spreadsheet program."""

    def __init__(self, job: ImportJob, columns: list[str]) -> None:
        self.path = folder(job) / "errors.csv"
        self.path.unlink(missing_ok=True)
        self.columns = columns
        self.count = 0
        self._file: TextIO | None = None
        self._writer: Any = None

    def add(self, line: int, problem: str, cells: list[str]) -> None:
        """One refused row; ``line`` is its line in the file."""
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow([_("line"), _("problem"), *(defuse(name) for name in self.columns)])
        self._writer.writerow([line, problem, *(defuse(cell[:CELL_SHOWN]) for cell in cells)])
        self.count += 1

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def written(self) -> str:
        """The path, or empty when no row was refused."""
        return str(self.path) if self.count else ""
