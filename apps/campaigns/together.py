"""What the campaigns of a programme are together: people counted once, contacts, money, and the conflicts between them.

People and contacts are net of the agreements in force, as the conflict rules count them. Campaigns that were cancelled or merged
into another are named and not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from pyroaring import BitMap

from apps.core import charts, clock, formats

from . import inheritance
from .conflicts import loading, sentences
from .conflicts.passes import UNDECIDED
from .conflicts.snapshot import Plan
from .models import Campaign, CampaignStatus, Conflict, Message, Programme

Purse = dict[str, Decimal]


@dataclass(frozen=True)
class Line:
    """One campaign: what it has and from where, how many people it reaches, how often in all, what it will cost.

    ``offers``: what its messages offer, and whether that is inherited.
    """

    campaign: Campaign
    has: inheritance.Inherited
    people: int
    contacts: int
    cost: Decimal
    offers: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Pair:
    """Two campaigns of the programme that collide: the weightiest finding, how many there are, and its sentence."""

    conflict: Conflict
    findings: int
    sentence: SafeString


@dataclass(frozen=True)
class Together:
    """All of a programme. ``people`` are distinct over all its campaigns; money stands by currency."""

    lines: tuple[Line, ...]
    closed: tuple[Campaign, ...]
    people: int
    contacts: int
    budget: Purse
    cost: Purse
    pairs: tuple[Pair, ...]
    messages: dict[int, list[Message]]


def of(programme: Programme, *, now: datetime) -> Together:
    """Reads it, in a number of queries that does not grow with the campaigns."""
    rows = programme.campaigns.select_related("department", "owner", "offer", "merged_into").prefetch_related("partners")
    every = list(rows.order_by("starts_on", "name", "pk"))
    for campaign in every:
        campaign.programme = programme
    alive = [campaign for campaign in every if campaign.status != CampaignStatus.CANCELLED]
    messages = _messages(alive)
    plan = loading.load(now=now, also=[campaign.pk for campaign in alive])
    assert plan.people is not None
    plan.people.fetch(each for campaign in alive for each in plan.campaigns[campaign.pk].messages)
    lines = tuple(_line(campaign, messages.get(campaign.pk, []), plan) for campaign in alive)
    return Together(
        lines, tuple(campaign for campaign in every if campaign.status == CampaignStatus.CANCELLED),
        len(BitMap.union(BitMap(), *(plan.audience(campaign.pk) for campaign in alive))), sum(line.contacts for line in lines),
        _budget(programme, alive), _purse((line.campaign.currency, line.cost) for line in lines), _pairs(alive), messages,
    )


def _messages(campaigns: list[Campaign]) -> dict[int, list[Message]]:
    found: dict[int, list[Message]] = {}
    rows = Message.objects.filter(campaign__in=campaigns, is_stopped=False).select_related("account", "offer").defer("plan_audience")
    for message in rows.order_by("send_at", "pk"):
        found.setdefault(message.campaign_id, []).append(message)
    return found


def _line(campaign: Campaign, messages: list[Message], plan: Plan) -> Line:
    assert plan.people is not None
    planned = {each.id: each for each in plan.campaigns[campaign.pk].messages}
    net = {pk: len(plan.people.of(each)) for pk, each in planned.items()}
    contacts = sum(net[pk] * len(each.windows) for pk, each in planned.items())
    cost = sum((_cost(message, net.get(message.pk, 0)) for message in messages), Decimal(0))
    offers = dict.fromkeys((str(message.offer), message.offer_inherited) for message in messages if message.offer)
    return Line(campaign, inheritance.of(campaign), len(plan.audience(campaign.pk)), contacts, cost, tuple(offers))


def _cost(message: Message, people: int) -> Decimal:
    """As planned, or the account's price for its people once."""
    if message.planned_cost is not None:
        return message.planned_cost
    return message.account.unit_cost * people if message.account else Decimal(0)


def _budget(programme: Programme, campaigns: Iterable[Campaign]) -> Purse:
    """The programme's one sum, and what campaigns have of their own beside it."""
    own = [(campaign.currency, campaign.budget) for campaign in campaigns if campaign.budget is not None]
    shared = [] if programme.budget is None else [(programme.currency, programme.budget)]
    return _purse([*shared, *own])


def _purse(amounts: Iterable[tuple[str, Decimal]]) -> Purse:
    found: Purse = {}
    for currency, amount in amounts:
        if amount:
            found[currency] = found.get(currency, Decimal(0)) + amount
    return dict(sorted(found.items()))


def in_words(purse: Purse) -> str:
    """All amounts of a purse, each with its currency, so that a narrow screen may break between the two; a dash for none."""
    shown = [" ".join(formats.money(amount, currency).rsplit("\xa0", 1)) for currency, amount in purse.items()]
    return ", ".join(shown) or formats.DASH


def _pairs(campaigns: list[Campaign]) -> tuple[Pair, ...]:
    rows = Conflict.objects.filter(first_campaign__in=campaigns, second_campaign__in=campaigns, state__in=UNDECIDED)
    rows = rows.select_related(
        "first_campaign__department", "second_campaign__department", "first_message", "second_message"
    ).defer("people_both", "first_message__plan_audience", "second_message__plan_audience")
    found: dict[tuple[int, int | None], list[Conflict]] = {}
    for row in rows.order_by("-severity", "-people_count", "pk"):
        found.setdefault((row.first_campaign_id, row.second_campaign_id), []).append(row)
    return tuple(Pair(group[0], len(group), sentences.marked(group[0])) for group in found.values())


def strip(programme: Programme, together: Together) -> SafeString:
    """The campaigns over the programme's time, a sign for each message's first moment."""
    firsts = [programme.starts_on, *(line.campaign.starts_on for line in together.lines)]
    lasts = [programme.ends_on, *(line.campaign.ends_on for line in together.lines)]
    first, days = min(firsts), (max(lasts) - min(firsts)).days + 1
    labels = [formats.day(first + timedelta(days=days * part // 4), "day") for part in range(min(4, days))]
    rows = [
        charts.Span(
            line.campaign.name, _place(line.campaign.starts_on, first, days), _place(line.campaign.ends_on, first, days, after=1),
            line.campaign.department.colour, formats.span(line.campaign.starts_on, line.campaign.ends_on),
            [mark for message in together.messages.get(line.campaign.pk, []) for mark in _mark(message, first, days)],
        )
        for line in together.lines
    ]
    title = _("Campaigns from %(first)s to %(last)s") % {"first": formats.day(first, "day"), "last": formats.day(max(lasts), "day")}
    return charts.strip(title, labels, rows)


def _place(day: date, first: date, days: int, after: int = 0) -> float:
    return round(100 * ((day - first).days + after) / days, 2)


def _mark(message: Message, first: date, days: int) -> Iterator[tuple[float, str]]:
    day = clock.company_day(message.send_at)
    if 0 <= (day - first).days < days:
        yield round(100 * ((day - first).days + 0.5) / days, 2), f"{message.name} · {formats.day(day, 'day')}"
