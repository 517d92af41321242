"""Finished sending for tests: ledger rows, events and purchases written by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.campaigns.models import Delivery, Message, Run
from apps.channels.models import ContactEvent
from apps.core.clock import company_day
from apps.customers.models import Customer, Interaction
from tests.factories.campaigns import MessageFactory
from tests.factories.customers import InteractionFactory

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def run_of(message: Message | None = None, at: datetime = NOW, **fields: Any) -> Run:
    """A run of a message (a new one by default) at a moment."""
    message = message or MessageFactory()
    return Run.objects.create(
        message=message, occurrence=f"{at.isoformat()}", run_day=company_day(at), scheduled_at=at, deadline=at + 2 * DAY,
        state="done", audience=fields.pop("audience", []), audience_count=0, planned_at=at, started_at=at, **fields,
    )  # fmt: skip


def delivery(run: Run, customer: Customer, outcome: str = "sent", **fields: Any) -> Delivery:
    """One ledger row."""
    message = run.message
    given = {"at": run.scheduled_at, "channel": message.channel, "variant": "A" if outcome == "sent" else ""} | fields
    return Delivery.objects.create(
        run_day=run.run_day, run_id=run.pk, customer_id=customer.pk, outcome=outcome, message_id=message.pk,
        campaign_id=message.campaign_id, department_id=message.campaign.department_id, purpose_class="promotion",
        account_id=message.account_id, **given,
    )  # fmt: skip


def event(run: Run, customer: Customer, kind: str, at: datetime | None = None, **fields: Any) -> ContactEvent:
    """Something that happened to a delivery."""
    at = at or run.scheduled_at + HOUR
    number = ContactEvent.objects.count()
    return ContactEvent.objects.create(
        run_id=run.pk, customer_id=customer.pk, account=run.message.account, channel=run.message.channel, kind=kind, at=at,
        recorded_at=at, dedupe_key=f"t{number}", **fields,
    )  # fmt: skip


def purchase(customer: Customer, at: datetime, value: str = "100.00", currency: str = "NOK") -> Interaction:
    """A purchase of a customer."""
    return InteractionFactory(
        source_record=customer.source_records.get(), customer=customer, at=at, value=Decimal(value), currency=currency,
        recorded_at=at,
    )  # fmt: skip
