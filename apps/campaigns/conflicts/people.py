"""The people of the planned messages, fetched when asked for and many at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pyroaring import BitMap

from apps.core import bitmaps
from apps.customers.models import Customer

from ..models import Message

if TYPE_CHECKING:
    from .snapshot import PlannedMessage

NOBODY = BitMap()


class People:
    """Audiences by message, pairs of them, and people by country. Everything is fetched once and kept.

    A test gives the audiences and the homes (country -> people) itself; then nothing is fetched.
    """

    def __init__(self, audiences: dict[int, BitMap] | None = None, homes: dict[str, BitMap] | None = None):
        self._audiences: dict[int, BitMap] = dict(audiences or {})
        self._pairs: dict[tuple[int, int], BitMap] = {}
        self._homes = homes
        self._countries: dict[frozenset[str], BitMap] = {}

    def fetch(self, messages: Iterable[PlannedMessage]) -> None:
        """Loads the audiences of these messages that are not here yet, in one query."""
        wanted = {message.id for message in messages} - self._audiences.keys()
        if wanted:
            found: dict[int, BitMap] = dict(Message.objects.filter(pk__in=wanted).values_list("pk", "plan_audience"))  # type: ignore[arg-type]
            self._audiences.update({pk: found.get(pk) or NOBODY for pk in wanted})

    def put(self, audiences: dict[int, BitMap]) -> None:
        """Takes audiences that are fresher than those stored."""
        self._audiences.update(audiences)

    def of(self, message: PlannedMessage) -> BitMap:
        """The planned audience of a message."""
        if message.id not in self._audiences:
            self.fetch([message])
        return self._audiences[message.id]

    def shared(self, first: PlannedMessage, second: PlannedMessage) -> BitMap:
        """People who would get both; what is public reaches everybody whom the other side is for."""
        if first.is_public or second.is_public:
            return self.of(second if first.is_public else first)
        key = (min(first.id, second.id), max(first.id, second.id))
        if key not in self._pairs:
            self._pairs[key] = self.of(first) & self.of(second)
        return self._pairs[key]

    def in_countries(self, countries: frozenset[str]) -> BitMap:
        """People who live in one of the countries. Asked only for blackouts of some countries or at the edge of a day."""
        if countries not in self._countries:
            self._countries[countries] = self._find(countries)
        return self._countries[countries]

    def _find(self, countries: frozenset[str]) -> BitMap:
        if self._homes is not None:
            return BitMap.union(NOBODY, *(self._homes.get(country, NOBODY) for country in countries))
        return bitmaps.from_ids(
            Customer.objects.living().filter(country__in=countries).order_by("id").values_list("id", flat=True).iterator()
        )
