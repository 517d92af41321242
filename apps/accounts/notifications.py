"""A line for one colleague: something waits for them, or has happened to what is theirs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Mailing, Notification, NotificationChoice, Role, User

MAX_TEXT = 300
MAX_NAME = 120

# Kinds of news that a colleague chooses about, with how the codes of their lines begin.
KINDS = {
    "approval": (_("Approvals: asked of you, and answers to yours"), ("approval.",)),
    "proposal": (_("Ways out of conflicts: proposed to you, and answers to yours"), ("resolution.",)),
    "found": (_("Conflicts found or open again"), ("conflict.found", "conflict.reopened", "conflict.many")),
    "escalated": (_("Conflicts that nobody answered in time"), ("conflict.escalated", "conflict.defaulted")),
    "mention": (_("Somebody names you in a remark, or hands you a conflict"), ("conflict.mentioned", "conflict.owner")),
    "comment": (_("Remarks about conflicts of yours"), ("conflict.comment",)),
    "other": (_("Everything else"), ("",)),
}


def kind_of(code: str) -> str:
    """The kind of news a line's code belongs to."""
    return next(kind for kind, (_words, starts) in KINDS.items() if code.startswith(starts))


def choice(user: User, kind: str) -> NotificationChoice:
    """How this person wants to hear of it: their choice, else in the app and in the daily e-mail."""
    found = NotificationChoice.objects.filter(user=user, code=kind).first()
    return found or NotificationChoice(user=user, code=kind)


def language_of(user: User) -> str:
    """The language a colleague reads."""
    return user.language if user.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def notify(
    *, user: User, code: str, text: str, params: Mapping[str, Any] | None = None, url: str = "", now: datetime
) -> Notification | None:
    """Adds a line, unless the same unread line (code and address) waits already: that one is brought up to date.

    ``text`` is an English sentence of the catalogues (``gettext_noop``) with ``%(name)s`` for each of ``params``: text,
    whole numbers, lists of names. It is translated for whoever reads it. None when the reader wants no such news.
    """
    wanted = choice(user, kind_of(code))
    if not wanted.in_app and wanted.by_email == Mailing.NONE:
        return None
    values: dict[str, Any] = {"text": text[:MAX_TEXT], "params": {name: _plain(value) for name, value in (params or {}).items()}}
    waiting = Notification.objects.filter(user=user, code=code, url=url, read_at=None).first()
    if waiting is None:
        # A line only for the e-mail counts as read at once: it never waits at the bell.
        read_at = None if wanted.in_app else now
        return Notification.objects.create(user=user, code=code, url=url, created_at=now, read_at=read_at, **values)
    waiting.text, waiting.params, waiting.created_at = values["text"], values["params"], now
    waiting.save(update_fields=["text", "params", "created_at"])
    return waiting


def choose(*, user: User, kind: str, in_app: bool, by_email: str) -> None:
    """Keeps how this person wants to hear of one kind of news."""
    if kind not in KINDS or by_email not in Mailing.values:
        raise ValueError(kind)
    NotificationChoice.objects.update_or_create(
        user=user, code=kind, defaults={"in_app": in_app, "by_email": by_email}
    )


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
