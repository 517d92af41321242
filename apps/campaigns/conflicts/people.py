"""The people of the planned messages, fetched when asked for and many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyroaring import BitMap

from apps.consent import gate
from apps.consent.models import Purpose
from apps.core import bitmaps
from apps.customers.models import Customer

from ..elsewhere.runs import ToldDays, told_by_day
from ..models import Message
from .findings import Counted
from .keepers import Keepers, Way
from .sources import Sources

if TYPE_CHECKING:
    from .pressure import Contact
    from .snapshot import PlannedAgreement, PlannedMessage

NOBODY = BitMap()
NONE: frozenset[int] = frozenset()
# The original that a message stands in for, and the messages to which that one leaves its people.
StandingIn = tuple[int, frozenset[int]]
Net = tuple[int, frozenset[int], tuple[tuple[frozenset[int], bool], ...], frozenset[int], StandingIn | None]
Split = tuple[frozenset[int], "PlannedAgreement", bool]
EVER = datetime(1, 1, 1, tzinfo=UTC)


class People:
    """Audiences by message, pairs of them, and people by country. Everything is fetched once and kept.

    What is told is net: whoever an agreement in force leaves to another message is not in the audience, as when sending.
    A test gives the audiences, the homes (country -> people) and what was sent itself; then nothing is fetched.
    """

    def __init__(
        self, audiences: dict[int, BitMap] | None = None, homes: dict[str, BitMap] | None = None,
        agreements: Sequence[PlannedAgreement] = (), sent: Sequence[Contact] | None = None,
        unreachable: dict[Way, BitMap] | None = None, sources: Sources | None = None, now: datetime | None = None,
        keepers: Keepers | None = None,
    ):
        self._whole: dict[int, BitMap] = dict(audiences or {})
        self._net: dict[Net, BitMap] = {}
        self._counts: dict[tuple, int] = {}
        self._homes = homes
        self._countries: dict[frozenset[str], BitMap] = {}
        self._agreements = agreements
        self._sent: list[tuple[datetime, Sequence[Contact]]] = [] if sent is None else [(EVER, sent)]
        if audiences is not None and sent is None:
            self._sent = [(EVER, ())]
        self._unreachable: dict[Way, tuple[BitMap, BitMap]] = {
            way: (NOBODY, people) for way, people in (unreachable or {}).items()
        }
        self._is_given = audiences is not None
        self._told: dict[int, ToldDays] = {}
        self.sources = sources or Sources(is_given=audiences is not None)
        self._keepers = keepers or Keepers(None if self._is_given else now)

    def under(self, agreements: Sequence[PlannedAgreement]) -> People:
        """The same people under these agreements; what is fetched stays shared."""
        other = People(None, self._homes, agreements, sources=self.sources, keepers=self._keepers)
        other._whole, other._countries, other._sent = self._whole, self._countries, self._sent
        other._unreachable, other._is_given = self._unreachable, self._is_given
        other._told = self._told
        return other

    def fetch(self, messages: Iterable[PlannedMessage]) -> None:
        """Loads the audiences of these messages, and of those they leave people to, that are not here yet, in one query."""
        messages = list(messages)
        asked = [(message.id, self._others(message), self._opposite(message)) for message in messages]
        wanted = {pk for own, others, opposite in asked for pk in (own, *others, *opposite)}
        standing = {message.id: original for message in messages for original, _kept in filter(None, [self._stands_in(message)])}
        wanted = (wanted | {*standing.values()}) - self._whole.keys()
        if wanted:
            found = bitmaps.stored(Message._meta.db_table, "plan_audience", wanted)
            self._whole.update({pk: found.get(pk, NOBODY) for pk in wanted})
        if any(others or opposite for _own, others, opposite in asked):
            self._ask_keepers(asked, standing)

    def _ask_keepers(self, asked: Iterable[tuple[int, frozenset[int], frozenset[int]]], stand_ins: Collection[int]) -> None:
        """Whom the other sides can contact of those whom these messages leave to them, and the other way round; of a stand-in
        whom it can contact itself.
        """
        wanted: dict[int, BitMap] = {}
        for own, others, opposite in asked:
            for pk in others:
                wanted[pk] = wanted.get(pk, NOBODY) | (self._whole[own] & self._whole[pk])
            for pk in opposite:
                wanted[own] = wanted.get(own, NOBODY) | (self._whole[own] & self._whole[pk])
        wanted |= {pk: self._whole[pk] for pk in stand_ins}
        self._keepers.ask(wanted)

    def put(self, audiences: dict[int, BitMap]) -> None:
        """Takes whole audiences that are fresher than those stored."""
        self._whole.update(audiences)
        self._net.clear()
        self._counts.clear()

    def whole(self, message: PlannedMessage) -> BitMap:
        """The planned audience before anybody is left out for an agreement."""
        self.fetch([message])
        return self._whole[message.id]

    def of(self, message: PlannedMessage) -> BitMap:
        """The people a message would reach, net of the agreements in force."""
        return self._of(message, *self._key(message))

    def _of(self, message: PlannedMessage, key: Net, splits: list[Split]) -> BitMap:
        _own, leaves, _told, opposite, stands_in = key
        is_net = bool(leaves or splits or opposite or stands_in)
        if is_net or message.id not in self._whole:
            self.fetch([message])
        if not is_net:
            return self._whole[message.id]
        if key not in self._net:
            net = self._whole[message.id] - BitMap.union(NOBODY, *(self._contacted(pk) for pk in leaves))
            for others, agreement, only_swapped in splits:
                theirs = BitMap.union(NOBODY, *(self._contacted(pk) for pk in others)) & self._whole[message.id]
                swapped = agreement.swapped_among(theirs)
                net -= swapped if only_swapped else theirs - swapped
            # Whom this side cannot contact stays with the other one.
            back = BitMap.union(NOBODY, *(self._whole[pk] for pk in opposite)) if opposite else NOBODY
            net -= back & self._keepers.out(message.id)
            self._net[key] = net & self._meant(message.id, *stands_in) if stands_in else net
        return self._net[key]

    def _meant(self, own: int, original: int, kept: frozenset[int]) -> BitMap:
        """Whom the original leaves out for the others and this one can contact in its place, as the claim has it."""
        left_out = self._whole[original] & BitMap.union(NOBODY, *(self._contacted(pk) for pk in kept))
        return left_out - self._keepers.out(own)

    def _contacted(self, message_id: int) -> BitMap:
        """The people of another message whom it can contact, as far as it matters to those who leave people to it."""
        return self._whole[message_id] - self._keepers.out(message_id)

    def at_most(self, message: PlannedMessage) -> int:
        """How many people it has at most, without loading them where they were counted before."""
        if message.id in self._whole or message.count is None:
            return len(self.of(message))
        return message.count

    def _leaves(self, message: PlannedMessage) -> frozenset[int]:
        if not self._agreements:
            return frozenset()
        return frozenset[int]().union(*(agreement.leaves(message) for agreement in self._agreements))

    def _splits(self, message: PlannedMessage) -> list[Split]:
        found = [(agreement, *agreement.splits(message)) for agreement in self._agreements if agreement.swapped]
        return [(others, agreement, only_swapped) for agreement, others, only_swapped in found if others]

    def _others(self, message: PlannedMessage) -> frozenset[int]:
        stands_in = self._stands_in(message)
        kept = stands_in[1] if stands_in else NONE
        return self._leaves(message).union(kept, *(others for others, _agreement, _only in self._splits(message)))

    def _stands_in(self, message: PlannedMessage) -> StandingIn | None:
        for agreement in self._agreements:
            if (original := agreement.original_of(message)) is not None:
                return original, agreement.keeping
        return None

    def _opposite(self, message: PlannedMessage) -> frozenset[int]:
        """Messages that leave people to this one."""
        if not self._agreements:
            return frozenset()
        return frozenset[int]().union(*(agreement.leave_to(message) for agreement in self._agreements))

    def _key(self, message: PlannedMessage) -> tuple[Net, list[Split]]:
        """What tells this audience from the same one under other agreements, and the splits it takes part in."""
        if not self._agreements:
            return (message.id, NONE, (), NONE, None), []
        splits = self._splits(message)
        told = tuple((others, only) for others, _agreement, only in splits)
        return (message.id, self._leaves(message), told, self._opposite(message), self._stands_in(message)), splits

    def shared(self, first: PlannedMessage, second: PlannedMessage) -> BitMap:
        """People who would get both; what is public reaches everybody whom the other side is for."""
        if first.is_public or second.is_public:
            return self.of(second if first.is_public else first)
        return self.of(first) & self.of(second)

    def count_shared(self, first: PlannedMessage, second: PlannedMessage) -> int:
        """How many people would get both. Counted without putting them together, and only once."""
        if first.is_public or second.is_public:
            return len(self.of(second if first.is_public else first))
        (one, splits), (other, opposite_splits) = self._key(first), self._key(second)
        count = self._counts.get((one, other))
        if count is None:
            theirs = self._of(second, other, opposite_splits)
            count = self._counts[one, other] = self._of(first, one, splits).intersection_cardinality(theirs)
        return count

    def meeting(self, pairs: Sequence[tuple[PlannedMessage, PlannedMessage]]) -> Counted:
        """Everybody who would get both messages of at least one of the pairs."""
        def gather() -> BitMap:
            return BitMap.union(NOBODY, *(self.shared(first, second) for first, second in pairs))

        if len(pairs) == 1:
            return Counted(self.count_shared(*pairs[0]), gather)
        key = tuple((self._key(first)[0], self._key(second)[0]) for first, second in pairs)
        if key not in self._counts:
            self._counts[key] = len(gather())
        return Counted(self._counts[key], gather)

    def size(self, messages: Sequence[PlannedMessage]) -> int:
        """How many people at least one of the messages would reach."""
        if len(messages) == 1:
            return len(self.of(messages[0]))
        key = tuple(self._key(message)[0] for message in messages)
        if key not in self._counts:
            self._counts[key] = len(BitMap.union(NOBODY, *(self.of(message) for message in messages)))
        return self._counts[key]

    def in_countries(self, countries: frozenset[str]) -> BitMap:
        """People who live in one of the countries. Asked only for blackouts of some countries or at the edge of a day."""
        if countries not in self._countries:
            self._countries[countries] = self._find(countries)
        return self._countries[countries]

    def sent(self, *, first: datetime, now: datetime) -> Sequence[Contact]:
        """Whom what has gone out since then reached, by the ledger; more may come back than was asked for."""
        kept = next((found for since, found in self._sent if since <= first), None)
        if kept is None:
            from ..calendar.history import sent_contacts

            kept = list(sent_contacts(first=first, now=now))
            self._sent.append((first, kept))
        return kept

    def told(self, message_ids: Iterable[int]) -> dict[int, ToldDays]:
        """Whom other tools have told of in these messages, day by day; fetched once."""
        wanted = set(message_ids) - self._told.keys()
        if wanted and not self._is_given:
            self._told.update({pk: [] for pk in wanted} | told_by_day(wanted))
        return self._told

    def reachable(self, message: PlannedMessage) -> BitMap:
        """The people of a message who, as things stand, have an address and agreed. Asked for many with `ask_reachable`."""
        _asked, out = self._unreachable.get((message.channel, message.purpose_id), (NOBODY, NOBODY))
        return self.of(message) - out

    def ask_reachable(self, messages: Iterable[PlannedMessage], at: datetime) -> None:
        """Asks the gate once for each channel and purpose, however many messages share them."""
        wanted: dict[Way, BitMap] = {}
        for message in messages:
            if not message.is_public:
                way = (message.channel, message.purpose_id)
                wanted[way] = wanted.get(way, NOBODY) | self.of(message)
        purposes = None
        for way, people in wanted.items():
            asked, out = self._unreachable.get(way, (NOBODY, NOBODY))
            missing = people - asked
            if missing and not self._is_given:
                purposes = purposes or Purpose.objects.in_bulk({pk for _channel, pk in wanted if pk})
                denied = _denied(missing, way[0], purposes.get(way[1] or 0), at)
                self._unreachable[way] = (asked | missing, out | denied)

    def _find(self, countries: frozenset[str]) -> BitMap:
        if self._homes is not None:
            return BitMap.union(NOBODY, *(self._homes.get(country, NOBODY) for country in countries))
        if not countries:
            return NOBODY
        living = Customer.objects.living().filter(country__in=countries).order_by().values_list("id")
        sql, params = living.query.sql_with_params()
        return bitmaps.from_sql(f"SELECT id::int FROM ({sql}) AS living(id)", params)


def _denied(people: BitMap, channel: str, purpose: Purpose | None, at: datetime) -> BitMap:
    """Whoever the gate would not let through; without a purpose nobody is."""
    if purpose is None:
        return people
    judgement = gate.judge(people=people, channel=channel, purpose=purpose, at=at)
    return BitMap.union(NOBODY, *judgement.denied.values())
