"""CSV files that a spreadsheet opens without running anything in them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from apps.core.formulas import defuse


def safe(value: object) -> object:
    """Text that looks like a formula gets an apostrophe before it; numbers stay numbers."""
    return defuse(value) if isinstance(value, str) else value


def csv_response(filename: str, head: Sequence[object], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """The rows as a CSV file to save, in UTF-8 with the mark by which spreadsheets know it."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response.write("\ufeff")
    writer = csv.writer(response)
    for row in [head, *rows]:
        writer.writerow([safe(str(cell) if not isinstance(cell, (int, float)) else cell) for cell in row])
    return response
