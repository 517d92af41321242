"""What `uv run` installs, what the lock holds and what the project asks for are the same."""

import tomllib
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement

from config.lock import pins

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "config" / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_a_plain_uv_run_is_bound_to_the_pins_of_the_lock():
    assert PROJECT["tool"]["uv"]["constraint-dependencies"] == pins(LOCK)


def test_every_pin_has_hashes_and_the_lock_names_no_address():
    assert "://" not in LOCK
    assert "--index-url" not in LOCK
    lines = LOCK.splitlines()
    pinned = [place for place, line in enumerate(lines) if not line.startswith(" ")]
    assert all(lines[place + 1].strip().startswith("--hash=sha256:") for place in pinned)


def test_the_lock_holds_everything_the_project_asks_for():
    locked = {}
    for line in pins(LOCK):
        requirement = Requirement(line)
        locked[requirement.name.lower()] = str(requirement.specifier).removeprefix("==")
    for wanted in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]:
        requirement = Requirement(wanted)
        assert locked[requirement.name.lower()] in requirement.specifier, f"run config/lock.py: {wanted}"


def test_the_tests_run_with_the_locked_versions():
    lines = [Requirement(line) for line in pins(LOCK)]
    locked = {line.name.lower(): line for line in lines if line.marker is None or line.marker.evaluate()}
    for distribution in distributions():
        name = distribution.metadata["Name"].lower().replace("_", "-")
        if name in locked:
            assert distribution.version in locked[name].specifier


def test_the_generated_lock_of_uv_stays_out_of_git():
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()
