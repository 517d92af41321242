"""Who decides and signs for a lead who is away: named by the lead, from a day to a day, both included.

A deputy may do what the lead may, except for what they asked for themselves: four eyes stay four eyes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.core import clock

from . import audit
from .models import Deputy, Role, User
from .notifications import notify

LONGEST = timedelta(days=366)


def in_force(*, now: datetime) -> QuerySet[Deputy]:
    """Those that hold on the company's day of ``now``."""
    today = clock.company_day(now)
    return Deputy.objects.filter(
        starts_on__lte=today, ends_on__gte=today, user__role=Role.LEAD, user__is_active=True, deputy__is_active=True
    ).exclude(deputy__role=Role.AGENT)


def departments(user: Any, *, now: datetime) -> set[int]:
    """The departments whose lead this person stands in for."""
    if not isinstance(user, User) or not user.pk:
        return set()
    rows = in_force(now=now).filter(deputy=user.pk)
    return set(rows.exclude(user__department=None).values_list("user__department", flat=True))


def of_departments(ids: Iterable[int], *, now: datetime) -> list[User]:
    """The deputies of these departments' leads."""
    standing = in_force(now=now).filter(user__department__in=set(ids))
    return list(User.objects.filter(pk__in=standing.values("deputy")))


def signed_as(user: User, department_id: int | None, *, now: datetime) -> dict[str, Any]:
    """What the audit trail adds to a deputy's deed: ``for`` whom it was done. Empty for the lead's own."""
    if user.role == Role.LEAD and user.department_id == department_id:
        return {}
    row = in_force(now=now).filter(deputy=user.pk or 0, user__department=department_id).first()
    return {"for": row.user_id} if row else {}


def name_deputy(*, actor: User, deputy: User, starts_on: date, ends_on: date, now: datetime) -> Deputy:
    """The lead ``actor`` names a colleague. Raises ValidationError in words."""
    if actor.role != Role.LEAD:
        raise PermissionDenied(_("Only leads name a deputy."))
    today = clock.company_day(now)
    if deputy.pk == actor.pk or not deputy.is_active or deputy.role == Role.AGENT:
        raise ValidationError({"deputy": _("Choose a colleague who plans.")})
    if not today <= ends_on <= today + LONGEST or ends_on < starts_on:
        raise ValidationError({"ends_on": _("Choose a last day from the first day to a year ahead.")})
    row = Deputy.objects.create(user=actor, deputy=deputy, starts_on=starts_on, ends_on=ends_on, created_at=now)
    audit.record(
        actor=actor, action="deputy.named", subject=row, department=actor.department_id,
        after={"deputy": deputy.pk, "starts_on": starts_on, "ends_on": ends_on}, now=now,
    )
    notify(
        user=deputy, code="deputy.named", text=gettext_noop("You stand in for %(who)s"), params={"who": actor},
        url="/profile/", now=now,
    )
    return row


def end(*, actor: User, row: Deputy, now: datetime) -> None:
    """Ends it at once; one that has begun stays on record until yesterday."""
    if row.user_id != actor.pk:
        raise PermissionDenied(_("Only the lead ends it."))
    yesterday = clock.company_day(now) - timedelta(days=1)
    audit.record(actor=actor, action="deputy.ended", subject=row, department=actor.department_id, now=now)
    if row.starts_on > yesterday:
        row.delete()
    elif row.ends_on > yesterday:
        row.ends_on = yesterday
        row.save(update_fields=["ends_on"])
