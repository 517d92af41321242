"""The people of the planned messages, fetched when asked for and many at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pyroaring import BitMap

from apps.core import bitmaps
from apps.customers.models import Customer

from ..models import Message

if TYPE_CHECKING:
    from .snapshot import PlannedAgreement, PlannedMessage

NOBODY = BitMap()


class People:
    """Audiences by message, pairs of them, and people by country. Everything is fetched once and kept.

    What is told is net: whoever an agreement in force leaves to another message is not in the audience, as when sending.
    A test gives the audiences and the homes (country -> people) itself; then nothing is fetched.
    """

    def __init__(
        self, audiences: dict[int, BitMap] | None = None, homes: dict[str, BitMap] | None = None,
        agreements: Sequence[PlannedAgreement] = (),
    ):
        self._whole: dict[int, BitMap] = dict(audiences or {})
        self._net: dict[tuple[int, frozenset[int]], BitMap] = {}
        self._pairs: dict[tuple, BitMap] = {}
        self._homes = homes
        self._countries: dict[frozenset[str], BitMap] = {}
        self._agreements = agreements

    def under(self, agreements: Sequence[PlannedAgreement]) -> People:
        """The same people under these agreements; what is fetched stays shared."""
        other = People(None, self._homes, agreements)
        other._whole, other._countries = self._whole, self._countries
        return other

    def fetch(self, messages: Iterable[PlannedMessage]) -> None:
        """Loads the audiences of these messages, and of those they leave people to, that are not here yet, in one query."""
        asked = [(message.id, self._leaves(message)) for message in messages]
        wanted = {pk for own, others in asked for pk in (own, *others)} - self._whole.keys()
        if wanted:
            found: dict[int, BitMap] = dict(Message.objects.filter(pk__in=wanted).values_list("pk", "plan_audience"))  # type: ignore[arg-type]
            self._whole.update({pk: found.get(pk) or NOBODY for pk in wanted})

    def put(self, audiences: dict[int, BitMap]) -> None:
        """Takes whole audiences that are fresher than those stored."""
        self._whole.update(audiences)
        self._net.clear()
        self._pairs.clear()

    def whole(self, message: PlannedMessage) -> BitMap:
        """The planned audience before anybody is left out for an agreement."""
        self.fetch([message])
        return self._whole[message.id]

    def of(self, message: PlannedMessage) -> BitMap:
        """The people a message would reach, net of the agreements in force."""
        self.fetch([message])
        leaves = self._leaves(message)
        if not leaves:
            return self._whole[message.id]
        key = (message.id, leaves)
        if key not in self._net:
            self._net[key] = self._whole[message.id] - BitMap.union(NOBODY, *(self._whole[pk] for pk in leaves))
        return self._net[key]

    def _leaves(self, message: PlannedMessage) -> frozenset[int]:
        if not self._agreements:
            return frozenset()
        return frozenset[int]().union(*(agreement.leaves(message) for agreement in self._agreements))

    def shared(self, first: PlannedMessage, second: PlannedMessage) -> BitMap:
        """People who would get both; what is public reaches everybody whom the other side is for."""
        if first.is_public or second.is_public:
            return self.of(second if first.is_public else first)
        one, two = sorted(((side.id, self._leaves(side), side) for side in (first, second)), key=lambda side: side[0])
        key = (one[:2], two[:2])
        if key not in self._pairs:
            self._pairs[key] = self.of(one[2]) & self.of(two[2])
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
