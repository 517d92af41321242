"""What the demo company's plans have to keep to: limits, quiet hours, rights, pairs of offers, capacities, and who is served first."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.utils.translation import gettext

from apps.campaigns.models import Capacity, Embargo, Exclusivity, MinimumGap, OfferPairing, QuietHours, RuleParameter
from apps.campaigns.models.constraints import PairingKind
from apps.customers.models import CareFlag, Category, Customer, Interaction
from apps.customers.models.care import CareReason

from .campaigns import Cast

# One seat in the call centre for so many customers, in a busy week.
CUSTOMERS_A_CALL = 600
# Fewer people than one in so many over a limit are left out without a word.
CUSTOMERS_A_LINE = 50


def build(cast: Cast, *, customers: int, now: datetime) -> None:
    """Everything of it, by the plan's own days."""
    RuleParameter.objects.create(code="pressure_people", value=customers // CUSTOMERS_A_LINE)
    _hours()
    _goods(cast)
    _capacities(cast, customers)
    _care(customers, now)


def _hours() -> None:
    MinimumGap.objects.create(name=gettext("A day between two texts"), hours=24, channels=["sms"])
    QuietHours.objects.create(
        name=gettext("No texts at night overseas"), begins=time(21), ends=time(8), channels=["sms"], countries=["US"],
        source=gettext("Our own promise to customers"),
    )


def _goods(cast: Cast) -> None:
    OfferPairing.objects.create(
        name=gettext("Points or free delivery, not both"), kind=PairingKind.NEVER_TOGETHER, days=5,
        first_offer=cast.offers["freight"], second_offer=cast.offers["points2"],
    )
    Exclusivity.objects.create(
        name=gettext("Outerwear in Black Week"), starts_on=cast.moment(15).date(), ends_on=cast.moment(21).date(),
        category=Category.objects.get(code="outerwear"), department=cast.departments["retail"],
    )
    Embargo.objects.create(
        name=gettext("The new skis"), lifts_at=cast.moment(29, 12), category=Category.objects.get(code="ski"),
        reason=gettext("The maker shows them first."),
    )


def _capacities(cast: Cast, customers: int) -> None:
    Capacity.objects.create(
        name=gettext("Seats in the call centre, Advent"), channel="call", account=cast.accounts["call"],
        starts_on=cast.moment(20).date(), ends_on=cast.moment(34).date(), per_day=max(1, customers // CUSTOMERS_A_CALL),
    )
    Capacity.objects.create(
        name=gettext("Warm-up of the new text sender"), channel="sms", account=cast.accounts["sms"],
        starts_on=cast.moment(-20).date(), ends_on=cast.moment(20).date(), per_day=max(50, customers // 20), growth_percent=15,
    )


def _care(customers: int, now: datetime) -> None:
    """The latest complaints are still open; two families are in mourning; a few have yet to send a recalled lamp back."""
    complained = Interaction.objects.filter(kind="complaint").order_by("-at").values_list("customer_id", "at")[:5]
    flags = {person: (CareReason.COMPLAINT, at) for person, at in complained}
    # a partner writes to Gold members by its own tool, which would not know
    others = Customer.objects.living().exclude(pk__in=flags).exclude(attributes__tier="Gold").order_by("pk").values_list("pk", flat=True)
    for place, person in enumerate(others[: 20 + customers // 1000]):
        reason = CareReason.BEREAVEMENT if place < 2 else CareReason.RECALL if place < 8 else CareReason.COMPLAINT
        flags[person] = (reason, now - timedelta(days=1 + place % 9))
    CareFlag.objects.bulk_create(
        CareFlag(customer_id=person, reason=reason, since=since, source="care") for person, (reason, since) in flags.items()
    )
