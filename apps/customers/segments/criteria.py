"""The seam by which every app supplies leaves of segment rules: one Criterion per code.

A leaf of a rule tree is ``{"is": "<code>", ...params}``. A criterion says what is wrong with its params in words, and
gives one SQL query for the customer ids; the tree, the cache and the set operations are not its business.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

Params = dict[str, Any]
# more than any money, count or measure; beyond it the database says "overflow" instead of an answer
LARGEST = Decimal(10) ** 15


@dataclass(frozen=True)
class Moment:
    """When a rule is judged: the instant and the company-zone day it falls on."""

    now: datetime
    day: date


@dataclass(frozen=True)
class Field:
    """One thing the editor asks about a leaf.

    ``kind``: choice | text | number | date. ``choices`` are (value, label) pairs. ``more`` fields are asked rarely and
    stand folded until they have a value.
    """

    name: str
    label: str
    kind: str = "text"
    choices: Sequence[tuple[str, Any]] = ()
    required: bool = False
    default: str = ""
    help: str = ""
    more: bool = False


class Criterion(ABC):
    """One kind of leaf. ``tables`` are the tables it reads that carry the change trigger; empty means never cached."""

    code: ClassVar[str]
    tables: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def label(self) -> str:
        """Its name in the editor's list of conditions."""

    @abstractmethod
    def fields(self, params: Params) -> list[Field]:
        """What the editor asks, given what was answered so far."""

    @abstractmethod
    def problems(self, params: Params) -> list[str]:
        """What is wrong with the params, in words; empty when the leaf can be computed."""

    @abstractmethod
    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        """A query whose first column is the customer ids, and its parameters. Params are free of problems."""

    @abstractmethod
    def describe(self, params: Params) -> str:
        """The condition in words, as a planner would say it."""

    def references(self, params: Params) -> Iterable[int]:
        """Ids of other segments that the leaf names."""
        return ()


def in_reach(value: object) -> bool:
    """Whether a value is a number that can be compared: finite, and not beyond ``LARGEST``."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False
    return number.is_finite() and abs(number) <= LARGEST


CRITERIA: dict[str, Criterion] = {}


def register(criterion: Criterion) -> None:
    """Adds a criterion; a code registered by two classes is a mistake."""
    known = CRITERIA.get(criterion.code)
    if known is not None and type(known) is not type(criterion):
        raise ValueError(f"segment criterion {criterion.code!r} is registered twice")
    CRITERIA[criterion.code] = criterion
