"""The source files that the rules of the house are about."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def python_files(*folders: str) -> list[Path]:
    """All of Concord's own Python files (of these folders), migrations excepted."""
    found = (path for folder in folders or ("apps", "config", "tests") for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)
