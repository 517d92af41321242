"""The compiled catalogues (.mo) are not kept in git: they are made from the .po files when those are newer."""

import os
from collections.abc import Iterable
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_stale(directories: Iterable[Path | str]) -> list[Path]:
    """Compiles every catalogue whose .mo is missing or older than its .po; returns the files written.

    Several processes may start at once, so each writes a file of its own and renames it into place.
    """
    written = []
    for source in (path for directory in directories for path in Path(directory).glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        fresh = target.with_suffix(f".{os.getpid()}.mo.new")
        with source.open("rb") as catalogue, fresh.open("wb") as file:
            write_mo(file, read_po(catalogue))
        fresh.replace(target)
        written.append(target)
    return written
