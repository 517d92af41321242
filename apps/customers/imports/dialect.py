"""Which encoding and delimiter a file has, found or asked; and files that are no text at all, refused in words."""

from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp1250", "iso-8859-2"]
DELIMITERS = [",", ";", "\t", "|"]
SAMPLE = 256 * 1024

_SIGNATURES = [
    (b"PK\x03\x04", gettext_lazy("an Excel workbook or a zip archive. Save it as CSV and try again.")),
    (b"\xd0\xcf\x11\xe0", gettext_lazy("an old Excel workbook. Save it as CSV and try again.")),
    (b"%PDF", gettext_lazy("a PDF document. Concord needs the table as CSV.")),
    (b"\x89PNG", gettext_lazy("a picture. Concord needs a table as CSV.")),
    (b"\xff\xd8\xff", gettext_lazy("a picture. Concord needs a table as CSV.")),
    (b"SQLite format", gettext_lazy("a database. Export the table as CSV.")),
]
# Bytes that are letters inside words in one legacy encoding and signs in the others.
_LETTER = rb"(?<=[A-Za-z])[%s]|[%s](?=[A-Za-z])"
_ISO2 = re.compile(
    _LETTER % (rb"\xa1\xa3\xa6\xac\xaf\xb1\xb3\xb6\xbc\xbf", rb"\xa1\xa3\xa6\xac\xaf\xb1\xb3\xb6\xbc\xbf")
)
_WIN2 = re.compile(
    _LETTER % (rb"\x8c\x8f\x9c\x9f\xa3\xa5\xaf\xb3\xb9\xbf", rb"\x8c\x8f\x9c\x9f\xa3\xa5\xaf\xb3\xb9\xbf")
)


class FileRefused(Exception):
    """The file cannot be imported; the message says why, in words for people."""


@dataclass(frozen=True)
class Dialect:
    """How to read a file: Python's name of the encoding, and the delimiter."""

    encoding: str
    delimiter: str


def open_bytes(path: Path) -> tuple[BinaryIO, BinaryIO]:
    """The file for reading, unpacked when it is gzip, and the raw file below (its position tells progress)."""
    raw = path.open("rb")
    packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    return (cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw), raw


def sample_of(path: Path) -> bytes:
    """The first 256 KB, unpacked. Raises FileRefused for a damaged gzip file."""
    stream, raw = open_bytes(path)
    try:
        return stream.read(SAMPLE)
    except (OSError, EOFError) as error:
        raise FileRefused(_("The compressed file is damaged and cannot be unpacked.")) from error
    finally:
        raw.close()


def find(path: Path, encoding: str = "", delimiter: str = "") -> Dialect:
    """The dialect of a file; what is asked for wins over what is found. Raises FileRefused for what is no text."""
    sample = sample_of(path)
    if not sample.strip():
        raise FileRefused(_("The file is empty."))
    for signature, words in _SIGNATURES:
        if sample.startswith(signature):
            raise FileRefused(_("This is %(what)s") % {"what": words})
    encoding = encoding or _encoding(sample)
    if encoding not in ENCODINGS:
        raise FileRefused(_("Concord does not read the encoding “%(name)s”.") % {"name": encoding})
    text = sample.decode(encoding, errors="replace")
    if _looks_binary(text):
        raise FileRefused(_("This is not a text file. Concord needs a table as CSV."))
    return Dialect(encoding, delimiter or _delimiter(text))


def _looks_binary(text: str) -> bool:
    odd = sum(1 for sign in text[:65536] if sign < " " and sign not in "\t\r\n\f\x1b")
    return "\x00" in text or odd > len(text[:65536]) / 50


def _encoding(sample: bytes) -> str:
    if sample.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x00" in sample[:4096]:
        return _wide(sample)
    if _is_utf8(sample):
        return "utf-8"
    return _legacy(sample)


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: ASCII letters have their zero byte always on the same side."""
    even, odd = sample[0:4096:2].count(0), sample[1:4096:2].count(0)
    if max(even, odd) < len(sample[:4096]) / 5 or min(even, odd) > max(even, odd) / 10:
        raise FileRefused(_("This is not a text file. Concord needs a table as CSV."))
    return "utf-16-be" if even > odd else "utf-16-le"


def _is_utf8(sample: bytes) -> bool:
    """Whether it is UTF-8, forgiving single damaged rows (they are reported) and the cut at the end."""
    try:
        sample[:-4].decode("utf-8") if len(sample) == SAMPLE else sample.decode("utf-8")
    except UnicodeDecodeError:
        good = len(re.findall(rb"[\xc3-\xf4][\x80-\xbf]+", sample))
        text = sample.decode("utf-8", errors="replace")
        return good > 4 * text.count("\ufffd")
    return True


def _legacy(sample: bytes) -> str:
    iso, windows = len(_ISO2.findall(sample)), len(_WIN2.findall(sample))
    western = len(re.findall(rb"(?<=[A-Za-z])[\xe4-\xe9\xf6\xf8\xfc\xdf]|[\xe4-\xe9\xf6\xf8\xfc](?=[A-Za-z])", sample))
    if max(iso, windows) * 2 <= western:
        return "cp1252"
    controls = re.search(rb"[\x80-\x9f]", sample) is not None
    return "cp1250" if windows > iso or controls else "iso-8859-2"


def _delimiter(text: str) -> str:
    """The delimiter that cuts the first rows into the same number of cells, the more cells the better."""
    head = text[:65536]
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(io.StringIO(head), delimiter=delimiter) if row][:30]
        except csv.Error:
            continue
        whole = rows[:-1] if len(rows) > 1 and len(text) > 65536 else rows
        cells = len(whole[0]) if whole else 0
        score = cells * sum(len(row) == cells for row in whole) / max(len(whole), 1) if cells > 1 else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best
