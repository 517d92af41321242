"""The tests' database: migrated once into a template, copied for every run and worker, emptied quickly between tests.

Everything here needs PostgreSQL's superuser, which the embedded cluster gives; with a DATABASE_URL from outside,
pytest-django's and Django's own slower ways stay.
"""

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.test import TransactionTestCase

TEMPLATE = "concord_template_"
OF_PROCESS = "_of_"
# What every database holds before a test, as it was migrated. A schema of copies, so that emptying can put it back.
ORIGIN = "origin"
# Beyond that size a table is truncated: a deleted row would stay in the file until it is vacuumed.
LARGE = 1024 * 1024

if not settings.DATABASE_URL:

    @pytest.fixture(scope="session")
    def django_db_setup(django_test_environment: None, django_db_blocker: Any, django_db_modify_db_settings: None) -> Iterator[None]:
        """A copy of the migrated template under the process's own name, dropped at the end."""
        with django_db_blocker.unblock():
            name = f"{connection.creation._get_test_db_name()}{OF_PROCESS}{os.getpid()}"
            with _alone():
                template = _template()
                _elsewhere(*_left_behind(), f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            _use(name)
            emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
            _remember()
        TransactionTestCase._fixture_teardown = _as_migrated  # type: ignore[method-assign]
        yield
        with django_db_blocker.unblock():
            connections.close_all()
            _elsewhere(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def _alone() -> Iterator[None]:
    """One worker builds or copies the template at a time: PostgreSQL copies no database that somebody uses."""
    settings.CLUSTER.attach()
    with open(settings.CLUSTER.directory / "template.lock", "a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _template() -> str:
    """The database with today's migrations and no row; made when these have never run here, older ones dropped."""
    name = TEMPLATE + _digest()
    known = _elsewhere(f"SELECT datname FROM pg_database WHERE datname LIKE '{TEMPLATE}%'")
    if (name,) in known:
        return name
    _elsewhere(f'DROP DATABASE IF EXISTS "{connection.creation._get_test_db_name()}" WITH (FORCE)')
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    with connection.cursor() as cursor:
        tables = [table for table in connection.introspection.django_table_names(only_existing=True) if table != "django_migrations"]
        cursor.execute(f"TRUNCATE {', '.join(tables)}")
    connections.close_all()
    gone = [f'DROP DATABASE "{old}" WITH (FORCE)' for (old,) in known]
    _elsewhere(*gone, f'ALTER DATABASE "{made}" RENAME TO "{name}"')
    return name


def _left_behind() -> list[str]:
    """Statements that drop the databases of processes that were killed."""
    names = [name for (name,) in _elsewhere(f"SELECT datname FROM pg_database WHERE datname LIKE 'test%{OF_PROCESS}%'")]
    return [f'DROP DATABASE "{name}" WITH (FORCE)' for name in names if not _lives(int(name.rpartition(OF_PROCESS)[2]))]


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _digest() -> str:
    """Of every migration that would run, by its text."""
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations.values()
    files = sorted({str(sys.modules[migration.__module__].__file__) for migration in found})
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()[:16]


def _elsewhere(*statements: str) -> list[tuple[Any, ...]]:
    """Runs statements from outside the tests' database; the rows of the last."""
    rows: list[tuple[Any, ...]] = []
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        for statement in statements:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else []
    return rows


def _use(name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


@lru_cache(maxsize=1)
def _any_row() -> str:
    """One statement that names the tables that hold rows, with their sizes."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return " UNION ALL ".join(
        f"(SELECT '{table}', pg_relation_size('{table}') FROM {table} LIMIT 1)" for table in tables if table != "django_migrations"
    )


def _remember() -> None:
    """Copies the rows of the migrated database to a schema of their own."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {ORIGIN}")
        cursor.execute(_any_row())
        for table, _size in cursor.fetchall():
            cursor.execute(f"CREATE TABLE {ORIGIN}.{table} AS TABLE {table}")


def _as_migrated(case: TransactionTestCase) -> None:
    """Every row goes, those of the migrated database come back: some milliseconds, where truncating all takes half a second.

    Triggers and foreign keys are passed over, as by TRUNCATE: the end is as consistent as the beginning was.
    """
    with connection.cursor() as cursor:
        cursor.execute(_any_row())
        sizes = dict(cursor.fetchall())
        large = [table for table, size in sizes.items() if size > LARGE]
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [ORIGIN])
        kept = [table for (table,) in cursor.fetchall()]
        statements = ["BEGIN", "SET LOCAL session_replication_role = replica"]
        statements += [f"TRUNCATE {', '.join(large)} CASCADE"] if large else []
        statements += [f"DELETE FROM {table}" for table in {*sizes, *kept} - set(large)]
        statements += [f"INSERT INTO {table} SELECT * FROM {ORIGIN}.{table}" for table in kept]
        cursor.execute("; ".join([*statements, "COMMIT"]))
