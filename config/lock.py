"""Writes config/requirements.lock from pyproject.toml, and the same pins into [tool.uv] constraint-dependencies.

`python config/lock.py` keeps the pinned versions that still fit; `python config/lock.py --upgrade` takes the newest;
`python config/lock.py --runtime` prints the part of the lock that an image needs.
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


def runtime(lock: str, names: set[str]) -> str:
    """The lock's blocks of these packages only."""
    blocks = re.split(r"^(?=\S)", lock, flags=re.MULTILINE)
    return "".join(block for block in blocks if block.partition("==")[0] in names)


def print_runtime() -> None:
    """The lock without the tools of development, for an image."""
    export = ["uv", "export", "-q", "--no-dev", "--no-hashes", "--no-header", "--no-annotate", "--no-emit-project"]
    wanted = subprocess.run(export, cwd=BASE_DIR, check=True, capture_output=True, text=True).stdout
    print(runtime(LOCK.read_text(), {line.partition("==")[0] for line in wanted.splitlines()}), end="")


def main(upgrade: bool) -> None:
    # Old constraints would hold back what a changed dependency asks for; the lock itself keeps what still fits.
    PROJECT.write_text(with_constraints(PROJECT.read_text(), []))
    subprocess.run([*COMPILE, *(["--upgrade"] if upgrade else [])], cwd=BASE_DIR, check=True)
    PROJECT.write_text(with_constraints(PROJECT.read_text(), pins(LOCK.read_text())))


if __name__ == "__main__":
    print_runtime() if "--runtime" in sys.argv[1:] else main("--upgrade" in sys.argv[1:])
