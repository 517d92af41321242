"""Consent for tests: purposes are there from the migration; a yes or no is one call."""

from datetime import UTC, datetime
from typing import Any

from apps.consent import ledger
from apps.consent.models import ConsentAction, ConsentEvent, Purpose
from apps.customers.models import Customer

LONG_AGO = datetime(2026, 1, 6, 9, 0, tzinfo=UTC)


def purpose(code: str = "offers") -> Purpose:
    """One of the default purposes: offers, newsletter, service, safety, measurement."""
    return Purpose.objects.get(code=code)


def said(customer: Customer | int, action: str, *, at: datetime = LONG_AGO, **fields: Any) -> ConsentEvent:
    """The person said yes, no or confirmed: by e-mail for offers, unless told otherwise."""
    fields.setdefault("channel", "email")
    fields.setdefault("by_person", True)
    why = fields.pop("purpose", "offers")
    return ledger.record(
        customer=customer, purpose=purpose(why) if isinstance(why, str) else why, action=action, at=at,
        recorded_at=at, source=fields.pop("source", "web shop"), method=fields.pop("method", "checkout form"), **fields,
    )  # fmt: skip


def yes(customer: Customer | int, **fields: Any) -> ConsentEvent:
    return said(customer, ConsentAction.GRANT, **fields)


def no(customer: Customer | int, **fields: Any) -> ConsentEvent:
    return said(customer, ConsentAction.WITHDRAW, **fields)
