"""The figures of the consent page: who allows what, on which channel, counted as people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse

from apps.channels.kinds import Channel
from apps.customers.models import Customer

from . import purposes
from .models import ConsentEvent, Purpose, Suppression, Wording

COLUMNS = (Channel.EMAIL, Channel.SMS, Channel.CALL, Channel.LETTER, Channel.PUSH)


@dataclass(frozen=True)
class Cell:
    """People who said yes and people who said no, with the addresses of their lists."""

    yes: int
    no: int
    yes_url: str
    no_url: str


@dataclass(frozen=True)
class Row:
    """One topic over all channels."""

    purpose: Purpose
    name: str
    cells: list[Cell]


# What living people said, counting all their ids: a no under one id holds for the person, as it does when sending.
# Nearly everybody has one id, so only the few who merged are folded.
_SAID = """
WITH RECURSIVE climb AS (
    SELECT id, merged_into_id AS top FROM customers_customer WHERE merged_into_id IS NOT NULL
    UNION ALL
    SELECT c.id, p.merged_into_id FROM climb c JOIN customers_customer p ON p.id = c.top WHERE p.merged_into_id IS NOT NULL
),
alias AS (
    SELECT c.id, c.top FROM climb c JOIN customers_customer t ON t.id = c.top AND t.merged_into_id IS NULL
    UNION SELECT c.top, c.top FROM climb c JOIN customers_customer t ON t.id = c.top AND t.merged_into_id IS NULL
),
said AS (
    SELECT s.customer_id, s.purpose_id, s.channel, s.granted FROM consent_consentstate s
    WHERE NOT EXISTS (SELECT FROM alias a WHERE a.id = s.customer_id)
    UNION ALL
    SELECT a.top, s.purpose_id, s.channel, bool_and(s.granted)
    FROM consent_consentstate s JOIN alias a ON a.id = s.customer_id GROUP BY 1, 2, 3
),
living AS (
    SELECT s.* FROM said s JOIN customers_customer c ON c.id = s.customer_id
    WHERE c.erased_at IS NULL AND c.undone_at IS NULL AND c.merged_into_id IS NULL
)
"""


def grid() -> list[Row]:
    """Topic by channel in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_SAID + "SELECT purpose_id, channel, granted, count(*) FROM living GROUP BY 1, 2, 3")
        known = {(purpose_id, channel, granted): n for purpose_id, channel, granted, n in cursor.fetchall()}
    base = reverse("consent:people")
    rows = []
    for purpose in Purpose.objects.filter(is_active=True):
        cells = [
            Cell(
                known.get((purpose.pk, channel.value, True), 0),
                known.get((purpose.pk, channel.value, False), 0),
                f"{base}?purpose={purpose.code}&channel={channel.value}&said=yes",
                f"{base}?purpose={purpose.code}&channel={channel.value}&said=no",
            )
            for channel in COLUMNS
        ]
        rows.append(Row(purpose, purposes.name_of(purpose), cells))
    return rows


def people_who(purpose: Purpose, channel: str, granted: bool) -> QuerySet[Customer]:
    """The people behind one figure of the grid."""
    said = RawSQL(
        _SAID + "SELECT customer_id FROM living WHERE purpose_id = %s AND channel = %s AND granted = %s",
        [purpose.pk, channel, granted],
    )
    return Customer.objects.filter(pk__in=said).order_by("sort_key", "pk")


def recent(now: datetime) -> list[ConsentEvent]:
    """The newest evidence of the last thirty days."""
    lines = ConsentEvent.objects.filter(recorded_at__gte=now - timedelta(days=30))
    return list(lines.select_related("purpose", "wording", "customer").order_by("-at", "-id")[:15])


def wordings() -> QuerySet[Wording]:
    """Every wording with the number of times it was agreed to."""
    return Wording.objects.select_related("purpose").annotate(used=Count("events")).order_by("purpose__position", "language", "-version")


def entries() -> QuerySet[Suppression]:
    """The do-not-contact list in force, newest first."""
    return Suppression.objects.filter(lifted_at=None).select_related("customer", "created_by")
