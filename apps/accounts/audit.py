"""The one append-only trail: who did what to what, when, before and after. Ids and codes only, no personal data."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet

from apps.accounts.models import AuditEvent, Department, User


def record(
    *,
    actor: User | None,
    action: str,
    subject: Model,
    department: Department | int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    now: datetime,
) -> AuditEvent:
    """Adds one line. `action` is a code such as "campaign.approved"; without an actor Concord itself acted.

    A program's line names whoever made its token, and the token.
    """
    if token := getattr(actor, "token", None):
        after = {**(after or {}), "api_token": token.pk}
    return AuditEvent.objects.create(
        at=now,
        actor=actor if actor is not None and actor.pk else None,
        action=action,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk or ""),
        department_id=department.pk if isinstance(department, Department) else department,
        before=_plain(before),
        after=_plain(after),
    )


def record_many(lines: Iterable[tuple[str, Model, dict[str, Any] | None]], *, now: datetime) -> None:
    """Adds many lines about what Concord itself did, in one go: action, subject, and what holds after it."""
    AuditEvent.objects.bulk_create(
        AuditEvent(at=now, action=action, subject_type=subject._meta.label_lower, subject_id=str(subject.pk), after=_plain(after))
        for action, subject, after in lines
    )


def opened_people(*, actor: User, subject: Model, count: int, where: str, now: datetime) -> AuditEvent:
    """Logs that somebody looked at people: how many of what (a segment, a run, one customer), on which page."""
    return record(actor=actor, action="people.opened", subject=subject, after={"count": count, "where": where}, now=now)


def history(subject: Model) -> QuerySet[AuditEvent]:
    """What happened to one thing, newest first."""
    lines = AuditEvent.objects.filter(subject_type=subject._meta.label_lower, subject_id=str(subject.pk))
    return lines.select_related("actor", "department")


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Only the fields that differ, of both sides: what a record of a change should hold."""
    differing = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before.get(key) for key in differing}, {key: after.get(key) for key in differing}


def _plain(values: dict[str, Any] | None) -> Any:
    """Dates, decimals and lazy words in the form that JSON has for them."""
    return None if values is None else json.loads(json.dumps(values, cls=DjangoJSONEncoder))
