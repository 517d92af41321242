"""Letting go of what was kept long enough. How long stands in config/retention.toml, the work in each app's own rules.

A rule takes a moment and a number of rows and lets go of at most so many rows that are older. It runs in batches of one
transaction each, so that nobody waits for it, and it may be cut short: the next night goes on. Evidence that is needed as
proof (consent, approvals, agreements) has no rule here.
"""

from __future__ import annotations

import logging
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from . import audit
from .models import RetentionRun

log = logging.getLogger(__name__)

BATCH = 5_000
# of one rule in one night; what is left waits for the next
MOST_SECONDS = 600
# Second number of the advisory lock that keeps two nights apart; the first says "retention".
LOCK = (0x52455445, 1)

Act = Callable[[datetime, int], int]


@dataclass(frozen=True)
class Rule:
    """``act(before, limit)`` lets go of at most ``limit`` rows of ``table`` that are older than ``before``."""

    code: str
    table: str
    days: int
    act: Act
    batch: int = BATCH


RULES: dict[str, Rule] = {}


@lru_cache(maxsize=1)
def _declared() -> dict[str, Any]:
    return tomllib.loads((settings.BASE_DIR / "config" / "retention.toml").read_text(encoding="utf-8"))


def register(table: str, act: Act, *, batch: int = BATCH) -> None:
    """The rule of a table (``app.model``); its ``days`` are declared in config/retention.toml."""
    RULES[table] = Rule(table, table, int(_declared()[table]["days"]), act, batch)


def run(*, now: datetime) -> list[RetentionRun]:
    """Every rule once; what each let go of is kept and shown. Nothing when another night still works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK)
        if not cursor.fetchone()[0]:
            return []
    try:
        done = [_run(rule, now) for rule in RULES.values()]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", LOCK)
    if counts := {line.rule: line.count for line in done if line.count}:
        audit.record(actor=None, action="retention.ran", subject=done[-1], after=counts, now=now)
    return done


def _run(rule: Rule, now: datetime) -> RetentionRun:
    began, count, problem = time.monotonic(), 0, ""
    before = now - timedelta(days=rule.days)
    try:
        while time.monotonic() - began < MOST_SECONDS:
            with transaction.atomic():
                gone = rule.act(before, rule.batch)
            count += gone
            if gone < rule.batch:
                break
    except Exception as error:  # one rule that fails must not keep the others from their work
        log.exception("retention of %s failed", rule.table)
        problem = f"{type(error).__name__}: {error}"[:300]
    return RetentionRun.objects.create(
        rule=rule.code, table=rule.table, before=before, at=now, seconds=round(time.monotonic() - began, 3), count=count,
        problem=problem,
    )


def delete(table: str, condition: str, before: datetime, limit: int, *, append_only: bool = False) -> int:
    """Deletes at most ``limit`` rows of a database table that meet an SQL condition with one ``%s``, the moment.

    An append-only table lets go only for the length of this transaction.
    """
    with connection.cursor() as cursor:
        if append_only:
            cursor.execute("SELECT set_config('concord.allow_erasure', 'on', true)")
        cursor.execute(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {condition} LIMIT %s))",
            [before, limit],
        )
        gone = cursor.rowcount
        if append_only:
            cursor.execute("SELECT set_config('concord.allow_erasure', 'off', true)")
    return gone


def older(table: str, condition: str, *, append_only: bool = False) -> Act:
    """A rule that deletes rows by an SQL condition with one ``%s``, the moment."""
    return lambda before, limit: delete(table, condition, before, limit, append_only=append_only)


def register_own() -> None:
    """The rules of accounts and of the libraries below it."""
    register("accounts.notification", older("accounts_notification", "created_at < %s"))
    register("accounts.apitoken", older("accounts_apitoken", "revoked_at < %s"))
    register("accounts.auditevent", older("accounts_auditevent", "at < %s", append_only=True))
    register("accounts.retentionrun", older("accounts_retentionrun", "at < %s"))
    register("admin.logentry", older("django_admin_log", "action_time < %s"))
    register("account.emailconfirmation", older("account_emailconfirmation", "created < %s"))
    register("sessions.session", older("django_session", "expire_date < %s"))
    register("usersessions.usersession", older("usersessions_usersession", "last_seen_at < %s"))
