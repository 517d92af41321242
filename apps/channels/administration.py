"""Setting up accounts: what an administrator decides about a provider. Credentials go in and never come out again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import User
from apps.core import crypto

from . import registry
from .adapters.base import AdapterError
from .models import ChannelAccount

FIELDS = (
    "name",
    "department",
    "is_active",
    "sender_name",
    "sender_address",
    "rate",
    "daily_capacity",
    "time_zone",
    "unit_cost",
    "currency",
)


def credential_names(account: ChannelAccount) -> set[str]:
    """Which credentials are stored (their names only)."""
    return {name for name, value in crypto.decrypt(account.credentials or b"").items() if value}


@transaction.atomic
def save_account(
    *,
    account: ChannelAccount,
    values: Mapping[str, Any],
    options: Mapping[str, Any],
    credentials: Mapping[str, str],
    actor: User,
    now: datetime,
) -> ChannelAccount:
    """Makes or changes an account. A credential that is empty keeps what is stored; the audit holds names only."""
    before = _facts(account) if account.pk else {}
    for name in FIELDS:
        if name in values:
            setattr(account, name, values[name])
    account.options = {**account.options, **{k: v for k, v in options.items() if v not in (None, "")}}
    for name, value in options.items():
        if value in (None, ""):
            account.options.pop(name, None)
    given = {name: value for name, value in credentials.items() if value}
    if given:
        account.credentials = crypto.encrypt({**crypto.decrypt(account.credentials or b""), **given})
    if not account.pk:
        account.created_at = now
        account.is_sandbox = registry.adapter_class(account.adapter).sandbox
    account.save()
    old, new = audit.changes(before, _facts(account))
    if given:
        new["credentials"] = sorted(given)
    action = "channel_account.changed" if before else "channel_account.made"
    audit.record(
        actor=actor, action=action, subject=account, department=account.department, before=old, after=new, now=now
    )
    return account


def test_connection(*, account: ChannelAccount, actor: User, now: datetime) -> tuple[bool, str]:
    """Really speaks with the provider, sending nothing: whether it went well, and words about it."""
    try:
        words, fine = registry.adapter_for(account).test_connection(), True
    except AdapterError as problem:
        words, fine = problem.message, False
        ChannelAccount.objects.filter(pk=account.pk).update(last_error=words[:500], last_error_at=now)
    audit.record(actor=actor, action="channel_account.tested", subject=account, after={"fine": fine}, now=now)
    return fine, words


def _facts(account: ChannelAccount) -> dict[str, Any]:
    facts = {name: getattr(account, name) for name in FIELDS if name != "department"}
    facts["rate"], facts["unit_cost"] = str(account.rate), str(account.unit_cost)
    return {**facts, "department": account.department_id, "options": dict(account.options)}
