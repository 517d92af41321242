"""What a plan has to keep to, frozen: contact policies, gaps, pairs of offers, exclusive rights, capacities, quiet hours."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from apps.channels.models import ChannelAccount

from ..models import Capacity, ContactPolicy, Embargo, Exclusivity, MinimumGap, OfferPairing, QuietHours

SECONDS_A_DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class PlannedPolicy:
    """At most ``limit`` contacts in ``window``; ``weights`` say how often a contact on a channel counts (1 unless named)."""

    id: int
    name: str
    limit: int
    window: timedelta
    channels: tuple[str, ...] = ()
    department_id: int | None = None
    counts_service: bool = False
    grouping: str = "none"
    weights: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedGap:
    """No two contacts on the channels closer than ``gap``."""

    id: int
    name: str
    gap: timedelta
    channels: tuple[str, ...] = ()
    department_id: int | None = None

    @property
    def cap(self) -> PlannedPolicy:
        """The same as a limit: one contact in any window as long as the gap."""
        return PlannedPolicy(self.id, self.name, 1, self.gap, self.channels, self.department_id)


@dataclass(frozen=True, slots=True)
class OfferSide:
    """One side of a pairing: one offer, or everything below ``path`` of the category tree."""

    offer_id: int | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class PlannedPairing:
    """What offers of the two sides have to do with each other; see ``models.constraints.PairingKind``."""

    id: int
    name: str
    kind: str
    first: OfferSide
    second: OfferSide
    days: int


@dataclass(frozen=True, slots=True)
class PlannedExclusivity:
    """What one department or campaign has to itself. Empty fields say nothing."""

    id: int
    name: str
    starts_on: date
    ends_on: date
    brand: str = ""
    product_id: int | None = None
    product_path: str = ""
    path: str = ""
    account_id: int | None = None
    department_id: int | None = None
    campaign_id: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedCapacity:
    """Contacts a day of a channel or account. ``weekdays`` are ISO numbers; empty means all."""

    id: int
    name: str
    channel: str
    account_id: int | None
    starts_on: date
    ends_on: date | None
    weekdays: tuple[int, ...]
    per_day: int
    growth_percent: int = 0
    is_hard: bool = True

    def on(self, day: date) -> int | None:
        """The contacts possible on that day; None when this line says nothing about it."""
        if day < self.starts_on or (self.ends_on is not None and day > self.ends_on):
            return None
        if self.weekdays and day.isoweekday() not in self.weekdays:
            return None
        return int(self.per_day * (1 + self.growth_percent / 100) ** (day - self.starts_on).days)


@dataclass(frozen=True, slots=True)
class PlannedEmbargo:
    """Of what nothing may be told before ``lifts_at``. Empty fields say nothing; what is filled in must all fit."""

    id: int
    name: str
    lifts_at: datetime
    brand: str = ""
    product_id: int | None = None
    product_path: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class PlannedQuiet:
    """Hours of the week by the recipient's clock; see ``models.hours.QuietHours``."""

    id: int
    name: str
    begins: time
    ends: time
    weekdays: tuple[int, ...] = ()
    channels: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    department_id: int | None = None
    includes_service: bool = False
    is_law: bool = False

    def holds(self, local: datetime) -> bool:
        """Whether the wall clock ``local`` lies in it. A period over midnight belongs to the day on which it begins."""
        clock = local.replace(tzinfo=None)
        return any(self._from(clock.date() - timedelta(days=back), clock) for back in (0, 1))

    def _from(self, day: date, clock: datetime) -> bool:
        if self.weekdays and day.isoweekday() not in self.weekdays:
            return False
        last = day if self.ends > self.begins else day + timedelta(days=1)
        return datetime.combine(day, self.begins) <= clock < datetime.combine(last, self.ends)


@dataclass(frozen=True)
class Circumstances:
    """Everything of this page that is in force."""

    policies: tuple[PlannedPolicy, ...] = ()
    gaps: tuple[PlannedGap, ...] = ()
    pairings: tuple[PlannedPairing, ...] = ()
    exclusivities: tuple[PlannedExclusivity, ...] = ()
    capacities: tuple[PlannedCapacity, ...] = ()
    embargoes: tuple[PlannedEmbargo, ...] = ()
    quiet: tuple[PlannedQuiet, ...] = ()


