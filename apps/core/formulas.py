"""Cells that a spreadsheet program would run."""

_STARTERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may take the cell for a formula (OWASP: CSV injection). Plain numbers are none."""
    if not text.startswith(_STARTERS):
        return False
    return not text.lstrip("+-").replace(",", "").replace(".", "").replace(" ", "").isdigit()


def defuse(text: str) -> str:
    """The cell with a leading apostrophe when it could be run: shown as text by every spreadsheet program."""
    return f"'{text}" if is_formula(text) else text
