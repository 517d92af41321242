"""What a plan has to keep to, frozen: contact policies, gaps, pairs of offers, exclusive rights, capacities, quiet hours."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import log
from types import SimpleNamespace

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef
from django.db.models.functions import JSONObject

from apps.channels.models import ChannelAccount
from apps.core.bundles import Bundle

from ..models import Capacity, ChannelWeight, ContactPolicy, Embargo, Exclusivity, MinimumGap, OfferPairing, QuietHours

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

    @property
    def terms(self) -> tuple:
        """All of it as one key."""
        return (
            self.id, self.name, self.limit, self.window, self.channels, self.department_id, self.counts_service, self.grouping,
            tuple(sorted(self.weights.items())),
        )


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


# A warm-up that nobody has ended grows beyond every number (a logarithm) and then is no bound any more.
LONG_GROWN, MOST_A_DAY = 50.0, 2**31 - 1


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
        days, factor = (day - self.starts_on).days, 1 + self.growth_percent / 100
        grown = self.per_day * factor**days if days * log(factor) < LONG_GROWN else MOST_A_DAY if self.per_day else 0
        return min(int(grown), MOST_A_DAY)


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

    def concerns(self, channel: str, purpose_class: str, department_id: int) -> bool:
        """Whether messages of this kind keep them. Safety keeps none, service those that name it."""
        if self.channels and channel not in self.channels:
            return False
        return self.department_id in (None, department_id) and (
            self.includes_service if purpose_class == "service" else purpose_class != "safety"
        )

    def holds(self, local: datetime) -> bool:
        """Whether the wall clock ``local`` lies in it. A period over midnight belongs to the day on which it begins."""
        return self.until(local) is not None

    def until(self, local: datetime) -> datetime | None:
        """The wall clock at which the period ends in which ``local`` lies; None when it lies in none."""
        clock = local.replace(tzinfo=None)
        ends = (self._from(clock.date() - timedelta(days=back), clock) for back in (0, 1))
        return max((end for end in ends if end is not None), default=None)

    def _from(self, day: date, clock: datetime) -> datetime | None:
        if self.weekdays and day.isoweekday() not in self.weekdays:
            return None
        last = day if self.ends > self.begins else day + timedelta(days=1)
        end = datetime.combine(last, self.ends)
        return end if datetime.combine(day, self.begins) <= clock < end else None


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


POLICIES = ContactPolicy.objects.filter(is_active=True).values(
    "id", "name", "limit", "hours", "channels", "department_id", "counts_service", "grouping",
    weighs=ArraySubquery(
        ChannelWeight.objects.filter(policy=OuterRef("pk")).values(one=JSONObject(channel="channel", weight="weight"))
    ),
)
GAPS = MinimumGap.objects.filter(is_active=True).values("id", "name", "hours", "channels", "department_id")
PAIRINGS = OfferPairing.objects.filter(is_active=True).values(
    "id", "name", "kind", "days", "first_offer_id", "second_offer_id",
    first_path=F("first_category__path"), second_path=F("second_category__path"),
)
EXCLUSIVITIES = Exclusivity.objects.filter(is_active=True).values(
    "id", "name", "starts_on", "ends_on", "brand", "product_id", "surface_id", "department_id", "campaign_id",
    product_path=F("product__category__path"), path=F("category__path"),
)
CAPACITIES = Capacity.objects.filter(is_active=True).values(
    "id", "name", "channel", "account_id", "starts_on", "ends_on", "weekdays", "per_day", "growth_percent", "is_hard"
)
ACCOUNTS = ChannelAccount.objects.filter(is_active=True, is_elsewhere=False).values("id", "name", "channel", "rate", "daily_capacity")
EMBARGOES = Embargo.objects.filter(is_active=True).values(
    "id", "name", "lifts_at", "brand", "product_id", product_path=F("product__category__path"), path=F("category__path")
)
QUIET = QuietHours.objects.filter(is_active=True).values(
    "id", "name", "begins", "ends", "weekdays", "channels", "countries", "department_id", "includes_service", "is_law"
)
ALL = Bundle(
    policies=POLICIES, gaps=GAPS, pairings=PAIRINGS, exclusivities=EXCLUSIVITIES, capacities=CAPACITIES, accounts=ACCOUNTS,
    embargoes=EMBARGOES, quiet=QUIET,
)
LIMITS = Bundle(policies=POLICIES, gaps=GAPS)


def load() -> Circumstances:
    """What is in force, in one query."""
    rows = ALL.read()
    return Circumstances(
        policies=tuple(_policy(row) for row in rows["policies"]), gaps=tuple(_gap(row) for row in rows["gaps"]),
        pairings=tuple(_pairing(row) for row in rows["pairings"]),
        exclusivities=tuple(_exclusivity(row) for row in rows["exclusivities"]),
        capacities=(*(_capacity(row) for row in rows["capacities"]), *(_account(row) for row in rows["accounts"])),
        embargoes=tuple(_embargo(row) for row in rows["embargoes"]),
        quiet=tuple(_quiet(row) for row in rows["quiet"]),
    )


def limits() -> tuple[tuple[PlannedPolicy, ...], tuple[PlannedGap, ...]]:
    """The contact policies and the minimum gaps in force, in one query."""
    rows = LIMITS.read()
    return tuple(_policy(row) for row in rows["policies"]), tuple(_gap(row) for row in rows["gaps"])


def quiet() -> tuple[PlannedQuiet, ...]:
    """The quiet hours in force."""
    return tuple(_quiet(SimpleNamespace(**row)) for row in QUIET.all())


def capacities() -> tuple[PlannedCapacity, ...]:
    """The capacity lines in force, without what the accounts themselves let through."""
    return tuple(_capacity(SimpleNamespace(**row)) for row in CAPACITIES.order_by("pk"))


def _policy(row: SimpleNamespace) -> PlannedPolicy:
    return PlannedPolicy(
        id=row.id, name=row.name, limit=row.limit, window=timedelta(hours=row.hours), channels=tuple(row.channels),
        department_id=row.department_id, counts_service=row.counts_service, grouping=row.grouping,
        weights={each["channel"]: each["weight"] for each in row.weighs},
    )


def _gap(row: SimpleNamespace) -> PlannedGap:
    return PlannedGap(row.id, row.name, timedelta(hours=row.hours), tuple(row.channels), row.department_id)


def _pairing(row: SimpleNamespace) -> PlannedPairing:
    return PlannedPairing(
        row.id, row.name, row.kind, OfferSide(row.first_offer_id, row.first_path or ""),
        OfferSide(row.second_offer_id, row.second_path or ""), row.days,
    )


def _exclusivity(row: SimpleNamespace) -> PlannedExclusivity:
    return PlannedExclusivity(
        id=row.id, name=row.name, starts_on=row.starts_on, ends_on=row.ends_on, brand=row.brand, product_id=row.product_id,
        product_path=row.product_path or "", path=row.path or "", account_id=row.surface_id, department_id=row.department_id,
        campaign_id=row.campaign_id,
    )


def _account(row: SimpleNamespace) -> PlannedCapacity:
    """What an account that we send with lets through in a day: its messages per day, or a day at its rate."""
    return PlannedCapacity(
        id=0, name=row.name, channel=row.channel, account_id=row.id, starts_on=date.min, ends_on=None, weekdays=(),
        per_day=min(int(row.rate * SECONDS_A_DAY), row.daily_capacity if row.daily_capacity is not None else sys.maxsize),
    )


def _capacity(row: SimpleNamespace) -> PlannedCapacity:
    return PlannedCapacity(
        id=row.id, name=row.name, channel=row.channel, account_id=row.account_id, starts_on=row.starts_on,
        ends_on=row.ends_on, weekdays=tuple(row.weekdays), per_day=row.per_day, growth_percent=row.growth_percent,
        is_hard=row.is_hard,
    )


def _embargo(row: SimpleNamespace) -> PlannedEmbargo:
    return PlannedEmbargo(
        row.id, row.name, row.lifts_at, row.brand, row.product_id, row.product_path or "", row.path or ""
    )


def _quiet(row: SimpleNamespace) -> PlannedQuiet:
    return PlannedQuiet(
        id=row.id, name=row.name, begins=row.begins, ends=row.ends, weekdays=tuple(row.weekdays),
        channels=tuple(row.channels), countries=tuple(code.upper() for code in row.countries), department_id=row.department_id,
        includes_service=row.includes_service, is_law=row.is_law,
    )
