"""People as roaring bitmaps: sets of 32-bit customer ids, stored as bytes in PostgreSQL."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from pyroaring import BitMap


class BitMapField(models.BinaryField):
    """A set of customer ids. In Python a ``pyroaring.BitMap``, in PostgreSQL its serialised bytes."""

    # What django-stubs' plugin reads off a field: the types that are put in and taken out.
    _pyi_private_set_type: BitMap
    _pyi_private_get_type: BitMap  # type: ignore[assignment]

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> BitMap | None:
        return None if value is None else BitMap.deserialize(bytes(value))

    def to_python(self, value: Any) -> BitMap | None:
        if value is None or isinstance(value, BitMap):
            return value
        return BitMap.deserialize(bytes(value))

    def get_prep_value(self, value: Any) -> bytes | None:
        if value is None:
            return None
        people = value if isinstance(value, BitMap) else BitMap(value)
        return bytes(people.serialize())

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if not prepared or isinstance(value, BitMap):
            value = self.get_prep_value(value)
        return None if value is None else connection.Database.Binary(value)

    def value_to_string(self, obj: Any) -> str:
        people: Any = self.value_from_object(obj)
        return "" if people is None else people.serialize().hex()


def from_ids(ids: Iterable[int]) -> BitMap:
    """A bitmap of the ids; fastest from a sorted sequence."""
    return BitMap(array("I", ids))


def from_sql(sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> BitMap:
    """The bitmap of the first column of a query, which must be non-negative 32-bit integers.

    They travel as one text of bytes (int4send: four bytes each, the highest first), so that no row becomes an object.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(int4send(one), ''::bytea) FROM ({sql}) AS found(one)", params)
        return _unpacked(cursor.fetchone()[0])


def stored(table: str, column: str, ids: Iterable[int]) -> dict[int, BitMap]:
    """id -> the bitmap in a column of the rows with these ids, in one query; rows without one are left out.

    They travel as they are stored. As the text in which PostgreSQL answers otherwise they would be twice as long.
    """
    wanted = ", ".join(str(int(pk)) for pk in ids)
    if not wanted:
        return {}
    sql = f"COPY (SELECT id, {column} FROM {table} WHERE id IN ({wanted}) AND {column} IS NOT NULL) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(sql) as copy:
        copy.set_types(["int8", "bytea"])
        return {pk: BitMap.deserialize(raw) for pk, raw in copy.rows()}


def parted(sql: str) -> dict[Any, BitMap]:
    """The ids in the second column of a query by what stands in its first, in one reading."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key, string_agg(int4send(one), ''::bytea) FROM ({sql}) AS found(key, one) GROUP BY key")
        return {key: _unpacked(packed) for key, packed in cursor.fetchall()}


def _unpacked(packed: bytes | None) -> BitMap:
    ids = array("I", packed or b"")
    if sys.byteorder == "little":
        ids.byteswap()
    return BitMap(ids)
