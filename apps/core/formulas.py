"""Cells that a spreadsheet program would run (OWASP: CSV injection)."""

import re

_STARTERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may take the cell for a formula (OWASP: CSV injection). Plain numbers are none."""
    if not text.startswith(_STARTERS):
        return False
    return not text.lstrip("+-").replace(",", "").replace(".", "").replace(" ", "").isdigit()


# In another country's settings a comma or a semicolon inside a cell parts it, and the second half may be a formula of its own.
_INNER = re.compile(r"([;,\t|\r\n][\s\"']*)([=@＝＠]|[+\-＋－](?=[^\W\d]))")


# Without one of these no cell is a formula, nor is a part of it: most cells need no closer look.
_RISKY = re.compile(r"[=+\-@＝＋－＠\t\r\n]")


def defuse(text: str) -> str:
    """The cell with an apostrophe before what could be run: shown as text by every spreadsheet program."""
    if not _RISKY.search(text):
        return text
    inner = _INNER.sub(r"\1'\2", text)
    return f"'{inner}" if is_formula(text) else inner
