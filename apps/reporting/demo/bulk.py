"""COPY of rows into a table: the one way the demo's large tables are filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction
from psycopg import sql


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Append rows to the model's table; columns are database column names. Returns how many."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


@contextmanager
def filling(*tables: type[models.Model], searched: Sequence[type[models.Model]] = ()) -> Iterator[None]:
    """One transaction that fills these tables: their foreign keys are checked, and their indexes built, at its end as a whole.

    Row by row both cost several times as much. Tables that are ``searched`` meanwhile keep their indexes.
    """
    names = [model._meta.db_table for model in (*tables, *searched)]
    bare = [model._meta.db_table for model in tables]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(PARTS, {"tables": names, "bare": bare})
        parts = cursor.fetchall()
        for drop, _make in reversed(parts):
            cursor.execute(drop)
        yield
        for _drop, make in parts:
            cursor.execute(make)


# How every index and constraint is dropped and made again: indexes first, then unique constraints, then foreign keys.
# Primary keys stay, because the rows of other tables point at them.
PARTS = """
SELECT format('DROP INDEX %%s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
FROM pg_index i WHERE i.indrelid = ANY(%(bare)s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
UNION ALL
(SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
    format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint
WHERE (contype = 'f' AND conrelid = ANY(%(tables)s::regclass[])) OR (contype = 'u' AND conrelid = ANY(%(bare)s::regclass[]))
ORDER BY contype DESC, oid)
"""


def reset_sequence(model: type[models.Model]) -> None:
    """Let the table's own numbering go on after ids that were given explicitly."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT COALESCE(max(id), 1) FROM {connection.ops.quote_name(table)}))",
            [table],
        )
