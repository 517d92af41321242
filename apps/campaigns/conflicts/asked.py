"""A proposal as a page shows it to one reader: who signed, who is missing, what the reader may do with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import Department, Role, User

from ..models import Resolution
from ..models.conflicts import ResolutionState
from . import agree


def rows(found: QuerySet[Resolution]) -> QuerySet[Resolution]:
    """The proposals with everything that ``item`` looks at, in a fixed number of queries."""
    found = found.select_related("proposed_by", "ended_by", "conflict", "campaign__department").prefetch_related(
        "signatures__user", "signatures__department", "needs_departments"
    )
    return found.defer("conflict__people_both")


def item(row: Resolution, label: str, *, user: User, now: datetime) -> dict[str, Any]:
    """One proposal with its words, its signatures and what the reader may do with it."""
    is_open = row.state == ResolutionState.PROPOSED
    return {
        "row": row, "label": label, "may_sign": is_open and agree.may_sign(user, row, now=now),
        "may_withdraw": is_open and row.proposed_by_id == user.pk, "missing": missing(row), "signs_for": _signs_for(row, user, now),
        "may_end": agree.may_end(user, row), "is_default": row.proposed_by_id is None,
    }


def missing(row: Resolution) -> list[str]:
    """The departments that have not signed yet."""
    signed = {signature.department_id for signature in row.signatures.all()}
    return [department.name for department in row.needs_departments.all() if department.pk not in signed]


def _signs_for(row: Resolution, user: User, now: datetime) -> Department | None:
    """The department that the reader would sign for in somebody's place; None for a lead's own."""
    pk = agree.signing_for(user, row, now=now)
    if pk is None or (pk == user.department_id and user.role == Role.LEAD):
        return None
    return next(department for department in row.needs_departments.all() if department.pk == pk)
