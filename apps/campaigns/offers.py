"""Offers and brands: their writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from apps.accounts import access, audit
from apps.accounts.models import Department, User
from apps.core import clock

from . import planning
from .models import Brand, Campaign, Offer, OfferPrice
from .models.offers import OfferKind

FIELDS = ("name", "kind", "product", "category", "value", "currency", "code", "claim", "terms")


def span(first: date, last: date) -> tuple[datetime, datetime]:
    """The moments from the beginning of the first to the end of the last day in the company's zone."""
    zone = clock.company_zone()
    return datetime.combine(first, time.min, zone), datetime.combine(last + timedelta(days=1), time.min, zone)


def as_drafted(offer: Offer | None) -> dict[str, Any]:
    """What an offer says now, with its first and its last day in the company's zone and its prices."""
    if offer is None:
        return {"prices": []}
    zone = clock.company_zone()
    return {name: getattr(offer, name) for name in FIELDS} | {
        "first_day": offer.valid_from.astimezone(zone).date(),
        "last_day": (offer.valid_until - timedelta(microseconds=1)).astimezone(zone).date(),
        "prices": list(offer.prices.values("country", "amount", "currency")),
    }


def contradictions(values: Mapping[str, Any]) -> dict[str, str]:
    """What does not fit together in an offer, in words: field -> sentence."""
    found: dict[str, str] = {}
    first, last, kind, value = (values.get(name) for name in ("first_day", "last_day", "kind", "value"))
    if first and last and last < first:
        found["last_day"] = _("The end is before the beginning.")
    if kind in (OfferKind.PERCENT, OfferKind.POINTS) and not value:
        found["value"] = _("Say how much.")
    if kind == OfferKind.PERCENT and value and not 0 < value <= 100:
        found["value"] = _("Per cent are above 0 and at most 100.")
    if kind in (OfferKind.AMOUNT, OfferKind.PRICE) and not (value and values.get("currency")) and not values.get("prices"):
        found["prices"] = _("Give a value with its currency, or prices per country.")
    return found


@transaction.atomic
def save_offer(
    *, actor: User, department: Department, offer: Offer | None, values: Mapping[str, Any],
    valid: tuple[datetime, datetime], prices: Mapping[str, tuple[Decimal, str]], now: datetime,
    expected_version: int | None = None,
) -> Offer:
    """Make or change an offer with its prices per country. Campaigns that were signed with it are asked again.

    Raises planning.EditedMeanwhile when somebody saved since ``expected_version``.
    """
    access.require(access.can_edit(actor, department.pk))
    made = offer is None
    if offer is not None:
        stored = Offer.objects.select_for_update().get(pk=offer.pk).version
        if expected_version not in (None, stored):
            offer.refresh_from_db()
            raise planning.EditedMeanwhile(offer, {name: values[name] for name in FIELDS if name in values})
        offer.version = stored + 1
    offer = offer or Offer(department=department, created_at=now)
    for name in FIELDS:
        if name in values:
            setattr(offer, name, values[name])
    offer.valid_from, offer.valid_until = valid
    offer.save()
    offer.prices.all().delete()
    OfferPrice.objects.bulk_create(
        [OfferPrice(offer=offer, country=country, amount=amount, currency=currency)
         for country, (amount, currency) in prices.items()]
    )  # fmt: skip
    audit.record(
        actor=actor, action="offer.created" if made else "offer.changed", subject=offer, department=department,
        after={name: planning._plain(values[name]) for name in FIELDS if name in values}, now=now,
    )
    for campaign in Campaign.objects.planned().filter(messages__offer=offer).distinct():
        planning.touch(campaign, actor=actor, now=now)
    return offer


@transaction.atomic
def archive_offer(*, actor: User, offer: Offer, now: datetime) -> None:
    """Offer it no more for new messages; those that use it keep it."""
    access.require(access.can_edit(actor, offer.department_id))
    Offer.objects.filter(pk=offer.pk, archived_at=None).update(archived_at=now)
    audit.record(actor=actor, action="offer.archived", subject=offer, department=offer.department, now=now)


@transaction.atomic
def save_brand(
    *, actor: User, department: Department, values: Mapping[str, Any], footers: Mapping[str, str],
    logo: tuple[bytes, str] | None, now: datetime,
) -> Brand:
    """Set a department's look and sender. Its lead does that, or an administrator."""
    access.require(access.can_approve(actor, department.pk) or access.is_administrator(actor))
    brand = Brand.objects.filter(department=department).first() or Brand(department=department)
    for name, value in values.items():
        setattr(brand, name, value)
    brand.footers = dict(footers)
    if logo:
        brand.logo, brand.logo_type = logo
    brand.save()
    audit.record(
        actor=actor, action="brand.changed", subject=brand, department=department,
        after={name: planning._plain(value) for name, value in values.items()}, now=now,
    )
    return brand


def offers_of(user: User) -> models.QuerySet[Offer]:
    """All offers in use, the user's department first."""
    own = models.Case(models.When(department=user.department_id, then=0), default=1, output_field=models.IntegerField())
    found = Offer.objects.filter(archived_at=None).select_related("department", "product", "category")
    return found.annotate(own=own).prefetch_related("prices").order_by("own", "-valid_from", "name")
