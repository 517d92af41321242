"""Who lost which people to whom, and why: refusals of a campaign by the rule behind them, and person by person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count, QuerySet
from django.urls import reverse

from apps.campaigns.models import RefusedPermission, Run
from apps.campaigns.sending import explain
from apps.core.clock import company_zone
from apps.core.reasons import sentence

from .scope import PERSON, Scope

MOST = 12
BY_RULE = f"""
{PERSON} SELECT reason, rule, count(DISTINCT customer_id) FROM person WHERE outcome = 'refused' AND rule <> ''
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT {MOST}
"""
WHY = f"""
{PERSON} SELECT customer_id, run_id, reason, rule FROM person
WHERE outcome = 'refused' AND customer_id = ANY(%(ids)s) AND (%(reason)s = '' OR reason = %(reason)s)
  AND (%(rules)s::text[] = '{{}}' OR rule = ANY(%(rules)s)) ORDER BY run_day DESC, run_id DESC
"""


@dataclass(frozen=True)
class Loss:
    """People whom one thing kept from a campaign: why in words, and the campaign or rule behind it by name."""

    words: str
    behind: str
    people: int
    url: str
    is_agreement: bool = False


@dataclass(frozen=True)
class Why:
    """Why one person did not get one message."""

    words: str
    behind: str
    message: str
    url: str


def of_campaign(campaign_id: int) -> list[Loss]:
    """What kept most people from the campaign, the ledger's rules and what other tools were told together."""
    scope = Scope(campaign=campaign_id)
    with connection.cursor() as cursor:
        cursor.execute(BY_RULE, scope.params())
        rows = cursor.fetchall()
    address = reverse("reporting:people")
    found = [
        Loss(
            sentence(reason), explain.rule_name(rule, campaign_id), people,
            f"{address}?{scope.query('refused', reason)}&{urlencode({'rule': rule})}", rule.startswith("agreement."),
        )
        for reason, rule, people in rows
    ]
    return sorted([*found, *_asked(campaign_id)], key=lambda each: (-each.people, each.words))


def _asked(campaign_id: int) -> list[Loss]:
    rows = RefusedPermission.objects.filter(message__campaign=campaign_id).order_by().values_list("reason", "rule")
    counted = rows.annotate(people=Count("customer_id", distinct=True)).order_by("-people", "reason", "rule")[:MOST]
    address = reverse("reporting:permissions", args=[campaign_id])
    return [
        Loss(
            sentence(reason), explain.rule_name(rule, campaign_id), people, f"{address}?{urlencode({'reason': reason, 'rule': rule})}",
            rule.startswith("agreement."),
        )
        for reason, rule, people in counted
    ]


def why(scope: Scope, people: Iterable[int], reason: str = "", rules: Sequence[str] = ()) -> dict[int, list[Why]]:
    """customer -> why they got nothing, message by message, the newest first."""
    params = scope.params() | {"ids": list(people), "reason": reason, "rules": list(rules)}
    with connection.cursor() as cursor:
        cursor.execute(WHY, params)
        rows = cursor.fetchall()
    runs = Run.objects.select_related("message").defer("audience", "message__plan_audience").in_bulk({row[1] for row in rows})
    names: dict[tuple[str, int], str] = {}
    found: dict[int, list[Why]] = defaultdict(list)
    for customer_id, run_id, code, rule in rows:
        message = runs[run_id].message
        key = (rule, message.campaign_id)
        if key not in names:
            names[key] = explain.rule_name(*key)
        url = reverse("campaigns:delivery", args=[run_id, customer_id])
        found[customer_id].append(Why(sentence(code), names[key], message.name, url))
    return found


def asked(scope: Scope, reason: str = "", rules: Sequence[str] = ()) -> QuerySet[RefusedPermission]:
    """What other tools were told about contacts that were to be in the scope, the newest first."""
    rows, zone = RefusedPermission.objects.all(), company_zone()
    given: dict[str, Any] = {
        "message__campaign": scope.campaign, "department": scope.department, "channel": scope.channel, "reason": reason,
        "rule__in": [*rules], "at__gte": scope.first and datetime.combine(scope.first, time.min, zone),
        "at__lt": scope.last and datetime.combine(scope.last + timedelta(days=1), time.min, zone),
    }
    return rows.filter(**{name: value for name, value in given.items() if value})


def why_asked(rows: QuerySet[RefusedPermission], people: Iterable[int]) -> dict[int, list[Why]]:
    """customer -> what another tool was told about them, the newest first."""
    found: dict[int, list[Why]] = defaultdict(list)
    for row in rows.filter(customer_id__in=list(people)).select_related("message").defer("message__plan_audience"):
        campaign = row.message.campaign_id
        url = f"{reverse('reporting:permissions', args=[campaign])}?{urlencode({'reason': row.reason, 'rule': row.rule})}"
        found[row.customer_id].append(Why(sentence(row.reason), explain.rule_name(row.rule, campaign), row.message.name, url))
    return found


def permissions(campaign_id: int, reason: str = "", rule: str = "") -> QuerySet[RefusedPermission]:
    """What other tools were told about people of the campaign, the newest first."""
    rows = RefusedPermission.objects.filter(message__campaign=campaign_id).select_related("message", "token", "department", "purpose")
    rows = rows.filter(reason=reason) if reason else rows
    return rows.filter(rule=rule) if rule else rows
