"""A line for one colleague: something waits for them, or has happened to what is theirs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import Notification, Role, User

MAX_TEXT = 300
MAX_NAME = 120


def notify(
    *, user: User, code: str, text: str, params: Mapping[str, Any] | None = None, url: str = "", now: datetime
) -> Notification:
    """Adds a line, unless the same unread line (code and address) waits already: that one is brought up to date.

    ``text`` is an English sentence of the catalogues (``gettext_noop``) with ``%(name)s`` for each of ``params``: text,
    whole numbers, lists of names. It is translated for whoever reads it.
    """
    values: dict[str, Any] = {"text": text[:MAX_TEXT], "params": {name: _plain(value) for name, value in (params or {}).items()}}
    waiting = Notification.objects.filter(user=user, code=code, url=url, read_at=None).first()
    if waiting is None:
        return Notification.objects.create(user=user, code=code, url=url, created_at=now, **values)
    waiting.text, waiting.params, waiting.created_at = values["text"], values["params"], now
    waiting.save(update_fields=["text", "params", "created_at"])
    return waiting


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if isinstance(value, int) else str(value)[:MAX_NAME]


def notify_leads(
    *, departments: Iterable[int], code: str, text: str, params: Mapping[str, Any] | None = None, url: str = "",
    now: datetime,
) -> None:  # fmt: skip
    """The same line to the leads of these departments."""
    for lead in User.objects.filter(role=Role.LEAD, department_id__in=set(departments), is_active=True):
        notify(user=lead, code=code, text=text, params=params, url=url, now=now)


def unread(user: User) -> QuerySet[Notification]:
    return Notification.objects.filter(user=user, read_at=None)


def mark_read(*, user: User, ids: Iterable[int] | None = None, now: datetime) -> int:
    """Marks the user's own lines as read, all of them without `ids`; returns how many."""
    lines = unread(user)
    return (lines if ids is None else lines.filter(pk__in=list(ids))).update(read_at=now)
