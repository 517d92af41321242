"""What already left: runs of the past with a ledger row for every person, and what people did with what they got.

The rows are made where they are kept, a set at a time. Chance is a hash of the run, the person and the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.db import connection
from pyroaring import BitMap

from apps.campaigns.models import Message, Run, RunArm
from apps.campaigns.models.plan import CampaignStatus
from apps.campaigns.models.sending import ArmKind, Outcome, RunState
from apps.campaigns.sending import arms, occurrences, partitions
from apps.channels.models import Link
from apps.consent import gate, ledger
from apps.core.clock import company_zone
from apps.customers import segments
from apps.customers.models import Interaction, Product, SourceRecord

from .bulk import copy_rows
from .catalogue import ARTICLES

PURCHASE_COLUMNS = (
    "customer_id", "source_record_id", "source_id", "kind", "channel", "at", "value", "currency", "product_id", "quantity",
    "external_id", "detail", "recorded_at",
)
BOUNCES, OPENS, PREFETCHES, CLICKS, BUYS = 0.012, 0.38, 0.3, 0.055, 0.16
BUYS_ANYWAY = 0.004
# how many dice a person has in one run
DICE = 9


def write(messages: list[Message], now: datetime, random: Random) -> int:
    """Runs, ledger, events and purchases of everything that was due before today. Returns the ledger rows."""
    today = now.astimezone(company_zone()).date()
    people, rows = BitMap(), 0
    for message in messages:
        for occurrence in occurrences.occurrences(message, message.send_at, now):
            if occurrence.at.astimezone(company_zone()).date() < today:
                run = _run(message, occurrence)
                people |= run.audience
                rows += len(run.audience)
    buyers = _aftermath(ledger.measurement_allowed(people), now, random.getrandbits(32))
    copy_rows(Interaction, PURCHASE_COLUMNS, list(_purchases(buyers, now, random)))
    return rows


def past_messages() -> list[Message]:
    """Addressed messages of campaigns that have been sending."""
    return list(
        Message.objects.filter(campaign__status__in=[CampaignStatus.DONE, CampaignStatus.LIVE], kind="addressed")
        .select_related("campaign", "purpose", "account").prefetch_related("include", "exclude")
    )


def _run(message: Message, occurrence: Any) -> Run:
    at = occurrence.at
    assert message.purpose
    people = _audience(message, at)
    run_day = at.astimezone(company_zone()).date()
    partitions.ensure(run_day)
    run = Run.objects.create(
        message=message, occurrence=occurrence.key, run_day=run_day, scheduled_at=at, deadline=at + timedelta(days=2),
        state=RunState.DONE, audience=people, audience_count=len(people), planned_at=at, started_at=at,
        finished_at=at + timedelta(minutes=20),
    )
    judgement = gate.judge(people=people, channel=message.channel, purpose=message.purpose, at=at)
    drawn = arms.drawn(message, people)
    RunArm.objects.bulk_create(
        RunArm(run=run, kind=arm.kind, code=arm.code, people=arm.people, count=len(arm.people)) for arm in drawn
    )
    control = arms.control_group(message, people) & judgement.allowed
    for reason, refused in judgement.denied.items():
        _ledger(run, refused, Outcome.REFUSED, str(reason))
    _ledger(run, control, Outcome.HELD_OUT, "control_group")
    for arm in drawn:
        if arm.kind == ArmKind.VARIANT:
            _ledger(run, (arm.people & judgement.allowed) - control, Outcome.SENT, "", arm.code)
    return run


def _ledger(run: Run, people: BitMap, outcome: str, reason: str, variant: str = "") -> None:
    """A row for each of the people; what was sent left forty a second."""
    message = run.message
    assert message.purpose
    sent = outcome == Outcome.SENT
    with connection.cursor() as cursor:
        cursor.execute(LEDGER, {
            "run": run.pk, "day": run.run_day, "people": list(people), "outcome": str(outcome), "reason": reason,
            "rule": "consent" if outcome == Outcome.REFUSED else "", "at": run.scheduled_at, "message": message.pk,
            "campaign": message.campaign_id, "department": message.campaign.department_id, "channel": str(message.channel),
            "class": str(message.purpose.purpose_class), "account": message.account_id if sent else None,
            "variant": variant, "sent": sent, "cost": message.account.unit_cost if sent and message.account else 0,
        })


def _audience(message: Message, at: datetime) -> BitMap:
    people = BitMap()
    for segment in message.include.all():
        people |= segments.evaluate(segment.rule, now=at)
    for segment in message.exclude.all():
        people -= segments.evaluate(segment.rule, now=at)
    return people


def _aftermath(measured: BitMap, now: datetime, seed: int) -> list[tuple[int, datetime]]:
    """Bounces, deliveries, openings and clicks of everything sent; returns who then buys, after which moment."""
    link = Link.objects.order_by("pk").values_list("pk", flat=True).first()
    first = Run.objects.order_by("pk").values_list("pk", flat=True).first() or 0
    given: dict[str, Any] = {
        "measured": list(measured), "now": now, "first": first, "link": link, "bounces": BOUNCES, "opens": OPENS, "prefetches": PREFETCHES,
        "clicks": CLICKS, "buys": BUYS, "anyway": BUYS_ANYWAY,
    } | {f"die{number}": seed * DICE + number for number in range(DICE)}
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, given)
        cursor.execute(BUYERS, given)
        return cursor.fetchall()


def _purchases(buyers: list[tuple[int, datetime]], now: datetime, random: Random) -> Iterator[tuple[Any, ...]]:
    products = list(Product.objects.order_by("pk"))
    euros = {product.pk: price for product, price in _euro_prices(products)}
    records = {
        customer: (record, source) for customer, record, source in
        SourceRecord.objects.order_by("-pk").values_list("customer_id", "pk", "source_id")
    }
    for number, (person, after) in enumerate(buyers):
        at = after + timedelta(hours=random.expovariate(1 / 20))
        if at >= now:
            continue
        product = random.choice(products)
        record, source = records[person]
        yield (
            person, record, source, "purchase", "web", at, euros[product.pk], "EUR", product.pk, 1, f"a{number}", "{}", now,
        )


def _euro_prices(products: list[Product]) -> Iterator[tuple[Product, Decimal]]:
    euros = {article.sku: Decimal(article.eur) for article in ARTICLES}
    return ((product, euros[product.sku]) for product in products)


LEDGER = """
INSERT INTO campaigns_delivery (run_day, run_id, customer_id, outcome, reason, rule, at, message_id, campaign_id, department_id,
    channel, purpose_class, account_id, variant, language, address_hash, provider_id, code, cost)
