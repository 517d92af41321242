"""When a lead does not answer: some hours before the time to decide by, deputies and administrators hear of it, once.

From then on an administrator may sign for the department that is missing; what nobody decides even so is decided by the
installation's policy (defaults.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from apps.accounts import audit, deputies, notifications
from apps.accounts.models import Department, Role, User

from .. import webhooks
from ..models import Conflict
from ..models.conflicts import ResolutionState, Severity
from . import agree, news, pairs, parameters
from .writing import UNDECIDED

# What was due longer ago than this is nobody's emergency any more.
STALE = timedelta(days=7)


def due(now: datetime) -> QuerySet[Conflict]:
    """Undecided conflicts of weight whose time to decide by is near, of which nobody was told yet."""
    limit = timedelta(hours=parameters.in_force().escalate_hours)
    return Conflict.objects.filter(
        state__in=UNDECIDED, severity__gte=Severity.MEDIUM, escalated_at=None, defaulted_at=None,
        decide_by__lte=now + limit, decide_by__gt=now - STALE, people_count__gt=0,
    )


def escalate(*, now: datetime) -> int:
    """Tells of every pair that is due, once, also when several workers ask. Returns how many pairs."""
    pks = list(due(now).order_by("-severity", "-people_count", "pk").values_list("pk", flat=True))
    return sum(_escalate(pk, now) for pk in pks)


@transaction.atomic
def _escalate(pk: int, now: datetime) -> bool:
    rows = due(now).filter(pk=pk).select_for_update(skip_locked=True, of=("self",)).defer("people_both")
    conflict = rows.select_related("first_campaign", "second_campaign").first()
    if conflict is None:
        return False
    missing = unanswered(conflict)
    pairs.rows(conflict).filter(state__in=UNDECIDED).update(escalated_at=now)
    if not missing:
        return False
    audit.record(actor=None, action="conflict.escalated", subject=conflict, after={"departments": sorted(missing)}, now=now)
    _tell(conflict, missing, now)
    webhooks.tell(webhooks.ESCALATED, [conflict], now=now)
    return True


def unanswered(conflict: Conflict) -> set[int]:
    """The departments that have not signed (or refused) any way out that is still proposed."""
    answered = pairs.resolutions(conflict).filter(state=ResolutionState.PROPOSED).values_list("signatures__department", flat=True)
    return set(agree.departments(conflict)) - {pk for pk in answered if pk}


def _tell(conflict: Conflict, missing: set[int], now: datetime) -> None:
    leads = User.objects.filter(role=Role.LEAD, department__in=missing, is_active=True)
    administrators = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True)
    names = list(Department.objects.filter(pk__in=missing).values_list("name", flat=True))
    sides = [side.name for side in (conflict.first_campaign, conflict.second_campaign) if side]
    for user in {*leads, *administrators, *deputies.of_departments(missing, now=now)}:
        notifications.notify(
            user=user, code="conflict.escalated",
            text=gettext_noop("Nobody has answered for %(departments)s: %(campaigns)s (%(people)s people)"),
            params={"departments": names, "campaigns": sides, "people": conflict.people_count or 0},
            url=news.address(conflict), now=now,
        )  # fmt: skip
