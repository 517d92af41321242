"""A file as a stream of rows. Never more than one line in memory; what is wrong with a row is said of that row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from .dialect import Dialect, FileRefused, open_bytes

CELL_LIMIT = 1024 * 1024
LINE_LIMIT = 4 * 1024 * 1024
COLUMN_LIMIT = 500


@dataclass(frozen=True)
class Row:
    """One data row: its number among the rows, its line in the file, its cells; ``problem`` is empty when readable."""

    number: int
    line: int
    cells: list[str]
    problem: str = ""


class Reader:
    """Reads one file. ``columns`` are the header's names, unique and never empty; ``fraction`` how much was read."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self._size = max(path.stat().st_size, 1)
        stream, self._raw = open_bytes(path)
        wide = dialect.encoding.startswith("utf-16")
        self._mark = "\ufffd" if wide else ""
        self._text: TextIO = io.TextIOWrapper(
            stream, encoding=dialect.encoding, errors="replace" if wide else "surrogateescape", newline=""
        )
        self._damaged = False
        csv.field_size_limit(CELL_LIMIT)
        self._csv = csv.reader(self._lines(), delimiter=dialect.delimiter, strict=True)
        self.columns = self._header()

    @property
    def fraction(self) -> float:
        """The part of the file read so far, 0 to 1."""
        return min(self._raw.tell() / self._size, 1.0)

    def close(self) -> None:
        self._raw.close()

    def _lines(self) -> Iterator[str]:
        while True:
            try:
                line = self._text.readline(LINE_LIMIT)
            except (OSError, EOFError, UnicodeError) as error:
                raise FileRefused(_("The file breaks off or is damaged; it cannot be read to its end.")) from error
            if not line:
                return
            if len(line) >= LINE_LIMIT:
                raise FileRefused(
                    _("Line %(line)d is longer than 4 MB. That is no table row; nothing was imported.")
                    % {"line": self._csv.line_num + 1}
                )
            if not line.isascii() and self._is_damaged(line):
                self._damaged = True
            yield line

    def _is_damaged(self, line: str) -> bool:
        if self._mark:
            return self._mark in line
        try:
            line.encode("utf-8")
        except UnicodeEncodeError:
            return True
        return False

    def _header(self) -> list[str]:
        try:
            cells = next(self._csv)
        except StopIteration:
            raise FileRefused(_("The file is empty.")) from None
        except csv.Error as error:
            raise self._broken(error, 1) from error
        if len(cells) > COLUMN_LIMIT:
            raise FileRefused(_("The first row has %(count)d columns; at most 500 are read.") % {"count": len(cells)})
        self._damaged = False
        return _unique([cell.strip().strip("\ufeff")[:120] for cell in cells])

    def rows(self) -> Iterator[Row]:
        """All data rows. Blank lines are passed over. Raises FileRefused when the file cannot be read on."""
        number = 0
        while True:
            line = self._csv.line_num + 1
            try:
                cells = next(self._csv)
            except StopIteration:
                return
            except csv.Error as error:
                number += 1
                yield self._unreadable(error, number, line)
                continue
            if cells:
                number += 1
                yield self._checked(number, line, cells)

    def _unreadable(self, error: csv.Error, number: int, line: int) -> Row:
        words = str(error)
        if "field larger" in words or "unexpected end" in words:
            raise self._broken(error, line) from error
        return Row(number, line, [], _("The quotation marks in this row do not match."))

    def _broken(self, error: csv.Error, line: int) -> FileRefused:
        if "unexpected end" in str(error):
            return FileRefused(
                _("A quotation mark that opens in line %(line)d is never closed. Nothing was imported.")
                % {"line": line}
            )
        return FileRefused(
            _(
                "A cell that begins in line %(line)d is larger than 1 MB; probably a quotation mark is never closed. "
                "Nothing was imported."
            )
            % {"line": line}
        )

    def _checked(self, number: int, line: int, cells: list[str]) -> Row:
        if self._damaged:
            self._damaged = False
            readable = [cell.encode("utf-8", "replace").decode() for cell in cells]
            return Row(number, line, readable, _("This row is written in another encoding than the file."))
        missing = len(self.columns) - len(cells)
        if missing < 0 and not any(cells[missing:]):
            cells, missing = cells[: len(self.columns)], 0
        if missing:
            words = _("The row has %(found)d cells, the header has %(expected)d.")
            return Row(number, line, cells, words % {"found": len(cells), "expected": len(self.columns)})
        if "\x00" in "".join(cells):
            return Row(number, line, [cell.replace("\x00", "") for cell in cells], _("The row has a zero byte in it."))
        return Row(number, line, cells)


def _unique(names: list[str]) -> list[str]:
    """Header names that can be told apart: empty ones are numbered, repeated ones get a number."""
    found: dict[str, int] = {}
    result = []
    for place, name in enumerate(names, 1):
        name = name.replace("{", "(").replace("}", ")") or _("column %(place)d") % {"place": place}
        found[name] = found.get(name, 0) + 1
        result.append(name if found[name] == 1 else f"{name} ({found[name]})")
    return result
