"""Plans for tests: a campaign with messages, content, offers and approvals."""

from datetime import UTC, date, datetime, timedelta

import factory
from factory.django import DjangoModelFactory

from apps.accounts.models import Role
from apps.campaigns.models import (
    Blackout,
    Brand,
    Campaign,
    ContactPolicy,
    ContentVersion,
    Message,
    Offer,
    OfferPrice,
    Programme,
)
from apps.channels.models import ChannelAccount
from apps.consent.models import Purpose
from tests.factories.accounts import DepartmentFactory, UserFactory

# a Wednesday morning: no weekend, no quiet hour, no clock change near
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


class OffersPurposeFactory(DjangoModelFactory[Purpose]):
    """The purpose of ordinary advertising: needs consent."""

    class Meta:
        model = Purpose
        django_get_or_create = ("code",)

    code = "offers"
    name = "Offers"
    purpose_class = "promotion"


class MailAccountFactory(DjangoModelFactory[ChannelAccount]):
    """An e-mail account at the sandbox counterpart."""

    class Meta:
        model = ChannelAccount
        django_get_or_create = ("name",)

    name = "Test mail"
    channel = "email"
    adapter = "smtp"
    is_sandbox = True
    sender_name = "Nordlys"
    sender_address = "hello@nordlys.example"
    created_at = NOW


class ProgrammeFactory(DjangoModelFactory[Programme]):
    class Meta:
        model = Programme

    name = "Black Week"
    starts_on = date(2026, 11, 23)
    ends_on = date(2026, 11, 30)
    created_at = NOW


class CampaignFactory(DjangoModelFactory[Campaign]):
    class Meta:
        model = Campaign

    name = factory.Sequence(lambda number: f"Campaign {number}")
    department = factory.SubFactory(DepartmentFactory)
    owner = factory.LazyAttribute(lambda campaign: UserFactory(department=campaign.department))
    starts_on = date(2026, 11, 18)
    ends_on = date(2026, 11, 30)
    created_at = NOW
    updated_at = NOW


class OfferFactory(DjangoModelFactory[Offer]):
    class Meta:
        model = Offer

    name = factory.Sequence(lambda number: f"Offer {number}")
    department = factory.SubFactory(DepartmentFactory)
    kind = "percent"
    value = 30
    code = "WINTER30"
    valid_from = NOW - timedelta(days=1)
    valid_until = NOW + timedelta(days=20)
    created_at = NOW


class OfferPriceFactory(DjangoModelFactory[OfferPrice]):
    class Meta:
        model = OfferPrice

    offer = factory.SubFactory(OfferFactory)
    country = "NO"
    currency = "NOK"
    amount = 999


class MessageFactory(DjangoModelFactory[Message]):
    """An e-mail in two days. ``include=[segment, ...]`` says to whom, ``exclude`` whom not."""

    class Meta:
        model = Message
        skip_postgeneration_save = True

    campaign = factory.SubFactory(CampaignFactory)
    name = factory.Sequence(lambda number: f"Message {number}")
    channel = "email"
    account = factory.Maybe(
        "is_mail", yes_declaration=factory.SubFactory(MailAccountFactory), no_declaration=None
    )
    purpose = factory.SubFactory(OffersPurposeFactory)
    send_at = NOW + timedelta(days=2)
    created_at = NOW

    class Params:
        is_mail = factory.LazyAttribute(lambda message: message.channel == "email")

    @factory.post_generation
    def include(self, create: bool, extracted: list | None, **kwargs: object) -> None:
        if extracted:
            self.include.set(extracted)

    @factory.post_generation
    def exclude(self, create: bool, extracted: list | None, **kwargs: object) -> None:
        if extracted:
            self.exclude.set(extracted)


class ContentVersionFactory(DjangoModelFactory[ContentVersion]):
    class Meta:
        model = ContentVersion

    message = factory.SubFactory(MessageFactory)
    language = "nb"
    variant = "A"
    subject = "Hei {{ customer.given_name }}"
    blocks = factory.LazyFunction(
        lambda: [
            {"id": "b1", "kind": "heading", "text": "Vinteren er her", "level": 1},
            {"id": "b2", "kind": "text", "text": "Hei {{ customer.given_name }}, se hva vi har til deg."},
            {"id": "b3", "kind": "button", "label": "Se tilbudet", "url": "https://nordlys.example/tilbud"},
        ]
    )
    is_fallback = True
    updated_at = NOW


class BrandFactory(DjangoModelFactory[Brand]):
    class Meta:
        model = Brand
        django_get_or_create = ("department",)

    department = factory.SubFactory(DepartmentFactory)
    company_name = "Nordlys"
    sender_name = "Nordlys"
    sender_email = "hello@nordlys.example"
    postal_address = "Storgata 1, 0155 Oslo"


class ContactPolicyFactory(DjangoModelFactory[ContactPolicy]):
    class Meta:
        model = ContactPolicy

    name = factory.Sequence(lambda number: f"Policy {number}")
    limit = 3
    hours = 7 * 24
    created_at = NOW


class BlackoutFactory(DjangoModelFactory[Blackout]):
    class Meta:
        model = Blackout

    name = "Christmas"
    starts_on = date(2026, 12, 24)
    ends_on = date(2026, 12, 26)


def lead(department, **fields):
    """A lead of a department: may approve what others ask for."""
    return UserFactory(department=department, role=Role.LEAD, **fields)
