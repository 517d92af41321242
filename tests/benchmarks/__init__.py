"""Measurements, run by hand. Read ratios of one run, never absolute rates: machines are noisy.

That each of them still runs, and ends with a figure, shows ``test_benchmarks.py``.
"""

import os
import sys


def prepare_django() -> None:
    """Starts Django on a database cluster of the benchmarks' own (CONCORD_CLUSTER, "benchmarks" unless told otherwise).

    Ends the process where that is a database with something to lose: a benchmark empties it.
    """
    if os.environ.setdefault("CONCORD_CLUSTER", "benchmarks") in ("main", "tests") or "DATABASE_URL" in os.environ:
        sys.exit("This empties the database: give it a cluster of its own (CONCORD_CLUSTER, no DATABASE_URL).")
    os.environ["CONCORD_MODE"] = "development"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
