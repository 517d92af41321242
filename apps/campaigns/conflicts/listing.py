"""The list of conflicts: one row for each pair of campaigns, one for what a campaign has against the calendar or itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict

from apps.accounts.models import User
from apps.core.http import number

from .. import partners
from ..models import Conflict, Message
from ..models.conflicts import ConflictState, Severity
from . import registry, response
from .panels import Panel
from .writing import UNDECIDED

STATES = {"open": UNDECIDED, "accepted": (ConflictState.ACCEPTED,), "resolved": (ConflictState.RESOLVED,)}
SORTS = ("severity", "people", "orders", "decide")


@dataclass(frozen=True)
class Filters:
    """What the address narrows the list to, and its order; empty means all."""

    state: str = "open"
    rule: str = ""
    department: str = ""
    severity: int | None = None
    sort: str = "severity"
    programme: int | None = None

    @classmethod
    def of(cls, query: QueryDict) -> Filters:
        """Reads ``state``, ``rule``, ``department``, ``programme``, ``severity`` (this or worse) and ``sort``; what makes no
        sense is left out.
        """
        state, sort, severity = query.get("state", "open"), query.get("sort", "severity"), query.get("severity", "")
        return cls(
            state if state in STATES else "open", query.get("rule", "")[:40], query.get("department", "")[:60],
            int(severity) if severity in {str(level) for level in Severity.values} else None,
            sort if sort in SORTS else "severity", number(query.get("programme")) or None,
        )

    def narrow(self, rows: QuerySet[Conflict]) -> QuerySet[Conflict]:
        """The findings that are asked for."""
        rows = rows.filter(state__in=STATES[self.state])
        if self.rule:
            rows = rows.filter(rule=self.rule)
        if self.severity:
            rows = rows.filter(severity__gte=self.severity)
        if slug := self.department:
            rows = rows.filter(partners.of_slug(slug, "first_campaign__") | partners.of_slug(slug, "second_campaign__"))
        if self.programme is not None:
            rows = rows.filter(Q(first_campaign__programme=self.programme) | Q(second_campaign__programme=self.programme))
        return rows

    def sorted_by(self, sort: str) -> str:
        """The address of the same list in another order."""
        parts = {
            "state": self.state, "rule": self.rule, "department": self.department, "programme": self.programme, "severity": self.severity,
            "sort": sort,
        }
        return "?" + urlencode({key: value for key, value in parts.items() if value})


@dataclass
class Group:
    """All findings of one pair (or of one campaign alone) that are listed together, the weightiest first.

    ``orders`` are the purchases that the past lets one expect of its people: what is at stake; None without a basis.
    """

    findings: list[Conflict] = field(default_factory=list)
    panel: Panel | None = None
    orders: float | None = None

    @property
    def first(self) -> Conflict:
        """The weightiest finding."""
        return self.findings[0]

    @property
    def people(self) -> int | None:
        """The people of the finding that touches the most; None while none is counted."""
        return max((row.people_count for row in self.findings if row.people_count is not None), default=None)

    @property
    def decide_by(self) -> datetime | None:
        """The first of the times to decide by."""
        return min((row.decide_by for row in self.findings if row.decide_by), default=None)

    @property
    def others(self) -> list[tuple[str, Conflict]]:
        """The other findings, each with the name of its kind."""
        return [(str(registry.rule(row.rule).title), row) for row in self.findings[1:]]

    def weight(self, sort: str) -> tuple[float, ...]:
        """What it is ranked by, smallest first."""
        people = self.people or 0
        if sort == "decide":
            return (self.decide_by.timestamp() if self.decide_by else float("inf"), -self.first.severity)
        if sort == "orders":
            return (-(self.orders or 0.0), -people)
        return (-people, -self.first.severity) if sort == "people" else (-self.first.severity, -people)


def grouped(rows: QuerySet[Conflict]) -> list[Group]:
    """Findings of the same two campaigns together, whatever their kinds; those of one campaign alone by that campaign."""
    groups: dict[tuple[int, int | None], Group] = defaultdict(Group)
    found = rows.select_related(
        "first_campaign__department", "second_campaign__department", "first_message", "second_message", "owner"
    ).defer("people_both", "first_message__plan_audience", "second_message__plan_audience")
    found = found.prefetch_related("first_campaign__partners", "second_campaign__partners")
    for row in sorted(found, key=lambda row: (-row.severity, -(row.people_count or 0), row.pk)):
        groups[row.first_campaign_id, row.second_campaign_id].findings.append(row)
    return list(groups.values())


def of(filters: Filters, *, user: User, now: datetime, most: int = 200) -> list[Group]:
    """The rows of the list, in the order asked for, with what is at stake."""
    groups = grouped(filters.narrow(Conflict.objects.all()))
    past, channels = response.past(now=now), _channels(groups)
    for group in groups:
        sides = (group.first.first_campaign_id, group.first.second_campaign_id)
        group.orders = past.orders(group.people or 0, set().union(*(channels[pk] for pk in sides if pk)))
        group.panel = Panel(group.first, user, now)
    return sorted(groups, key=lambda group: (*group.weight(filters.sort), group.first.pk))[:most]


def _channels(groups: list[Group]) -> dict[int, set[str]]:
    ids = {pk for group in groups for pk in (group.first.first_campaign_id, group.first.second_campaign_id) if pk}
    channels: dict[int, set[str]] = defaultdict(set)
    for campaign, channel in Message.objects.filter(campaign__in=ids).values_list("campaign", "channel"):
        channels[campaign].add(channel)
    return channels
