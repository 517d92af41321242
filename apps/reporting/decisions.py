"""What a lead has to decide, one line for each pair of campaigns, what is at stake first.

At stake is money, then people: the purchases expected of the shared people (the company's own past, channel by channel, see
conflicts/response.py) times the average purchase of the last quarter; without enough past, the planned cost of the messages.
It says how much hangs on the decision, not what the conflict costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.cache import cache
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts import access
from apps.accounts.models import User
from apps.campaigns import partners
from apps.campaigns.conflicts import agree, asked, response
from apps.campaigns.conflicts.sentences import sentence
from apps.campaigns.conflicts.writing import UNDECIDED
from apps.campaigns.models import Approval, Campaign, Conflict, Message, Resolution
from apps.campaigns.models.approval import ApprovalState
from apps.campaigns.models.conflicts import ResolutionState, Severity
from apps.campaigns.scenarios import words as step_words
from apps.core.clock import company_day

MOST = 10
QUARTER = timedelta(days=90)
AVERAGE = """
SELECT currency, avg(value), count(*) FROM customers_interaction
WHERE kind = 'purchase' AND value > 0 AND currency <> '' AND at >= %s AND at < %s
GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1
"""


@dataclass(frozen=True)
class Average:
    """What a purchase was worth on average in the last quarter, in the currency most purchases were made in."""

    amount: Decimal
    currency: str
    purchases: int


@dataclass(frozen=True)
class Decision:
    """One thing to decide. ``people`` opens at ``people_url`` to exactly those; ``by_orders`` says what ``money`` rests on.

    ``more`` counts the further findings that are decided with it.
    """

    words: str
    url: str
    label: str
    people: int
    people_url: str
    money: Decimal | None
    currency: str
    severity: str = ""
    note: str = ""
    by_orders: bool = False
    decide_by: datetime | None = None
    about: tuple[int, int | None] | None = None
    more: int = 0

    @property
    def weight(self) -> tuple[Decimal, int]:
        """What it is ranked by: money, then people."""
        return (self.money or Decimal(0), self.people)


def average_order(*, now: datetime) -> Average | None:
    """Counted once a company day; None without a purchase."""
    today = company_day(now)
    key = f"average-order:{today.isoformat()}"
    kept = cache.get(key)
    if kept is None:
        with connection.cursor() as cursor:
            cursor.execute(AVERAGE, [now - QUARTER, now])
            row = cursor.fetchone()
        kept = (Decimal(row[1]).quantize(Decimal("0.01")), row[0], row[2]) if row else ()
        cache.set(key, kept, 24 * 3600)
    return Average(*kept) if kept else None


def ranked(user: User, *, now: datetime) -> list[Decision]:
    """Everything that waits for this person's yes or no, what is at stake first."""
    led = access.departments_led(user, now=now)
    pairs = _pairs(user, led, now)
    found = [*pairs, *_changes(user, led, {decision.about for decision in pairs if decision.about}, now), *_approvals(user, led)]
    return sorted(found, key=lambda decision: (*(-part for part in decision.weight), decision.url))


def signs(user: User, *, now: datetime) -> bool:
    """Whether this person signs for anybody: leads, deputies, administrators."""
    return access.is_administrator(user) or bool(access.departments_led(user, now=now))


def _pairs(user: User, led: set[int], now: datetime) -> list[Decision]:
    rows = Conflict.objects.filter(_mine(user, led), state__in=UNDECIDED, severity__gte=Severity.MEDIUM)
    rows = rows.select_related(
        "first_campaign__department", "second_campaign__department", "first_message", "second_message"
    ).defer("people_both", "first_message__plan_audience", "second_message__plan_audience")
    pairs: dict[tuple[int, int | None], list[Conflict]] = {}
    for row in rows.order_by(F("people_count").desc(nulls_last=True), "-severity", "pk"):
        pairs.setdefault((row.first_campaign_id, row.second_campaign_id), []).append(row)
    heaviest = [found[0] for found in pairs.values()]
    stakes, waiting = _Stakes(heaviest, now), _to_sign(user, heaviest, now)
    return [_decision(found, stakes, any(_together(row) in waiting for row in found), now) for found in pairs.values()]


def _together(row: Conflict) -> tuple[int, int | None]:
    """What is decided on one page: a pair, or one finding of a campaign alone."""
    return (row.first_campaign_id, row.second_campaign_id) if row.second_campaign_id else (row.pk, None)


def _mine(user: User, led: set[int]) -> Q:
    """Conflicts of the departments one signs for; an administrator's are those that nobody answered."""
    mine = partners.of_departments(led, "first_campaign__") | partners.of_departments(led, "second_campaign__")
    return mine | Q(escalated_at__isnull=False) if access.is_administrator(user) else mine


