"""What already left: runs of the past with a ledger row for every person, and what people did with what they got."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from pyroaring import BitMap

from apps.campaigns.models import Delivery, Message, Run, RunArm
from apps.campaigns.models.plan import CampaignStatus
from apps.campaigns.models.sending import ArmKind, Outcome, RunState
from apps.campaigns.sending import arms, occurrences, partitions
from apps.channels.models import ContactEvent, Link
from apps.consent import gate, ledger
from apps.core.clock import company_zone
from apps.customers import segments
from apps.customers.models import Customer, Interaction, Product, SourceRecord

from .bulk import copy_rows
from .catalogue import ARTICLES

LEDGER_COLUMNS = (
    "run_day", "run_id", "customer_id", "outcome", "reason", "rule", "at", "message_id", "campaign_id", "department_id",
    "channel", "purpose_class", "account_id", "variant", "language", "address_hash", "provider_id", "code", "cost",
)
EVENT_COLUMNS = (
    "run_id", "customer_id", "account_id", "channel", "kind", "at", "recorded_at", "machine", "permanent", "link_id",
    "code", "dedupe_key",
)
PURCHASE_COLUMNS = (
    "customer_id", "source_record_id", "source_id", "kind", "channel", "at", "value", "currency", "product_id", "quantity",
    "external_id", "detail", "recorded_at",
)
BOUNCES, OPENS, PREFETCHES, CLICKS, BUYS = 0.012, 0.38, 0.3, 0.055, 0.16
BUYS_ANYWAY = 0.004


@dataclass
class Tally:
    """Rows gathered for one COPY each."""

    ledger: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]
    buyers: list[tuple[int, datetime]]


def write(messages: list[Message], now: datetime, random: Random) -> int:
    """Runs, ledger, events and purchases of everything that was due before today. Returns the ledger rows."""
    languages = dict(Customer.objects.values_list("pk", "language"))
    link = Link.objects.order_by("pk").first()
    tally = Tally([], [], [])
    today = now.astimezone(company_zone()).date()
    for message in messages:
        for occurrence in occurrences.occurrences(message, message.send_at, now):
            if occurrence.at.astimezone(company_zone()).date() < today:
                _run(message, occurrence, languages, link, now, random, tally)
    copy_rows(Delivery, LEDGER_COLUMNS, tally.ledger)
    copy_rows(ContactEvent, EVENT_COLUMNS, tally.events)
    copy_rows(Interaction, PURCHASE_COLUMNS, list(_purchases(tally.buyers, now, random)))
    return len(tally.ledger)


def past_messages() -> list[Message]:
    """Addressed messages of campaigns that have been sending."""
    return list(
        Message.objects.filter(campaign__status__in=[CampaignStatus.DONE, CampaignStatus.LIVE], kind="addressed")
        .select_related("campaign", "purpose", "account").prefetch_related("include", "exclude")
    )


def _run(
    message: Message, occurrence: Any, languages: dict[int, str], link: Link | None, now: datetime, random: Random,
    tally: Tally,
) -> None:
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
    contacted = judgement.allowed - control
    variants = {arm.code: arm.people & contacted for arm in drawn if arm.kind == ArmKind.VARIANT}
    base = _Row(message, run, languages)
    for reason, refused in judgement.denied.items():
        tally.ledger.extend(base.row(person, at, Outcome.REFUSED, str(reason)) for person in refused)
    tally.ledger.extend(base.row(person, at, Outcome.HELD_OUT, "control_group") for person in control)
    tally.buyers.extend((person, at) for person in control if random.random() < BUYS_ANYWAY)
    measured = ledger.measurement_allowed(judgement.allowed)
    for code, members in variants.items():
        for place, person in enumerate(members):
            moment = at + timedelta(seconds=place // 40)
            tally.ledger.append(base.row(person, moment, Outcome.SENT, "", code))
            _aftermath(message, run, person, moment, code, person in measured, link, now, random, tally)


class _Row:
    """Ledger rows of one run."""

    def __init__(self, message: Message, run: Run, languages: dict[int, str]) -> None:
        self.message, self.run, self.languages = message, run, languages
        self.cost = message.account.unit_cost if message.account else Decimal(0)

    def row(self, person: int, at: datetime, outcome: str, reason: str, variant: str = "") -> tuple[Any, ...]:
        message, run = self.message, self.run
        language = self.languages[person]
        assert message.purpose
        sent = outcome == Outcome.SENT
        return (
            run.run_day, run.pk, person, outcome, reason, "consent" if outcome == Outcome.REFUSED else "", at, message.pk,
            message.campaign_id, message.campaign.department_id, message.channel, message.purpose.purpose_class,
            message.account_id if sent else None, variant, language if language in {"nb", "pl"} else "en", "",
            f"demo-{run.pk}-{person}" if sent else "", "", self.cost if sent else 0,
        )


def _audience(message: Message, at: datetime) -> BitMap:
    people = BitMap()
    for segment in message.include.all():
        people |= segments.evaluate(segment.rule, now=at)
    for segment in message.exclude.all():
        people -= segments.evaluate(segment.rule, now=at)
    return people


def _aftermath(
    message: Message, run: Run, person: int, at: datetime, variant: str, measured: bool, link: Link | None, now: datetime,
    random: Random, tally: Tally,
) -> None:
    def event(kind: str, after: timedelta, machine: bool = False, permanent: bool | None = None, target: Link | None = None) -> None:
        moment = min(at + after, now)
        tally.events.append((
            run.pk, person, message.account_id, message.channel, kind, moment, moment, machine, permanent,
            target.pk if target else None, "", f"demo:{run.pk}.{person}:{kind}:{int(machine)}",
        ))

    if random.random() < BOUNCES:
        event("bounced", timedelta(seconds=9), permanent=False)
        return
    if message.channel in {"email", "sms"}:
        event("delivered", timedelta(seconds=4))
    if message.channel == "email" and measured:
        if random.random() < PREFETCHES:
            event("opened", timedelta(seconds=30), machine=True)
        if random.random() < OPENS:
            event("opened", timedelta(minutes=4 + random.expovariate(1 / 300)))
    pull = CLICKS * (1.25 if variant == "B" else 1.0)
    if message.channel in {"email", "sms"} and random.random() < pull:
        if measured:
            event("clicked", timedelta(minutes=6 + random.expovariate(1 / 300)), target=link)
        if random.random() < BUYS:
            tally.buyers.append((person, at + timedelta(minutes=30)))
    elif random.random() < BUYS_ANYWAY:
        tally.buyers.append((person, at))


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
