"""A line for one colleague: something waits for them, or has happened to what is theirs."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from apps.accounts.models import Notification, Role, User

MAX_TEXT = 300


def notify(*, user: User, code: str, text: str, url: str = "", now: datetime) -> Notification:
    """Adds a line, unless the same unread line (code and address) waits already: that one is brought up to date."""
    text = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    waiting = Notification.objects.filter(user=user, code=code, url=url, read_at=None).first()
    if waiting is None:
        return Notification.objects.create(user=user, code=code, text=text, url=url, created_at=now)
    waiting.text, waiting.created_at = text, now
    waiting.save(update_fields=["text", "created_at"])
    return waiting


def notify_leads(*, departments: Iterable[int], code: str, text: str, url: str = "", now: datetime) -> None:
    """The same line to the leads of these departments."""
    for lead in User.objects.filter(role=Role.LEAD, department_id__in=set(departments), is_active=True):
        notify(user=lead, code=code, text=text, url=url, now=now)


def unread(user: User) -> QuerySet[Notification]:
    return Notification.objects.filter(user=user, read_at=None)


def mark_read(*, user: User, ids: Iterable[int] | None = None, now: datetime) -> int:
    """Marks the user's own lines as read, all of them without `ids`; returns how many."""
    lines = unread(user)
    return (lines if ids is None else lines.filter(pk__in=list(ids))).update(read_at=now)
