"""How a run is spread: the whole suite over two processes or more, a narrow run in one, the longest files first.

Each process has a database, a browser and folders of its own (tests/database.py, tests/chromium.py); a file stays together.
"""

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# More would ask for more connections than the embedded PostgreSQL gives.
MOST = 4
# Begun first, so that neither process works alone on one of them at the end.
LONGEST = (
    "customers/test_real_files.py",
    "faults/test_brokers.py",
    "faults/test_sending.py",
    "browser/test_every_page.py",
    "hostile/test_stored_text.py",
    "campaigns/sending/test_hillstrom.py",
    "api/test_hostile_bodies.py",
    "browser/test_calendar.py",
    "campaigns/elsewhere/test_permissions.py",
)
_PLACE = {TESTS / name: place for place, name in enumerate(LONGEST)}
assert all(path.exists() for path in _PLACE), "a file of LONGEST has another name now"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For ``-n auto``: the cores of the machine when everything runs, else none: starting two takes longer than a few files."""
    given = config.args_source is pytest.Config.ArgsSource.ARGS
    if given and TESTS not in {Path(name).resolve() for name in config.args}:
        return 0
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _PLACE.get(item.path, len(_PLACE)))