def load() -> Circumstances:
    """What is in force, in nine queries."""
    return Circumstances(
        policies=policies(), gaps=gaps(),
        pairings=tuple(
            _pairing(row) for row in OfferPairing.objects.filter(is_active=True).select_related("first_category", "second_category")
        ),
        exclusivities=tuple(
            _exclusivity(row) for row in Exclusivity.objects.filter(is_active=True).select_related("category", "product__category")
        ),
        capacities=(*(_capacity(row) for row in Capacity.objects.filter(is_active=True)), *_accounts()),
        embargoes=tuple(_embargo(row) for row in Embargo.objects.filter(is_active=True).select_related("category", "product__category")),
        quiet=tuple(_quiet(row) for row in QuietHours.objects.filter(is_active=True)),
    )


def policies() -> tuple[PlannedPolicy, ...]:
    """The contact policies in force, in two queries."""
    return tuple(_policy(row) for row in ContactPolicy.objects.filter(is_active=True).prefetch_related("weights"))


def gaps() -> tuple[PlannedGap, ...]:
    """The minimum gaps in force."""
    return tuple(_gap(row) for row in MinimumGap.objects.filter(is_active=True))


def _policy(row: ContactPolicy) -> PlannedPolicy:
    return PlannedPolicy(
        id=row.pk, name=row.name, limit=row.limit, window=timedelta(hours=row.hours), channels=tuple(row.channels),
        department_id=row.department_id, counts_service=row.counts_service, grouping=row.grouping,
        weights={weight.channel: weight.weight for weight in row.weights.all()},
    )


def _gap(row: MinimumGap) -> PlannedGap:
    return PlannedGap(row.pk, row.name, timedelta(hours=row.hours), tuple(row.channels), row.department_id)


def _pairing(row: OfferPairing) -> PlannedPairing:
    return PlannedPairing(
        row.pk, row.name, row.kind,
        OfferSide(row.first_offer_id, row.first_category.path if row.first_category else ""),
        OfferSide(row.second_offer_id, row.second_category.path if row.second_category else ""),
        row.days,
    )


def _exclusivity(row: Exclusivity) -> PlannedExclusivity:
    return PlannedExclusivity(
        id=row.pk, name=row.name, starts_on=row.starts_on, ends_on=row.ends_on, brand=row.brand, product_id=row.product_id,
        product_path=_path(row), path=row.category.path if row.category else "", account_id=row.surface_id,
        department_id=row.department_id, campaign_id=row.campaign_id,
    )


def _accounts() -> list[PlannedCapacity]:
    """What each account that we send with lets through in a day: its messages per day, or a day at its rate."""
    rows = ChannelAccount.objects.filter(is_active=True, is_elsewhere=False).defer("credentials", "options")
    return [
        PlannedCapacity(
            id=0, name=row.name, channel=row.channel, account_id=row.pk, starts_on=date.min, ends_on=None, weekdays=(),
            per_day=min(int(row.rate * SECONDS_A_DAY), row.daily_capacity if row.daily_capacity is not None else sys.maxsize),
        )
        for row in rows
    ]


def _capacity(row: Capacity) -> PlannedCapacity:
    return PlannedCapacity(
        id=row.pk, name=row.name, channel=row.channel, account_id=row.account_id, starts_on=row.starts_on,
        ends_on=row.ends_on, weekdays=tuple(row.weekdays), per_day=row.per_day, growth_percent=row.growth_percent,
        is_hard=row.is_hard,
    )


def _embargo(row: Embargo) -> PlannedEmbargo:
    return PlannedEmbargo(
        row.pk, row.name, row.lifts_at, row.brand, row.product_id, _path(row), row.category.path if row.category else ""
    )


def _path(row: Exclusivity | Embargo) -> str:
    """Where the product stands in the category tree."""
    return row.product.category.path if row.product and row.product.category else ""


def _quiet(row: QuietHours) -> PlannedQuiet:
    return PlannedQuiet(
        id=row.pk, name=row.name, begins=row.begins, ends=row.ends, weekdays=tuple(row.weekdays),
        channels=tuple(row.channels), countries=tuple(row.countries), department_id=row.department_id,
        includes_service=row.includes_service, is_law=row.is_law,
    )
