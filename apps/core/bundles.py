"""Several short tables read in one query, for what is asked for again and again."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from django.db import connection
from django.db.models import QuerySet


class Bundle:
    """The rows of several querysets made with ``values()``, in their order, as plain objects with these values.

    A field comes as the model has it (a date as a date), an expression as JSON has it. The querysets are put into SQL once.
    """

    def __init__(self, **querysets: QuerySet[Any, Any]) -> None:
        self._querysets = querysets

    def read(self) -> dict[str, list[SimpleNamespace]]:
        """The rows by the name of their queryset."""
        sql, params, casts = self._question
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            answer = cursor.fetchone()
        return {
            name: [SimpleNamespace(**_cast(row, fields)) for row in json.loads(rows)]
            for (name, fields), rows in zip(casts.items(), answer, strict=True)
        }

    @cached_property
    def _question(self) -> tuple[str, list[Any], dict[str, dict[str, Callable[[Any], Any]]]]:
        parts: list[str] = []
        params: list[Any] = []
        casts = {}
        for name, rows in self._querysets.items():
            sql, given = rows.query.sql_with_params()
            parts.append(f"(SELECT coalesce(json_agg(found), '[]')::text FROM ({sql}) AS found)")
            params += given
            casts[name] = {field: rows.model._meta.get_field(field).to_python for field in rows.query.values_select}
        return f"SELECT {', '.join(parts)}", params, casts


def _cast(row: dict[str, Any], fields: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return row | {name: cast(row[name]) for name, cast in fields.items()}
