"""How fast an account may send: a token bucket in PostgreSQL, shared by all workers of all machines."""

from datetime import datetime
from decimal import Decimal

from django.db import connection

from .models import ChannelAccount

# one statement: the row lock of UPDATE is the whole mutual exclusion. A bucket holds one second's worth (at least one
# message), so an idle account never saves up a burst. A clock that went back refills nothing.
_TAKE = """
with before as (
    select id, least(greatest(rate::float8, 1),
        case when tokens_at is null then greatest(rate::float8, 1)
        else tokens + greatest(0, extract(epoch from %(now)s - tokens_at)) * rate::float8 end) as full_tokens
    from channels_channelaccount where id = %(id)s and is_active for update
), given as (
    select id, full_tokens, least(%(wanted)s::int, floor(full_tokens)::int) as n from before
)
update channels_channelaccount a
set tokens = given.full_tokens - given.n, tokens_at = greatest(coalesce(a.tokens_at, %(now)s), %(now)s)
from given where a.id = given.id
returning given.n
"""


def take(account: ChannelAccount, wanted: int, now: datetime) -> int:
    """How many of `wanted` messages may be handed over now; they are counted as handed over. 0 when out of use."""
    if wanted <= 0:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"id": account.pk, "wanted": wanted, "now": now})
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def give_back(account: ChannelAccount, unused: int) -> None:
    """Returns tokens of messages that were not handed over after all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update channels_channelaccount set tokens = least(greatest(rate::float8, 1), tokens + %s) where id = %s",
            [max(0, unused), account.pk],
        )


def seconds_for(account: ChannelAccount, messages: int) -> float:
    """How long this many messages take at the account's rate."""
    return float(Decimal(messages) / account.rate) if account.rate else float("inf")
