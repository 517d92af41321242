"""Counterparts that run for the tests of channels."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.channels.counterparts.place import Endpoints
from apps.channels.counterparts.process import running


@pytest.fixture
def sandbox(settings, tmp_path: Path) -> Iterator[Endpoints]:
    """Running counterparts in the sandbox folder of this test."""
    settings.SANDBOX_DIR = tmp_path / "sandbox"
    with running(settings.SANDBOX_DIR) as endpoints:
        yield endpoints
