"""JSON that programs send, refused at the door where the database could not keep it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

DEEPEST = 60


class KeepableJSONParser(JSONParser):
    """JSON without what PostgreSQL's text and jsonb refuse: NUL, halves of a sign (lone surrogates), endless numbers.

    Raises ParseError (400) in words, also for nesting that no reader would follow.
    """

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            read = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError(_too_deep()) from error
        _check(read, DEEPEST)
        return read


def _too_deep() -> str:
    return f"This JSON is nested too deeply: at most {DEEPEST} levels."


def _check(value: Any, deeper: int) -> None:
    if deeper < 0:
        raise ParseError(_too_deep())
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ParseError("A number is larger than any number that can be kept.")
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            _check_text(name)
            _check(inner, deeper - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, deeper - 1)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ParseError("A text holds the sign NUL, which cannot be kept.")
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ParseError("A text holds half of a sign (a lone surrogate), which cannot be kept.")
