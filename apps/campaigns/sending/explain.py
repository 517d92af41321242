"""For one person: what they got, did not get and why, what is planned, and how many contacts they have in any week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Model
from django.utils.functional import cached_property

from apps.campaigns import pacing
from apps.campaigns.conflicts import circumstances, days_off, registry
from apps.campaigns.conflicts.circumstances import PlannedPolicy
from apps.campaigns.elsewhere import refusals
from apps.campaigns.models import (
    Agreement,
    Blackout,
    Campaign,
    Capacity,
    ContactPolicy,
    Delivery,
    Message,
    MinimumGap,
    QuietHours,
    RefusedPermission,
    Resolution,
    Run,
)
from apps.campaigns.models.plan import BINDING_STATUSES, MessageKind
from apps.campaigns.models.sending import Outcome, RunState
from apps.channels.kinds import Channel
from apps.channels.models import ChannelAccount, ContactEvent
from apps.consent.models import PurposeClass
from apps.core import reasons

from . import aliases, events, ledger
from .occurrences import BadRecurrence, occurrences

AHEAD = timedelta(days=60)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Told:
    """One delivery to one person, explained."""

    delivery: Delivery
    message: Message | None
    kinds: tuple[str, ...]
    happenings: tuple[ContactEvent, ...] = ()

    @property
    def state(self) -> str:
        """What is known of it today."""
        return events.state(self.delivery.outcome, self.kinds)

    @property
    def words(self) -> str:
        """State or reason in words."""
        if self.delivery.outcome == Outcome.REFUSED:
            return reasons.sentence(self.delivery.reason)
        if self.delivery.outcome == Outcome.HELD_OUT:
            return reasons.sentence(reasons.Reason.CONTROL_GROUP)
        return events.words(self.state)

    @property
    def was_contacted(self) -> bool:
        return self.delivery.outcome in ledger.REACHED

    @cached_property
    def rule(self) -> str:
        """The rule behind a refusal, by its name."""
        return rule_name(self.delivery.rule, self.delivery.campaign_id)


NAMED: dict[str, type[Model]] = {
    "policy": ContactPolicy, "gap": MinimumGap, "blackout": Blackout, "quiet": QuietHours, "capacity": Capacity,
    "account": ChannelAccount,
}  # fmt: skip


def rule_name(rule: str, campaign_id: int) -> str:
    """What stands behind a refusal of one campaign, by its name: the other campaign, a policy, a holiday; may be empty."""
    kind, _dot, number = rule.partition(".")
    if kind == "holiday":
        country, _dot, day = number.partition(".")
        return days_off.name(country, date.fromisoformat(day))
    if not number.isdecimal() or len(number) > 9:
        return ""
    if kind == "agreement":
        return _other_side(int(number), campaign_id)
    if kind == "resolution":
        code = Resolution.objects.filter(pk=int(number)).values_list("conflict__rule", flat=True).first()
        return str(registry.rule(code).title) if code else ""
    found = NAMED[kind]._default_manager.filter(pk=int(number)).first() if kind in NAMED else None
    return str(found or "")


def _other_side(agreement_id: int, campaign_id: int) -> str:
    """The campaign that the person was left to."""
    found = Agreement.objects.select_related("yielding_campaign", "keeping_campaign").filter(pk=agreement_id).first()
    if found is None:
        return ""
    return str(found.keeping_campaign if found.yielding_campaign_id == campaign_id else found.yielding_campaign)


def of_customer(customer_id: int, *, before: datetime | None = None, limit: int = 30) -> list[Told]:
    """The newest deliveries to a person, under all their ids."""
    ids = list(aliases.of([customer_id]).group(customer_id))
    rows = Delivery.objects.filter(customer_id__in=ids)
    if before is not None:
        rows = rows.filter(at__lt=before)
    return explained(list(rows.order_by("-at")[:limit]))


@dataclass(frozen=True)
class Asked:
    """One no to another tool that asked for a person."""

    row: RefusedPermission

    @property
    def words(self) -> str:
        """The reason in words."""
        return reasons.sentence(self.row.reason)

    @cached_property
    def rule(self) -> str:
        """The rule behind it, by its name."""
        return rule_name(self.row.rule, self.row.message.campaign_id)


def asked_elsewhere(customer_id: int, *, limit: int = 30) -> list[Asked]:
    """What other tools were told when they asked for a person under any of their ids, and may not; the newest first."""
    ids = list(aliases.of([customer_id]).group(customer_id))
    return [Asked(row) for row in refusals.of_people(ids, limit=limit)]


def explained(rows: list[Delivery]) -> list[Told]:
    """The rows with their messages and events, in two queries."""
    found = Message.objects.select_related("campaign__department").defer("plan_audience")
    messages = found.in_bulk({row.message_id for row in rows})
    happened: dict[tuple[int | None, int | None], list[ContactEvent]] = {}
    for event in ContactEvent.objects.filter(
        run_id__in={row.run_id for row in rows}, customer_id__in={row.customer_id for row in rows}, machine=False
    ).order_by("at"):
        happened.setdefault((event.run_id, event.customer_id), []).append(event)
    return [
        Told(row, messages.get(row.message_id), tuple(event.kind for event in happened.get(key, ())),
             tuple(happened.get(key, ())))
        for row in rows
        for key in [(row.run_id, row.customer_id)]
    ]  # fmt: skip


@dataclass(frozen=True)
class Upcoming:
    """A contact that is planned with a person."""

    message: Message
    at: datetime
    is_agreed: bool


def upcoming(customer_id: int, *, now: datetime, limit: int = 20) -> list[Upcoming]:
    """What is planned with a person, soonest first; plans that are not agreed yet are marked."""
    found: list[Upcoming] = []
    candidates = Message.objects.filter(
        campaign__in=Campaign.objects.planned().filter(ends_on__gte=now.date()), plan_audience__isnull=False
    ).exclude(kind=MessageKind.UNADDRESSED)
    for message in candidates.select_related("campaign__department", "purpose"):
        if customer_id in (message.plan_audience or ()):
            agreed = message.campaign.status in BINDING_STATUSES
            found += [Upcoming(message, at, agreed) for at in _moments(message, customer_id, now)]
    return sorted(found, key=lambda each: each.at)[:limit]


def _moments(message: Message, customer_id: int, now: datetime) -> list[datetime]:
    try:
        coming = occurrences(message, now - timedelta(days=14), now + AHEAD)
    except BadRecurrence:
        return []
    runs = {run.occurrence: run for run in Run.objects.filter(message=message).only("occurrence", "state", "run_day")}
    return [each.at for each in coming if _waits(runs.get(each.key), each.at, customer_id, now)]


def _waits(run: Run | None, at: datetime, customer_id: int, now: datetime) -> bool:
    if run is None:
        return at >= now
    if run.state not in (RunState.PLANNED, RunState.RUNNING):
        return False
    return not Delivery.objects.filter(run_day=run.run_day, run_id=run.pk, customer_id=customer_id).exists()


@dataclass(frozen=True)
class Pressure:
    """The fullest seven days around now: contacts as the strictest policy weighs them, against its limit. ``weights`` names the
    channels of which one contact counts as more than one (or as none).
    """

    contacts: int
    first: datetime | None
    limit: int | None
    weights: tuple[tuple[str, int], ...] = ()


def pressure(customer_id: int, *, now: datetime) -> Pressure:
    """Contacts in the fullest seven days of the four weeks around now, past and agreed ones, weighed like the rule weighs them."""
    policy = _strictest_week()
    ids = list(aliases.of([customer_id]).group(customer_id))
    past = Delivery.objects.filter(customer_id__in=ids, outcome__in=ledger.REACHED, at__gt=now - 2 * WEEK)
    rows = list(past.values_list("at", "channel", "purpose_class", "department_id"))
    rows += [
        (each.at, each.message.channel, each.message.purpose.purpose_class if each.message.purpose else PurposeClass.PROMOTION,
         each.message.campaign.department_id)
        for each in upcoming(customer_id, now=now) if each.is_agreed and each.at < now + 2 * WEEK
    ]  # fmt: skip
    held = sorted((at, _weight(policy, channel, purpose, department)) for at, channel, purpose, department in rows)
    windows = [(sum(weight for at, weight in held if start <= at < start + WEEK), start) for start, _own in held]
    best = max(windows, default=(0, None), key=lambda pair: pair[0])
    heavy = tuple((str(Channel(channel).label), weight) for channel, weight in sorted(policy.weights.items())) if policy else ()
    return Pressure(best[0], best[1], policy.limit if policy else None, tuple(pair for pair in heavy if pair[1] != 1))


def _strictest_week() -> PlannedPolicy | None:
    """The policy that allows least in a week, over all channels and departments."""
    policies, _gaps = circumstances.limits()
    weekly = [each for each in policies if each.window == WEEK and not each.channels and each.department_id is None]
    return min(weekly, key=lambda each: each.limit, default=None)


def _weight(policy: PlannedPolicy | None, channel: str, purpose_class: str, department_id: int) -> int:
    if policy is None:
        return 1
    return pacing.weight(policy, channel) if pacing.counts(policy, channel, purpose_class, department_id) else 0
