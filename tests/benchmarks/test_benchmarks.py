"""A benchmark nobody can start measures nothing: each is run once, small, as its first lines say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sink import SINK

ROOT = Path(__file__).resolve().parents[2]
needs_postfix = pytest.mark.skipif(SINK is None, reason="Postfix's smtp-sink is not installed")


def last_line(name: str, *options: str) -> str:
    """What the benchmark says last; it must end well."""
    environment = os.environ | {"CONCORD_CLUSTER": "tests-benchmarks"}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}", *options], cwd=ROOT, env=environment, timeout=300,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_the_benchmark_of_conflicts_counts_as_sql_does_and_names_every_figure():
    found = json.loads(last_line("conflicts", "--customers", "3000", "--campaigns", "12"))
    assert found["identical_to_sql"] is True
    assert found["pairs"] > 0
    for name in ("pairs_vs_sql", "pressure_vs_sql", "edit_ms", "preview_ms", "page_ms", "worker_mb"):
        assert found[name] >= 0


def test_the_benchmark_of_the_check_tab_runs():
    assert json.loads(last_line("checking", "--people", "400"))["check_ms"] > 0


def test_the_benchmark_of_imports_runs():
    assert "ours / COPY" in last_line("imports", "--lines", "1000", "--rounds", "1")


def test_the_benchmark_of_rendering_runs():
    assert "median ratio" in last_line("rendering", "--people", "20", "--rounds", "1")


@needs_postfix
def test_the_benchmark_of_handing_mail_over_runs():
    assert "ours / naive" in last_line("smtp", "--messages", "200", "--rounds", "1")


@needs_postfix
def test_the_benchmark_of_sending_runs():
    assert "bytes a row" in last_line("sending", "--people", "100", "--rounds", "1")


@pytest.mark.parametrize("name", ["conflicts", "sending", "imports", "checking"])
@pytest.mark.parametrize("elsewhere", [{"CONCORD_CLUSTER": "main"}, {"CONCORD_CLUSTER": "b", "DATABASE_URL": "postgres:///shop"}])
def test_a_benchmark_never_empties_a_database_in_use(name, elsewhere):
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{name}"], cwd=ROOT, env=os.environ | elsewhere, timeout=60,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert "cluster of its own" in done.stderr