SELECT %(day)s, %(run)s, p.id, %(outcome)s, %(reason)s, %(rule)s,
    %(at)s::timestamptz + CASE WHEN %(sent)s THEN (p.place - 1) / 40 * interval '1 second' ELSE interval '0' END,
    %(message)s, %(campaign)s, %(department)s, %(channel)s, %(class)s, %(account)s, %(variant)s,
    CASE WHEN c.language IN ('nb', 'pl') THEN c.language ELSE 'en' END, '',
    CASE WHEN %(sent)s THEN 'demo-' || %(run)s || '-' || p.id ELSE '' END, '', %(cost)s
FROM unnest(%(people)s::int[]) WITH ORDINALITY AS p(id, place) JOIN customers_customer c ON c.id = p.id
"""


def _die(number: int) -> str:
    """A number from 0 to below 1, one of a person's own in a run: 53 bits of a hash, as many as a double keeps."""
    whole = f"hashint8extended((d.run_id - %(first)s::bigint << 32) + d.customer_id, %(die{number})s) & 9007199254740991"
    return f"({whole})::float8 / 9007199254740992::float8"


REACTIONS = f"""
WITH rolled AS (
    SELECT d.run_id, d.customer_id, d.account_id, d.channel, d.at, d.outcome, d.outcome = 'sent' AS sent,
        d.customer_id IN (SELECT unnest(%(measured)s::int[])) AS measured, {_die(0)} < %(bounces)s AS bounces,
        {_die(1)} < %(prefetches)s AS prefetches, {_die(2)} < %(opens)s AS opens,
        {_die(4)} < %(clicks)s * CASE WHEN d.variant = 'B' THEN 1.25 ELSE 1 END AND d.channel IN ('email', 'sms') AS clicks,
        {_die(6)} < %(buys)s AS buys, {_die(7)} < %(anyway)s AS anyway,
        interval '1 minute' * -300 * ln(1 - {_die(3)}) AS opens_after,
        interval '1 minute' * -300 * ln(1 - {_die(5)}) AS clicks_after
    FROM campaigns_delivery d WHERE d.outcome IN ('sent', 'held_out')
)
"""
EVENTS = f"""{REACTIONS}
INSERT INTO channels_contactevent (run_id, customer_id, account_id, channel, kind, at, recorded_at, told_at, machine,
    permanent, link_id, code, dedupe_key)
SELECT r.run_id, r.customer_id, r.account_id, r.channel, e.kind, m.at, m.at, m.at, e.machine, e.permanent, e.link_id, '',
    'demo:' || r.run_id || '.' || r.customer_id || ':' || e.kind || ':' || e.machine::int
FROM rolled r CROSS JOIN LATERAL (VALUES
    ('bounced', r.bounces, interval '9 seconds', false, false, NULL::bigint),
    ('delivered', NOT r.bounces AND r.channel IN ('email', 'sms'), interval '4 seconds', false, NULL, NULL),
    ('opened', NOT r.bounces AND r.prefetches AND r.measured AND r.channel = 'email', interval '30 seconds', true, NULL, NULL),
    ('opened', NOT r.bounces AND r.opens AND r.measured AND r.channel = 'email', interval '4 minutes' + r.opens_after, false,
        NULL, NULL),
    ('clicked', NOT r.bounces AND r.clicks AND r.measured, interval '6 minutes' + r.clicks_after, false, NULL, %(link)s)
) AS e(kind, happens, after, machine, permanent, link_id)
CROSS JOIN LATERAL (SELECT least(r.at + e.after, %(now)s::timestamptz) AS at) m
WHERE r.sent AND e.happens
"""
BUYERS = f"""{REACTIONS}
SELECT r.customer_id, r.at + CASE WHEN r.sent AND r.clicks THEN interval '30 minutes' ELSE interval '0' END
FROM rolled r WHERE CASE WHEN NOT r.sent THEN r.anyway WHEN r.clicks THEN r.buys ELSE r.anyway END AND NOT (r.sent AND r.bounces)
ORDER BY r.run_id, r.customer_id
"""
