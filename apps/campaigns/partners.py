"""Who changes a campaign: the department that leads it and, of a joint one, those that plan it together with it.

The leading department approves it, and it goes out in that department's name. What a conflict or a what-if asks of it, its partners
sign as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from apps.accounts import access
from apps.accounts.models import Department

from .models import Campaign


def departments(*campaigns: Campaign | None) -> set[int]:
    """Whose these campaigns are: their leading departments and the partners of joint ones. No query where ``partners`` are
    fetched with them.
    """
    known = [campaign for campaign in campaigns if campaign is not None]
    return {pk for row in known for pk in (row.department_id, *(partner.pk for partner in row.partners.all()))}


def of_departments(departments: Iterable[int], side: str = "") -> Q:
    """Campaigns that are theirs, led or planned together; ``side`` is the path to the campaign, with its underscores."""
    wanted = list(departments)
    joint = Campaign.partners.through.objects.filter(department__in=wanted).values("campaign")
    return Q(**{f"{side}department__in": wanted}) | Q(**{f"{side}pk__in": joint})


def of_slug(slug: str, side: str = "") -> Q:
    """The same for one department by its short name."""
    return of_departments(Department.objects.filter(slug=slug).values_list("pk", flat=True), side)


def may_edit(user: Any, campaign: Campaign) -> bool:
    """Whether this person plans for the leading department or one of its partners."""
    if access.can_edit(user, campaign.department_id):
        return True
    own = getattr(user, "department_id", None)
    return own is not None and access.can_edit(user, own) and campaign.partners.filter(pk=own).exists()
