"""People as a page shows them to its visitor: masked by role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language, gettext
from pyroaring import BitMap

from apps.accounts.masking import mask_email, mask_name, mask_phone, mask_text
from apps.core import zones
from apps.customers.models import ContactPoint, Customer

SAMPLE = 20


@dataclass(frozen=True)
class Person:
    """One line of a list of people."""

    id: int
    name: str
    email: str
    phone: str
    place: str
    language: str


def lines(user: Any, customers: Iterable[Customer]) -> list[Person]:
    """Customers as lines, with their preferred addresses, in two queries."""
    people = list(customers)
    points = ContactPoint.objects.filter(customer__in=people, kind__in=["email", "phone"], valid_to=None).order_by(
        "is_preferred", "-id"
    )
    known = {(one.customer_id, one.kind): one.value for one in points}
    return [
        Person(
            one.pk,
            mask_name(user, one.name) or gettext("without a name"),
            mask_email(user, known.get((one.pk, "email"), "")),
            mask_phone(user, known.get((one.pk, "phone"), "")),
            ", ".join(filter(None, [one.city, one.country])),
            one.language,
        )
        for one in people
    ]


def sample(user: Any, people: BitMap, count: int = SAMPLE) -> list[Person]:
    """Some of the people, spread evenly over all of them."""
    step = max(len(people) // count, 1)
    ids = [people[place] for place in range(0, len(people), step)][:count] if people else []
    return lines(user, Customer.objects.filter(pk__in=ids).order_by("pk"))


def address(user: Any, point: ContactPoint) -> str:
    """One address, masked by its kind."""
    mask = {"email": mask_email, "phone": mask_phone}.get(point.kind, mask_text)
    return mask(user, point.value)


def country_name(code: str) -> str:
    """The country in the visitor's language."""
    return _locale().territories.get(code, code)


def language_name(code: str) -> str:
    """The language in the visitor's language."""
    name = _locale().languages.get(code, code)
    return name[:1].upper() + name[1:]


def _locale() -> Locale:
    try:
        return Locale.parse((get_language() or "en").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def local_time(customer: Customer, now: datetime) -> str:
    """The person's own time, when their zone is certain; empty otherwise."""
    plausible = zones.plausible_zones(customer.country, customer.time_zone)
    if not (customer.country or customer.time_zone):
        return ""
    times = {now.astimezone(zone).strftime("%H:%M") for zone in plausible}
    return times.pop() if len(times) == 1 else ""
