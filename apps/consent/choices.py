"""What a person can choose on the preference page, and what their answers change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.accounts.models import User
from apps.channels.kinds import ADDRESS_KIND, Channel
from apps.channels.models import ChannelAccount
from apps.customers.models import ContactPoint, Customer

from . import aliases, ledger, purposes, wishes
from .ledger import State
from .models import Purpose

OFFERED = (Channel.EMAIL, Channel.SMS, Channel.CALL, Channel.LETTER, Channel.WHATSAPP, Channel.PUSH, Channel.WEBPUSH)
PAGE = "preference page"
MEASURED = (Channel.EMAIL, Channel.SMS)


@dataclass(frozen=True)
class Choice:
    """One box: a topic on a channel. ``state`` is None where the person never said anything."""

    channel: str
    purpose: Purpose
    state: State | None

    @property
    def name(self) -> str:
        """The name of its field in the form."""
        return f"{self.channel}:{self.purpose.code}"

    @property
    def on(self) -> bool:
        """Whether such messages may come now; service comes until somebody says no."""
        return self.state.granted if self.state else not self.purpose.needs_consent

    @property
    def label(self) -> str:
        return str(Channel(self.channel).label)


@dataclass(frozen=True)
class Topic:
    """A topic with its boxes, named in the reader's language."""

    purpose: Purpose
    name: str
    description: str
    choices: list[Choice]


@dataclass(frozen=True)
class Change:
    """Something that was said just now."""

    topic: str
    channel: str
    granted: bool


def channels_of(customer: Customer) -> list[str]:
    """The channels on which this person could be reached: an address of theirs, and an account of ours."""
    kinds = set(ContactPoint.objects.filter(customer=customer).exclude(value="").values_list("kind", flat=True))
    used = set(ChannelAccount.objects.filter(is_active=True).values_list("channel", flat=True))
    return [
        channel.value for channel in OFFERED if ADDRESS_KIND[channel] in kinds and (channel.value in used or not used)
    ]


def topics_of(customer: Customer, language: str = "") -> list[Topic]:
    """Every topic on offer with what the person said so far."""
    known = ledger.grid([customer.pk])
    channels = channels_of(customer)
    topics = []
    for purpose in Purpose.objects.filter(is_active=True, is_topic=True):
        offered = [channel for channel in channels if not purpose.is_measurement or channel in MEASURED]
        choices = [Choice(channel, purpose, known.get((channel, purpose.pk))) for channel in offered]
        if choices:
            name, text = purposes.name_of(purpose, language), purposes.description_of(purpose, language)
            topics.append(Topic(purpose, name, text, choices))
    return topics


def choose(
    *, customer: Customer, wanted: Collection[str], language: str, now: datetime, run_id: int = 0
) -> list[Change]:
    """Writes down what differs between the boxes ticked and what held before. Returns what was changed."""
    changes = []
    with transaction.atomic():
        for topic in topics_of(customer, language):
            for choice in topic.choices:
                ticked = choice.name in wanted
                if ticked != choice.on:
                    _say(customer, choice, ticked, language, now, run_id)
                    changes.append(Change(topic.name, choice.label, ticked))
    return changes


def _say(customer: Customer, choice: Choice, granted: bool, language: str, now: datetime, run_id: int) -> None:
    if granted:
        wishes.opt_in(
            customer=customer.pk, channel=choice.channel, purpose=choice.purpose, language=language,
            evidence={"language": language, "run": run_id}, at=now, source=PAGE, method=PAGE,
        )  # fmt: skip
    else:
        wishes.opt_out(
            customers=[customer.pk], channel=choice.channel, purposes=[choice.purpose], run_id=run_id or None,
            evidence={"language": language}, at=now, source=PAGE, method=PAGE,
        )  # fmt: skip


def set_language(*, customer: Customer, language: str, now: datetime) -> bool:
    """The language in which the person wants to be written to. Returns whether it changed."""
    if customer.language == language:
        return False
    Customer.objects.filter(pk=customer.pk).update(language=language, updated_at=now)
    customer.language = language
    return True


def person_of(customer_id: int) -> Customer | None:
    """The living person behind an id of theirs; None when they were erased or never were."""
    survivor = aliases.survivors([customer_id])[customer_id]
    return Customer.objects.living().filter(pk=survivor).first()


def note_wish(
    *, customer: Customer, channel: str, purpose: Purpose, granted: bool, method: str, actor: User, now: datetime,
    language: str, words: str = "",
) -> int:  # fmt: skip
    """A colleague writes down what the person said on the phone or at the counter, with the wording read to them."""
    evidence = {"noted": words} if words else {}
    if granted:
        return wishes.opt_in(
            customer=customer.pk, channel=channel, purpose=purpose, at=now, source="colleague", method=method,
            language=language, actor=actor, evidence=evidence,
        )  # fmt: skip
    return wishes.opt_out(
        customers=[customer.pk], channel=channel, purposes=[purpose], at=now, source="colleague", method=method,
        actor=actor, evidence=evidence,
    )  # fmt: skip
