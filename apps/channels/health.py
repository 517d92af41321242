"""How providers are doing: what they said hour by hour, and the picture of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _

from .adapters.base import Outcome, Receipt
from .models import AccountHour, ChannelAccount, ContactEvent, EventKind

_NOTE = """
insert into channels_accounthour (account_id, hour, accepted, rejected, retry, unknown)
values (%(id)s, date_trunc('hour', %(now)s::timestamptz), %(accepted)s, %(rejected)s, %(retry)s, %(unknown)s)
on conflict (account_id, hour) do update set accepted = channels_accounthour.accepted + excluded.accepted,
    rejected = channels_accounthour.rejected + excluded.rejected, retry = channels_accounthour.retry + excluded.retry,
    unknown = channels_accounthour.unknown + excluded.unknown
"""
_DAY = timedelta(hours=24)
_BAD_BOUNCE_SHARE = 0.05
_WORTH_JUDGING = 20
_STATES = {
    "well": ("ok", _("Well")),
    "strained": ("paused", _("Look at it")),
    "problem": ("failed", _("Out of order")),
    "quiet": ("obsolete", _("Quiet")),
    "off": ("cancelled", _("Out of use")),
    "elsewhere": ("obsolete", _("Sent elsewhere")),
}


def note(account_id: int, receipts: Iterable[Receipt], *, now: datetime) -> None:
    """Adds what a provider said to the account's hour, and remembers the last thing that went wrong.

    Whoever was refused before the hand-over counts for nothing here: the provider never heard of them.
    """
    said: Counter[str] = Counter()
    problem = ""
    for receipt in receipts:
        if receipt.by_us:
            continue
        said[receipt.outcome.value] += 1
        if receipt.outcome in (Outcome.RETRY, Outcome.UNKNOWN):
            problem = f"{receipt.code} {receipt.detail}".strip()
    if said:
        values = {outcome.value: said[outcome.value] for outcome in Outcome}
        with connection.cursor() as cursor:
            cursor.execute(_NOTE, {"id": account_id, "now": now, **values})
    if problem:
        ChannelAccount.objects.filter(pk=account_id).update(last_error=problem[:500], last_error_at=now)


@dataclass
class Health:
    """The last 24 hours of one account. Shares are of one; None where there was nothing to judge."""

    account: ChannelAccount
    accepted: int = 0
    rejected: int = 0
    retry: int = 0
    unknown: int = 0
    events: dict[str, int] = field(default_factory=dict)
    hours: list[int] = field(default_factory=list)

    @property
    def bounced(self) -> int:
        """Refused at once, and reported as undeliverable later."""
        return self.rejected + self.events.get(EventKind.BOUNCED, 0) + self.events.get(EventKind.FAILED, 0)

    @property
    def bounce_share(self) -> float | None:
        tried = self.accepted + self.rejected
        return min(1.0, self.bounced / tried) if tried else None

    @property
    def capacity_share(self) -> float | None:
        """How much of the day's capacity is used."""
        capacity = self.account.daily_capacity
        return self.accepted / capacity if capacity else None

    @property
    def words(self) -> Any:
        """The state in words."""
        return _STATES[self.state][1]

    @property
    def badge(self) -> str:
        """The code that draws the state."""
        return _STATES[self.state][0]

    @property
    def bars(self) -> list[tuple[int, int, int]]:
        """The hours as bars of a drawing 24 high: x, y, height."""
        most = max([*self.hours, 1])
        heights = [max(1, round(24 * n / most)) if n else 0 for n in self.hours]
        return [(4 * i, 24 - height, height) for i, height in enumerate(heights)]

    @property
    def state(self) -> str:
        """off, elsewhere, problem, strained, quiet or well."""
        if self.account.is_elsewhere:
            return "elsewhere"
        if not self.account.is_active:
            return "off"
        share, tried = self.bounce_share or 0.0, self.accepted + self.rejected
        if self.retry + self.unknown > self.accepted + self.rejected or (self.retry and not tried):
            return "problem"
        if (tried >= _WORTH_JUDGING and share > _BAD_BOUNCE_SHARE) or self.unknown:
            return "strained"
        return "well" if tried else "quiet"


def of_all(accounts: Iterable[ChannelAccount], *, now: datetime) -> list[Health]:
    """The health of these accounts, in three queries."""
    found = {account.pk: Health(account) for account in accounts}
    since = now - _DAY
    hours = AccountHour.objects.filter(account__in=found, hour__gt=since - timedelta(hours=1))
    sums = hours.values("account").annotate(**{o.value: Sum(o.value) for o in Outcome})
    for account, *said in sums.values_list("account", *[o.value for o in Outcome]):
        health = found[account]
        health.accepted, health.rejected, health.retry, health.unknown = (n or 0 for n in said)
    told = ContactEvent.objects.filter(account__in=found, at__gt=since).values("account", "kind")
    for row in told.annotate(n=Count("pk", filter=Q(machine=False))):
        found[row["account"]].events[row["kind"]] = row["n"]
    _hour_by_hour(found, hours, now)
    return list(found.values())


def _hour_by_hour(found: dict[int, Health], hours: Any, now: datetime) -> None:
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    for health in found.values():
        health.hours = [0] * 24
    for row in hours:
        ago = int((this_hour - row.hour).total_seconds() // 3600)
        if 0 <= ago < 24:
            found[row.account_id].hours[23 - ago] = row.accepted
