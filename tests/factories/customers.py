"""People for tests: one call makes a customer with a source record and addresses."""

from datetime import UTC, datetime
from typing import Any

import factory
from factory.django import DjangoModelFactory

from apps.customers.models import (
    Category,
    ContactPoint,
    Customer,
    Interaction,
    Product,
    ProductPrice,
    Segment,
    Source,
    SourceRecord,
)

LONG_AGO = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class SourceFactory(DjangoModelFactory[Source]):
    class Meta:
        model = Source
        django_get_or_create = ("code",)

    code = "shop"
    name = factory.LazyAttribute(lambda source: source.code.title())
    default_country = "NO"


class CustomerFactory(DjangoModelFactory[Customer]):
    class Meta:
        model = Customer

    given_name = "Kari"
    family_name = factory.Sequence(lambda n: f"Hansen{n}")
    name = factory.LazyAttribute(lambda person: f"{person.given_name} {person.family_name}")
    sort_key = factory.LazyAttribute(lambda person: f"{person.family_name} {person.given_name}".lower())
    language = "nb"
    country = "NO"
    city = "Oslo"
    time_zone = "Europe/Oslo"
    created_at = LONG_AGO
    updated_at = LONG_AGO


class SourceRecordFactory(DjangoModelFactory[SourceRecord]):
    class Meta:
        model = SourceRecord

    source = factory.SubFactory(SourceFactory)
    customer = factory.SubFactory(CustomerFactory)
    external_id = factory.Sequence(lambda n: f"R{n}")
    first_seen = LONG_AGO
    last_seen = LONG_AGO


class ContactPointFactory(DjangoModelFactory[ContactPoint]):
    class Meta:
        model = ContactPoint

    source_record = factory.SubFactory(SourceRecordFactory)
    customer = factory.SelfAttribute("source_record.customer")
    kind = "email"
    value = factory.Sequence(lambda n: f"person{n}@example.no")
    valid_from = LONG_AGO
    is_preferred = True


class CategoryFactory(DjangoModelFactory[Category]):
    class Meta:
        model = Category
        django_get_or_create = ("code",)
        skip_postgeneration_save = True

    code = "coats"
    name = "Coats"

    @factory.post_generation
    def _path(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        parent = self.parent.path if self.parent else "/"
        Category.objects.filter(pk=self.pk).update(path=f"{parent}{self.pk}/")
        self.refresh_from_db()


class ProductFactory(DjangoModelFactory[Product]):
    class Meta:
        model = Product

    sku = factory.Sequence(lambda n: f"SKU{n}")
    name = "Winter coat"
    category = factory.SubFactory(CategoryFactory)


class ProductPriceFactory(DjangoModelFactory[ProductPrice]):
    class Meta:
        model = ProductPrice

    product = factory.SubFactory(ProductFactory)
    country = "NO"
    currency = "NOK"
    amount = 1499
    valid_from = LONG_AGO.date()


class InteractionFactory(DjangoModelFactory[Interaction]):
    class Meta:
        model = Interaction

    source_record = factory.SubFactory(SourceRecordFactory)
    customer = factory.SelfAttribute("source_record.customer")
    source = factory.SelfAttribute("source_record.source")
    kind = "purchase"
    channel = "store"
    at = LONG_AGO
    recorded_at = factory.SelfAttribute("at")


class SegmentFactory(DjangoModelFactory[Segment]):
    class Meta:
        model = Segment

    name = factory.Sequence(lambda n: f"Segment {n}")
    rule = factory.LazyFunction(lambda: {"is": "everyone"})
    created_at = LONG_AGO


def person(*, email: str = "", phone: str = "", postal: str = "", source: str = "shop", **fields: Any) -> Customer:
    """A customer with one source record and the given addresses; without any, an e-mail address is made up."""
    customer = CustomerFactory(**fields)
    record = SourceRecordFactory(source=SourceFactory(code=source), customer=customer)
    given = {"email": email, "phone": phone, "postal": postal}
    if not any(given.values()):
        given["email"] = f"person{customer.pk}@example.no"
    for kind, value in given.items():
        if value:
            ContactPointFactory(source_record=record, kind=kind, value=value)
    return customer
