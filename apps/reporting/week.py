"""A lead's week in figures: what leaves, what it costs, what last week brought beside its goal, who was left to others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Sum
from django.urls import reverse
from pyroaring import BitMap

from apps.accounts.models import Department
from apps.campaigns.calendar import period, reading
from apps.campaigns.models import Agreement, Campaign, CampaignStatus
from apps.campaigns.models.plan import BINDING_STATUSES, GoalMetric
from apps.core import bitmaps
from apps.core.clock import company_day, company_zone
from apps.core.reasons import Reason

from . import losses
from .models import DailyFact
from .pictures import people_url
from .scope import Scope, people

WEEK = timedelta(days=7)
SENDING = (*BINDING_STATUSES, CampaignStatus.DONE)
LOST = """
SELECT rule, array_agg(DISTINCT customer_id ORDER BY customer_id) FROM campaigns_delivery
WHERE run_day BETWEEN %s AND %s AND outcome = 'refused' AND reason = %s AND department_id = ANY(%s)
GROUP BY rule ORDER BY rule
"""
# The step of a report whose people a goal counts; orders and revenue are credited, not people.
STEP = {GoalMetric.VISITS: "clicked", GoalMetric.REPLIES: "replied", GoalMetric.REACH: "sent"}


@dataclass(frozen=True)
class Sends:
    """What leaves from Monday to Sunday: how often, in how many campaigns; ``url`` shows each."""

    first: date
    last: date
    sends: int
    campaigns: int
    url: str


@dataclass(frozen=True)
class Spend:
    """One campaign's money: what was spent so far beside its budget, in its currency."""

    campaign: Campaign
    spent: Decimal
    url: str

    @property
    def share(self) -> Decimal | None:
        """Spent of the budget; None without one."""
        return self.spent / self.campaign.budget if self.campaign.budget else None


@dataclass(frozen=True)
class Goal:
    """One campaign beside its goal: last week, and since it began. ``url`` opens last week, ``whole_url`` all of it."""

    campaign: Campaign
    last_week: Decimal
    so_far: Decimal
    url: str
    whole_url: str

    @property
    def share(self) -> Decimal | None:
        """So far, of the goal."""
        return self.so_far / self.campaign.goal_value if self.campaign.goal_value else None


@dataclass(frozen=True)
class Lost:
    """People of one's own whom another department kept, by agreement; each person once."""

    department: Department
    people: int
    url: str


@dataclass(frozen=True)
class Week:
    """All of it."""

    sends: Sends
    spend: list[Spend]
    goals: list[Goal]
    lost: list[Lost]
    last_first: date
    last_last: date


def of(departments: Iterable[Department], *, now: datetime) -> Week:
    """The week that ``now`` lies in, and the one before it, of these departments."""
    own = list(departments)
    monday = period.monday(company_day(now))
    first, last = monday - WEEK, monday - timedelta(days=1)
    alive = Campaign.objects.filter(department__in=own).exclude(status__in=[CampaignStatus.DRAFT, CampaignStatus.CANCELLED])
    return Week(
        sends(own, monday), spend(alive.between(monday, monday + WEEK - timedelta(days=1))),
        goals(alive.between(first, last), first, last), lost(own, first, last), first, last,
    )  # fmt: skip


def sends(own: list[Department], monday: date) -> Sends:
    """Occurrences of agreed messages in the week, as the agenda at ``url`` lists them."""
    filters = reading.Filters(
        departments=frozenset(each.slug for each in own), statuses=frozenset(map(str, SENDING)), conflicts="none"
    )
    found = reading.read(period.Period(monday, 7, company_zone()), filters)
    rows = [row for rows in found.occurrences.values() for row in rows] if own else []
    query = [("from", monday.isoformat()), ("weeks", "1"), *(("department", each.slug) for each in own)]
    query += [("status", str(status)) for status in SENDING]
    url = f"{reverse('campaigns:calendar-agenda')}?{urlencode(query)}"
    return Sends(monday, monday + WEEK - timedelta(days=1), len(rows), len({row.campaign.pk for row in rows}), url)