def _to_sign(user: User, rows: Iterable[Conflict], now: datetime) -> set[tuple[int, int | None]]:
    """Whatever a way out is proposed for that this person may sign now."""
    waiting: QuerySet[Resolution] = Resolution.objects.filter(
        state=ResolutionState.PROPOSED, conflict__first_campaign__in={row.first_campaign_id for row in rows}
    )
    waiting = waiting.select_related("conflict").defer("conflict__people_both").prefetch_related("signatures", "needs_departments")
    return {_together(row.conflict) for row in waiting if row.conflict and agree.may_sign(user, row, now=now)}


def _changes(user: User, led: set[int], seen: set[tuple[int, int | None]], now: datetime) -> list[Decision]:
    """Changes out of what-ifs that wait for this person's signature and stand at nothing that is listed already."""
    rows = Resolution.objects.filter(state=ResolutionState.PROPOSED, campaign__isnull=False, needs_departments__in=led).distinct()
    unseen = (row for row in asked.rows(rows) if row.conflict is None or _together(row.conflict) not in seen)
    return [_change(row) for row in unseen if agree.may_sign(user, row, now=now)]


def _change(row: Resolution) -> Decision:
    campaign, figures = row.campaign, row.parameters
    assert campaign is not None
    words = step_words.step(figures["step"], campaign.name, figures, figures.get("message"))
    return Decision(
        words, agree.address(row), _("Read and sign"), row.measured.get("people_lost", 0), "", None, "",
        note=_("proposed by %(who)s") % {"who": row.proposed_by},
    )


def _decision(found: list[Conflict], stakes: _Stakes, is_to_sign: bool, now: datetime) -> Decision:
    """All findings of a pair as one line: told by the one with most people, as severe as the worst, due with the first."""
    row = found[0]
    money, currency, by_orders = stakes.of(row)
    due = min((each.decide_by for each in found if each.decide_by), default=None)
    return Decision(
        sentence(row), reverse("campaigns:conflict", args=[row.pk]), _("Read and sign") if is_to_sign else _("Solve"),
        row.people_count or 0, reverse("campaigns:conflict-people", args=[row.pk]), money, currency,
        str(max(each.severity for each in found)), _note(found, is_to_sign), by_orders,
        None if due is None or due < now else due, _together(row), len(found) - 1,
    )  # fmt: skip


def _note(found: list[Conflict], is_to_sign: bool) -> str:
    if is_to_sign:
        return _("your signature is missing")
    return _("nobody has answered") if any(each.escalated_at for each in found) else ""


class _Stakes:
    """What hangs on conflicts, in money, with everything fetched once."""

    def __init__(self, rows: Iterable[Conflict], now: datetime) -> None:
        ids = {pk for row in rows for pk in (row.first_campaign_id, row.second_campaign_id) if pk}
        self.past, self.average = response.past(now=now), average_order(now=now)
        self.channels: dict[int, set[str]] = defaultdict(set)
        self.cost: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
        found = Message.objects.filter(campaign__in=ids).values_list("campaign", "campaign__currency", "channel", "planned_cost")
        for campaign, currency, channel, cost in found:
            self.channels[campaign].add(channel)
            self.cost[campaign, currency] += cost or 0

    def of(self, row: Conflict) -> tuple[Decimal | None, str, bool]:
        """Amount, currency, and whether it rests on expected purchases."""
        sides = [pk for pk in (row.first_campaign_id, row.second_campaign_id) if pk]
        orders = self.past.orders(row.people_count or 0, set().union(*(self.channels[pk] for pk in sides)))
        if orders is not None and self.average is not None:
            return (Decimal(orders) * self.average.amount).quantize(Decimal(1)), self.average.currency, True
        costs: dict[str, Decimal] = defaultdict(Decimal)
        for (campaign, currency), cost in self.cost.items():
            if campaign in sides:
                costs[currency] += cost
        currency, cost = max(costs.items(), key=lambda item: item[1], default=("", Decimal(0)))
        return (cost or None), currency, False


def _approvals(user: User, led: set[int]) -> list[Decision]:
    asked = Approval.objects.filter(state=ApprovalState.ASKED).exclude(asked_by=user)
    if not access.is_administrator(user):
        asked = asked.filter(campaign__department__in=led)
    rows = list(asked.select_related("campaign__department", "asked_by").order_by("asked_at"))
    largest: dict[int, int] = defaultdict(int)
    for pk, count in Message.objects.filter(campaign__in=[row.campaign_id for row in rows]).values_list("campaign", "plan_count"):
        largest[pk] = max(largest[pk], count or 0)
    return [_approval(row, row.campaign, largest[row.campaign_id]) for row in rows]


def _approval(row: Approval, campaign: Campaign, people: int) -> Decision:
    words = _("%(who)s asks for your approval of %(campaign)s") % {"who": row.asked_by, "campaign": campaign}
    return Decision(
        words, reverse("campaigns:approve", args=[campaign.pk]), _("Read and decide"), people,
        reverse("campaigns:audience", args=[campaign.pk]), campaign.budget, campaign.currency,
    )  # fmt: skip
