"""Writing down by hand what a customer did: at the counter, on the phone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.models import User
from apps.customers import care
from apps.customers.models import Customer, Interaction, Product, Source, SourceRecord

COUNTER = "counter"


class CannotRecord(Exception):
    """The event cannot be written down; the message says why."""


@transaction.atomic
def record(
    *,
    customer: Customer,
    kind: str,
    channel: str,
    at: datetime,
    actor: User | None,
    now: datetime,
    product: Product | None = None,
    value: Decimal | None = None,
    currency: str = "",
    quantity: int | None = None,
    detail: dict[str, Any] | None = None,
    key: str = "",
) -> Interaction:
    """One event with the source *counter*. ``key`` makes a second click harmless: the first event is returned."""
    if not Customer.objects.living().filter(pk=customer.pk).exists():
        raise CannotRecord(_("This person is not there any more."))
    if at > now:
        raise CannotRecord(_("This is in the future."))
    source, _made = Source.objects.get_or_create(code=COUNTER, defaults={"name": _("Store counter")})
    if key and (known := Interaction.objects.filter(source=source, external_id=key).first()):
        return known
    made = Interaction.objects.create(
        customer=customer, source_record=record_of(customer, source, now), source=source, kind=kind, channel=channel,
        at=at, value=value, currency=currency, product=product, quantity=quantity, external_id=key,
        detail=detail or {}, recorded_at=now,
    )  # fmt: skip
    care.take_complaints("i.id = %s", [made.pk], now=now, source=COUNTER)
    audit.record(actor=actor, action="interaction.recorded", subject=made, after={"kind": kind}, now=now)
    return made


def record_of(customer: Customer, source: Source, now: datetime) -> SourceRecord:
    """The person's record in a source of our own, made when missing."""
    found, _made = SourceRecord.objects.get_or_create(
        source=source,
        external_id=f"c{customer.pk}",
        defaults={"customer": customer, "first_seen": now, "last_seen": now},
    )
    if found.customer_id != customer.pk:
        found = SourceRecord.objects.filter(source=source, customer=customer).first() or SourceRecord.objects.create(
            source=source, customer=customer, external_id=f"c{customer.pk}-{now:%Y%m%d%H%M%S}", first_seen=now,
            last_seen=now,
        )  # fmt: skip
    return found