def spend(campaigns: Any) -> list[Spend]:
    """Campaigns of the week with a budget, the most used up first."""
    rows = list(campaigns.exclude(budget=None).select_related("department"))
    facts = DailyFact.objects.filter(campaign_id__in=[row.pk for row in rows])
    spent = {
        (pk, currency): cost
        for pk, currency, cost in facts.values_list("campaign_id", "currency").annotate(cost=Sum("cost")).order_by()
    }
    found = [
        Spend(row, spent.get((row.pk, row.currency), Decimal(0)), reverse("reporting:campaign", args=[row.pk])) for row in rows
    ]
    return sorted(found, key=lambda each: (-(each.share or 0), each.campaign.name))


def goals(campaigns: Any, first: date, last: date) -> list[Goal]:
    """Campaigns of last week with a goal that counts something, furthest from it first."""
    rows = campaigns.exclude(goal_metric="").exclude(goal_value=None).select_related("department")
    found = [_goal(row, first, last) for row in rows]
    return sorted(found, key=lambda each: (each.share or 0, each.campaign.name))


def _goal(row: Campaign, first: date, last: date) -> Goal:
    if step := STEP.get(GoalMetric(row.goal_metric)):
        whole, week = Scope(campaign=row.pk), Scope(campaign=row.pk, first=first, last=last)
        last_week, so_far = (Decimal(len(people(scope, step))) for scope in (week, whole))
        return Goal(row, last_week, so_far, people_url(week, step), people_url(whole, step))
    facts = DailyFact.objects.filter(campaign_id=row.pk)
    if row.goal_metric == GoalMetric.REVENUE:
        facts = facts.filter(currency=row.currency)
    last_week, so_far = (
        each.aggregate(n=Sum(row.goal_metric))["n"] or Decimal(0) for each in (facts.filter(day__range=(first, last)), facts)
    )
    days = urlencode({"first": first, "last": last, "department": row.department_id})
    return Goal(row, last_week, so_far, f"{reverse('reporting:overview')}?{days}", reverse("reporting:campaign", args=[row.pk]))


def lost(own: list[Department], first: date, last: date) -> list[Lost]:
    """Last week's refusals because of an agreement, by the department that kept the people: ours, and what other tools of these
    departments were told when they asked, as on the report of a campaign. A limit is nobody's gain: it is not counted here.
    """
    by_rule = _lost_by_rule(own, first, last)
    numbers = [int(rule.partition(".")[2]) for rule in by_rule if rule.startswith("agreement.")]
    agreements = Agreement.objects.select_related("keeping_campaign__department", "yielding_campaign__department")
    ours = {each.pk for each in own}
    found: dict[Department, tuple[BitMap, list[str]]] = defaultdict(lambda: (BitMap(), []))
    for agreement in agreements.filter(pk__in=numbers):
        sides = (agreement.keeping_campaign.department, agreement.yielding_campaign.department)
        other = next((side for side in sides if side.pk not in ours), None)
        if other is not None:
            kept, rules = found[other]
            kept |= by_rule[f"agreement.{agreement.pk}"]
            rules.append(f"agreement.{agreement.pk}")
    rows = [
        Lost(department, len(kept), _lost_url(own, first, last, rules)) for department, (kept, rules) in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.people, row.department.name))


def _lost_by_rule(own: list[Department], first: date, last: date) -> dict[str, BitMap]:
    with connection.cursor() as cursor:
        cursor.execute(LOST, [first, last, str(Reason.AGREED), [each.pk for each in own]])
        found = {rule: bitmaps.from_ids(ids) for rule, ids in cursor.fetchall()}
    asked = losses.asked(Scope(first=first, last=last), str(Reason.AGREED)).filter(department__in=own)
    for rule, customer_id in asked.values_list("rule", "customer_id"):
        found.setdefault(rule, BitMap()).add(customer_id)
    return found


def _lost_url(own: list[Department], first: date, last: date, rules: list[str]) -> str:
    query: list[tuple[str, Any]] = [("step", "refused"), ("reason", str(Reason.AGREED)), ("asked", 1), ("first", first), ("last", last)]
    query += [("department", each.pk) for each in own[:1] if len(own) == 1]
    return f"{reverse('reporting:people')}?{urlencode(query + [('rule', rule) for rule in sorted(rules)])}"
