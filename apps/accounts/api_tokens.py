"""API tokens: made once, shown once, kept only as SHA-256; scoped to a department and to actions."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.utils.translation import gettext_lazy as _

from .audit import record
from .models import ApiToken, Department, User

ACTIONS = {
    "customers.read": _("read customers, names and addresses masked"),
    "people.read": _("read names and addresses in clear"),
    "interactions.write": _("send in interactions"),
    "segments.read": _("read audiences"),
    "segments.write": _("draft audiences of its department"),
    "campaigns.read": _("read campaigns, messages and conflicts"),
    "campaigns.write": _("draft campaigns, messages, words and offers of its department"),
    "programmes.write": _("make and change programmes, as a lead would"),
    "conflicts.comment": _("write remarks about conflicts"),
    "conflicts.propose": _("propose ways out of conflicts of its department"),
    "conflicts.sign": _("sign ways out for its department, as its lead would"),
    "contacts.write": _("tell contacts that another tool of its department made"),
    "permissions.write": _("ask whether people may be contacted, and hold their places"),
    "deliveries.read": _("read the ledger of deliveries"),
    "consent.read": _("read consents"),
    "consent.write": _("record a person's yes or no"),
}
PREFIX = "concord_"
TOUCH_EVERY = timedelta(minutes=1)


class UnknownAction(ValueError):
    """A token was asked for an action that does not exist."""


def issue(
    *, name: str, actions: list[str], department: Department | None, by: User, now: datetime,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is not kept and cannot be shown again."""
    if unknown := set(actions) - set(ACTIONS):
        raise UnknownAction(", ".join(sorted(unknown)))
    secret = PREFIX + token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name, prefix=secret[:12], digest=digest(secret), department=department, actions=sorted(actions),
        created_by=by, created_at=now, expires_at=expires_at,
    )
    record(actor=by, action="api_token.issued", subject=token, department=department, after={"actions": actions}, now=now)
    return token, secret


def revoke(token: ApiToken, *, by: User, now: datetime) -> None:
    """Ends a token at once. Doing it twice is harmless."""
    if token.revoked_at is None:
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        record(actor=by, action="api_token.revoked", subject=token, department=token.department, now=now)


def find(secret: str, *, now: datetime) -> ApiToken | None:
    """The living token behind a secret, its last use noted at most once a minute; None when there is none."""
    token = ApiToken.objects.filter(digest=digest(secret), revoked_at=None).select_related("department").first()
    if token is None or (token.expires_at and token.expires_at <= now):
        return None
    if token.last_used_at is None or now - token.last_used_at > TOUCH_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def digest(secret: str) -> str:
    """SHA-256 of a token. A token has 256 random bits, so no slow hash is needed."""
    return sha256(secret.encode()).hexdigest()
