"""How fast and how much an account may send: a token bucket and a day's count in PostgreSQL, shared by all workers."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from apps.core import clock, zones

from .models import ChannelAccount

# one statement: the row lock of UPDATE is the whole mutual exclusion. A bucket holds one second's worth (at least one
# message), so an idle account never saves up a burst. A clock that went back refills nothing and begins no day.
_TAKE = """
with before as (
    select id, least(greatest(rate::float8, 1),
        case when tokens_at is null then greatest(rate::float8, 1)
        else tokens + greatest(0, extract(epoch from %(now)s - tokens_at)) * rate::float8 end) as full_tokens,
        case when day_ends_at > %(now)s then day_count else 0 end as used,
        case when day_ends_at > %(now)s then day_ends_at else %(day_ends_at)s end as ends_at,
        daily_capacity
    from channels_channelaccount
    where id = %(id)s and is_active and (rests_until is null or rests_until <= %(now)s) for update
), given as (
    select id, full_tokens, used, ends_at, greatest(0, least(%(wanted)s::int,
        case when %(at_rate)s then floor(full_tokens)::int else %(wanted)s::int end,
        coalesce(daily_capacity - used, %(wanted)s::int))) as n
    from before
)
update channels_channelaccount a
set tokens = given.full_tokens - case when %(at_rate)s then given.n else 0 end,
    tokens_at = greatest(coalesce(a.tokens_at, %(now)s), %(now)s),
    day_count = given.used + given.n, day_ends_at = given.ends_at
from given where a.id = given.id
returning given.n
"""
# The same for a claim that looks for work: `a` is the account.
OPEN = """
    a.is_active AND (a.rests_until IS NULL OR a.rests_until <= %(now)s)
    AND (a.daily_capacity IS NULL OR a.day_ends_at IS NULL OR a.day_ends_at <= %(now)s OR a.day_count < a.daily_capacity)
"""
# Nobody asks for more peace than this in earnest; a nonsensical answer must not stop an account for years.
LONGEST_REST = timedelta(hours=24)


def take(account: ChannelAccount, wanted: int, now: datetime, *, at_rate: bool = True) -> int:
    """How many of `wanted` messages may be handed over now; they are counted as handed over.

    0 when the account is out of use, rests, or has sent all it may on this day. `at_rate` false asks for the day only.
    """
    if wanted <= 0:
        return 0
    values: dict[str, Any] = {"id": account.pk, "wanted": wanted, "now": now, "day_ends_at": day_end(account, now), "at_rate": at_rate}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def give_back(account: ChannelAccount, unused: int, *, tokens: bool = True) -> None:
    """Returns messages that were not handed over after all; without `tokens` only to the day, not to the second."""
    if unused <= 0:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "update channels_channelaccount set tokens = least(greatest(rate::float8, 1), tokens + %s), "
            "day_count = greatest(0, day_count - %s) where id = %s",
            [unused if tokens else 0, unused, account.pk],
        )


def day_end(account: ChannelAccount, now: datetime) -> datetime:
    """When the account's present day ends, in its own zone or the company's."""
    zone = zones.zone(account.time_zone) or clock.company_zone()
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, zone).astimezone(UTC)


def left_today(account: ChannelAccount, now: datetime) -> int | None:
    """How many messages the account may still send on this day, read afresh; None without a limit."""
    account.refresh_from_db(fields=["daily_capacity", "day_count", "day_ends_at", "rests_until"])
    if account.daily_capacity is None:
        return None
    used = account.day_count if account.day_ends_at and account.day_ends_at > now else 0
    return max(0, account.daily_capacity - used)


def shut_until(account: ChannelAccount, now: datetime) -> datetime | None:
    """Until when nothing more goes out because the day is full or the provider asked for peace; None when it is open."""
    full = left_today(account, now) == 0
    moments = [account.rests_until] if account.rests_until and account.rests_until > now else []
    return max([*moments, *([account.day_ends_at or day_end(account, now)] if full else [])], default=None)


def rest(account_id: int, seconds: float, now: datetime) -> None:
    """Lets the account rest as long as its provider asked (Retry-After, RFC 9110 10.2.3), at most a day."""
    until = now + min(timedelta(seconds=max(0.0, seconds)), LONGEST_REST)
    with connection.cursor() as cursor:
        cursor.execute(
            "update channels_channelaccount set rests_until = greatest(coalesce(rests_until, %s), %s) where id = %s",
            [until, until, account_id],
        )


def seconds_for(account: ChannelAccount, messages: int) -> float:
    """How long this many messages take at the account's rate."""
    return float(Decimal(messages) / account.rate) if account.rate else float("inf")
