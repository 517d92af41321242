"""How long and how dear a text message is, before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.channels import sms as counting

from ..models import ContentVersion
from . import addresses, facts, rendering


@dataclass(frozen=True)
class Measure:
    """A text message as one person would get it. ``cost`` is for this one message, in the account's currency."""

    text: str
    length: counting.Length
    cost: Decimal
    currency: str


def measure(version: ContentVersion, person: facts.Facts, *, now: datetime) -> Measure:
    """Length, encoding and cost for one person. Raises TemplateProblem."""
    text = rendering.compile(version, None, now=now).preview(person, addresses.PreviewAddresses()).text
    return priced(text, version)


def priced(text: str, version: ContentVersion) -> Measure:
    """Length and cost of a finished text."""
    account = version.message.account
    length = counting.measure(text)
    unit, currency = (account.unit_cost, account.currency) if account else (Decimal(0), "EUR")
    return Measure(text, length, unit * length.segments, currency)
