"""The figures of the consent page: who allows what, on which channel, counted as people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, QuerySet
from django.urls import reverse

from apps.channels.kinds import Channel
from apps.customers.models import Customer

from . import purposes
from .models import ConsentEvent, ConsentState, Purpose, Suppression, Wording

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


def states() -> QuerySet[ConsentState]:
    """What living people said; a merged id is counted with its survivor's own words only."""
    return ConsentState.objects.filter(customer__merged_into=None, customer__erased_at=None, customer__undone_at=None)


def grid() -> list[Row]:
    """Topic by channel in one query."""
    counted = states().values_list("purpose_id", "channel", "granted").annotate(n=Count("id")).order_by()
    known = {(purpose_id, channel, granted): n for purpose_id, channel, granted, n in counted}
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
    said = states().filter(purpose=purpose, channel=channel, granted=granted)
    return Customer.objects.filter(pk__in=said.values("customer_id")).order_by("sort_key", "pk")


def recent(now: datetime) -> list[ConsentEvent]:
    """The newest evidence of the last thirty days."""
    lines = ConsentEvent.objects.filter(recorded_at__gte=now - timedelta(days=30))
    return list(lines.select_related("purpose", "wording", "customer").order_by("-at", "-id")[:15])


def wordings() -> QuerySet[Wording]:
    """Every wording with the number of times it was agreed to."""
    return Wording.objects.select_related("purpose").annotate(used=Count("events"))


def entries() -> QuerySet[Suppression]:
    """The do-not-contact list in force, newest first."""
    return Suppression.objects.filter(lifted_at=None).select_related("customer", "created_by")
