"""Writes config/requirements.lock from pyproject.toml, and the same pins into [tool.uv] constraint-dependencies.

`python config/lock.py` keeps the pinned versions that still fit; `python config/lock.py --upgrade` takes the newest.
The lock holds hashes and no address, so it installs from any package index; the constraints bind a plain `uv run`.
"""

import re
import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
LOCK = BASE_DIR / "config" / "requirements.lock"
PROJECT = BASE_DIR / "pyproject.toml"
BLOCK = re.compile(r"^constraint-dependencies = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL)
COMPILE = ["uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--universal", "--generate-hashes",
           "--no-header", "--no-annotate", "-q", "-o", "config/requirements.lock"]  # fmt: skip


def pins(lock: str) -> list[str]:
    """Every `name==version`, with its marker where it has one, in the lock's order."""
    lines = (line.rstrip(" \\") for line in lock.splitlines() if line and not line.startswith((" ", "#")))
    return [line.replace('"', "'") for line in lines]


def with_constraints(project: str, lines: list[str]) -> str:
    """The project file with exactly these constraints."""
    block = "".join(["constraint-dependencies = [\n", *(f'  "{line}",\n' for line in lines), "]\n"])
    if BLOCK.search(project):
        return BLOCK.sub(lambda _: block, project)
    return project.replace("[tool.uv]\n", f"[tool.uv]\n{block}", 1)


def main(upgrade: bool) -> None:
    # Old constraints would hold back what a changed dependency asks for; the lock itself keeps what still fits.
    PROJECT.write_text(with_constraints(PROJECT.read_text(), []))
    subprocess.run([*COMPILE, *(["--upgrade"] if upgrade else [])], cwd=BASE_DIR, check=True)
    PROJECT.write_text(with_constraints(PROJECT.read_text(), pins(LOCK.read_text())))


if __name__ == "__main__":
    main("--upgrade" in sys.argv[1:])
