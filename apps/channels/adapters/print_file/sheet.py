"""The table that goes with a print file: one line per letter."""

import csv
from collections.abc import Iterable
from io import StringIO

from apps.core.formulas import defuse

from .requests import PrintedLetter

_FIELDS = ["reference", "page", "pages", "language", "company", "name", "line1", "line2", "line3"]
_FIELDS += ["postcode", "city", "region", "country"]


def harmless(value: str) -> str:
    """`value` so that no spreadsheet takes it for a formula (OWASP: CSV injection)."""
    return defuse(" ".join(value.replace("\x00", "").split()))


def sheet(letters: Iterable[PrintedLetter]) -> str:
    """The CSV, separated by semicolons, every field quoted."""
    out = StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(_FIELDS)
    for letter in letters:
        address = letter.address
        first, second, *rest = (*address.lines, "", "")
        row = [letter.reference, str(letter.page), str(letter.pages), letter.language, address.company, address.name]
        row += [first, second, ", ".join(line for line in rest if line)]
        row += [address.postcode, address.city, address.region, address.country]
        writer.writerow([harmless(value) for value in row])
    return out.getvalue()
