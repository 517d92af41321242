"""Tells leads of conflicts that are theirs to decide."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_noop

from apps.accounts import notifications

from .. import partners
from ..models import Campaign, Conflict
from ..models.conflicts import Severity
from .writing import Written

MOST_LINES = 5


def tell(written: Written, *, now: datetime) -> None:
    """A line to the leads of the departments of every new or re-opened conflict that is high or blocks; of many at once
    one line for all of them.
    """
    news = [(row, "conflict.found") for row in written.appeared] + [(row, "conflict.reopened") for row in written.reopened]
    news = [(row, code) for row, code in news if row.severity >= Severity.HIGH]
    ids = {pk for row, _code in news for pk in (row.first_campaign_id, row.second_campaign_id) if pk}
    campaigns = Campaign.objects.prefetch_related("partners").in_bulk(ids)
    if len(news) > MOST_LINES:
        notifications.notify_leads(
            departments=partners.departments(*campaigns.values()), code="conflict.many",
            text=gettext_noop("%(n)s conflicts found"), params={"n": len(news)}, url=reverse("campaigns:conflicts"), now=now,
        )
        return
    for row, code in news:
        sides = [campaigns[pk] for pk in (row.first_campaign_id, row.second_campaign_id) if pk in campaigns]
        notifications.notify_leads(
            departments=partners.departments(*sides), code=code,
            text=_SENTENCES[code], params={"campaigns": [campaign.name for campaign in sides], "people": row.people_count or 0},
            url=address(row), now=now,
        )


def names(conflict: Conflict) -> list[str]:
    """What its campaigns are called."""
    return [side.name for side in (conflict.first_campaign, conflict.second_campaign) if side]


def address(conflict: Conflict) -> str:
    """Where a conflict is read and decided."""
    return reverse("campaigns:conflict", args=[conflict.pk])


_SENTENCES = {
    "conflict.found": gettext_noop("Conflict found: %(campaigns)s (%(people)s people)"),
    "conflict.reopened": gettext_noop("Conflict open again: %(campaigns)s (%(people)s people)"),
}
