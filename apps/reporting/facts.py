"""Facts by the day, rebuilt from the ledger, the events and the credits: any day can be counted again at any time.

Delete and insert in one transaction, as alphagov/notifications-api does: an upsert would leave rows of what is no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from apps.campaigns.models import Run
from apps.channels.models import ContactEvent
from apps.core.clock import company_day

from . import attribution
from .models import DailyFact, StaleDay
from .scope import HEARD

# What came in lately may belong to any day of this span; older news marks its day itself.
LATE = timedelta(days=2)
LOCK = 0x46414354


def rebuild(*, first: date, last: date, now: datetime) -> int:
    """Counts these days (both included) anew, credits and facts, a month at a time. Returns the rows of facts."""
    rows = 0
    while first <= last:
        end = min(last, first + timedelta(days=30))
        rows += _rebuild_span(first, end)
        first = end + timedelta(days=1)
    return rows


def rebuild_days(*, days: Iterable[date], now: datetime) -> int:
    """Counts single days anew, neighbours together."""
    rows = 0
    for first, last in _spans(sorted(set(days))):
        rows += rebuild(first=first, last=last, now=now)
    return rows


def rebuild_stale(*, now: datetime) -> int:
    """Today, and every day to which something late came."""
    marked = list(StaleDay.objects.filter(marked_at__lte=now).values_list("day", flat=True))
    return rebuild_days(days=[company_day(now), *marked], now=now)


def rebuild_nightly(*, now: datetime) -> int:
    """Yesterday, today, stale days, and days of which a purchase or a hand-over was recorded lately."""
    today = company_day(now)
    marked = list(StaleDay.objects.values_list("day", flat=True))
    return rebuild_days(days=[today - timedelta(days=1), today, *marked, *_recorded_since(now - LATE)], now=now)


def mark_late(sender: Any, events: Iterable[ContactEvent], **_signal: Any) -> None:
    """Receiver of provider news: the day of its run and its own day are counted again."""
    told = list(events)
    runs = Run.objects.filter(pk__in={event.run_id for event in told if event.run_id})
    days = dict(runs.values_list("pk", "run_day"))
    stale = {}
    for event in told:
        stale[company_day(event.at)] = event.recorded_at
        if event.run_id in days:
            stale[days[event.run_id]] = event.recorded_at
    # Sorted, so that two receivers lock the same rows in the same order.
    StaleDay.objects.bulk_create(
        [StaleDay(day=day, marked_at=at) for day, at in sorted(stale.items())],
        update_conflicts=True, unique_fields=["day"], update_fields=["marked_at"],
    )  # fmt: skip


def _rebuild_span(first: date, last: date) -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Two rebuilds at once would both insert what each has deleted.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        StaleDay.objects.filter(day__range=(first, last)).delete()
        attribution.rebuild(first=first, last=last)
        DailyFact.objects.filter(day__range=(first, last)).delete()
        with connection.cursor() as cursor:
            cursor.execute(FACTS, {"first": first, "last": last})
            return cursor.rowcount


def _recorded_since(moment: datetime) -> list[date]:
    params: dict[str, Any] = {"zone": settings.COMPANY_TIME_ZONE, "moment": moment}
    with connection.cursor() as cursor:
        cursor.execute(RECORDED, params)
        return [row[0] for row in cursor.fetchall()]


def _spans(days: list[date]) -> list[tuple[date, date]]:
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] <= timedelta(days=1):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


RECORDED = """
SELECT DISTINCT (at AT TIME ZONE %(zone)s)::date FROM customers_interaction
WHERE kind = 'purchase' AND recorded_at >= %(moment)s
UNION
SELECT DISTINCT run_day FROM campaigns_delivery WHERE at >= %(moment)s AND run_day >= %(moment)s::date - 60
UNION
SELECT DISTINCT (at AT TIME ZONE %(zone)s)::date FROM campaigns_toldcontact WHERE recorded_at >= %(moment)s
"""

FACTS = f"""
WITH heard AS (
    {HEARD}
    FROM channels_contactevent e JOIN campaigns_run r ON r.id = e.run_id
    WHERE r.run_day BETWEEN %(first)s AND %(last)s GROUP BY e.run_id, e.customer_id
),
person AS (
    SELECT d.run_day AS day, d.department_id, d.campaign_id, d.message_id, d.run_id, d.channel, d.variant,
           coalesce(c.country, '') AS country, coalesce(a.currency, '') AS currency, d.cost,
           CASE WHEN d.outcome = 'unknown' AND h.proves_sent THEN 'sent'
                WHEN d.outcome = 'unknown' AND h.proves_failed THEN 'failed' ELSE d.outcome END AS outcome,
           h.delivered, h.bounced, h.opened, h.clicked, h.replied, h.complained, h.unsubscribed
    FROM campaigns_delivery d
    LEFT JOIN heard h ON h.run_id = d.run_id AND h.customer_id = d.customer_id
    LEFT JOIN customers_customer c ON c.id = d.customer_id
    LEFT JOIN channels_channelaccount a ON a.id = d.account_id
    WHERE d.run_day BETWEEN %(first)s AND %(last)s
),
counted AS (
    SELECT day, department_id, campaign_id, message_id, run_id, channel, variant, country, currency,
           count(*) FILTER (WHERE outcome = 'sent') AS sent,
           count(*) FILTER (WHERE outcome = 'refused') AS refused,
           count(*) FILTER (WHERE outcome = 'held_out') AS held_out,
           count(*) FILTER (WHERE outcome = 'failed') AS failed,
           count(*) FILTER (WHERE outcome = 'unknown') AS unknown,
           count(*) FILTER (WHERE outcome = 'sent' AND delivered AND NOT bounced) AS delivered,
           count(*) FILTER (WHERE outcome = 'sent' AND bounced) AS bounced,
           count(*) FILTER (WHERE outcome = 'sent' AND opened) AS opened,
           count(*) FILTER (WHERE outcome = 'sent' AND clicked) AS clicked,
           count(*) FILTER (WHERE outcome = 'sent' AND replied) AS replied,
           count(*) FILTER (WHERE outcome = 'sent' AND complained) AS complained,
           count(*) FILTER (WHERE outcome = 'sent' AND unsubscribed) AS unsubscribed,
           0::numeric AS orders, 0::numeric AS revenue, sum(cost) AS cost
    FROM person GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    UNION ALL
    SELECT k.bought_on, d.department_id, d.campaign_id, d.message_id, d.run_id, d.channel, d.variant,
           coalesce(c.country, ''), k.currency, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum(k.share), sum(k.amount), 0
    FROM reporting_credit k
    JOIN campaigns_run r ON r.id = k.run_id
    JOIN campaigns_delivery d ON d.run_day = r.run_day AND d.run_id = k.run_id AND d.customer_id = k.customer_id
    LEFT JOIN customers_customer c ON c.id = d.customer_id
    WHERE k.model = 'linear' AND k.bought_on BETWEEN %(first)s AND %(last)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
)
INSERT INTO reporting_dailyfact
    (day, department_id, campaign_id, message_id, run_id, channel, variant, country, currency, sent, refused, held_out,
     failed, unknown, delivered, bounced, opened, clicked, replied, complained, unsubscribed, orders, revenue, cost)
SELECT day, department_id, campaign_id, message_id, run_id, channel, variant, country, currency, sum(sent), sum(refused),
       sum(held_out), sum(failed), sum(unknown), sum(delivered), sum(bounced), sum(opened), sum(clicked), sum(replied),
       sum(complained), sum(unsubscribed), sum(orders), sum(revenue), sum(cost)
FROM counted GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
