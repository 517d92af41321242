"""The demo company itself: departments, colleagues, brands, systems, shop, channels and policies."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext

from apps.accounts.models import Department, User
from apps.campaigns.models import Blackout, Brand, ContactPolicy
from apps.channels.models import ChannelAccount
from apps.customers.models import AttributeDefinition, Category, Product, ProductPrice, Source

from .catalogue import ARTICLES, CATEGORIES, price
from .places import COUNTRIES
from .plans import COLLEAGUES, DEPARTMENTS, PASSWORD

COMPANY = "Fjell & Fjord"
ADDRESS = "Fjell & Fjord AS, Storgata 1, 0155 Oslo"
COLOURS = {"retail": "#2f6ea5", "online": "#c8692a", "loyalty": "#3f8a55", "service": "#7a55a8"}


def build(now: datetime) -> None:
    """Everything of the company that does not depend on its customers."""
    departments = {
        slug: Department.objects.create(slug=slug, name=name, colour=place, position=place)
        for slug, name, place in DEPARTMENTS
    }
    password = make_password(PASSWORD)
    for email, name, role, department, privacy in COLLEAGUES:
        User.objects.create(
            email=email, name=name, role=role, department=departments[department], password=password,
            handles_personal_data=privacy, is_staff=role == "administrator", is_superuser=role == "administrator",
        )
    for slug, made in departments.items():
        Brand.objects.create(
            department=made, company_name=COMPANY, colour=COLOURS[slug], sender_name=COMPANY,
            sender_email=f"{slug}@fjellfjord.example", reply_to="kundeservice@fjellfjord.example",
            postal_address=ADDRESS, logo_alt=COMPANY,
        )
    _systems(now)
    _shop(now)
    _policies(now)


def _systems(now: datetime) -> None:
    for code, name in (("web", "Web shop"), ("till", "Till"), ("care", "Customer care")):
        Source.objects.create(code=code, name=name, default_country="NO")
    for key, label, kind in (
        ("tier", gettext("Club level"), "choice"), ("points", gettext("Points"), "number"), ("size", gettext("Size"), "text"),
    ):
        AttributeDefinition.objects.create(
            key=key, label=label, kind=kind, created_at=now, is_personal=False,
            choices=["Bronze", "Silver", "Gold"] if key == "tier" else [],
        )


def _shop(now: datetime) -> None:
    nodes: dict[str, Category] = {}
    for code, name, parent in CATEGORIES:
        node = Category.objects.create(code=code, name=name, parent=nodes.get(parent or ""))
        node.path = f"{node.parent.path if node.parent else '/'}{node.pk}/"
        node.save(update_fields=["path"])
        nodes[code] = node
    for article in ARTICLES:
        product = Product.objects.create(
            sku=article.sku, name=article.en, names=article.names, brand=article.brand,
            category=nodes[article.category], url=f"https://shop.fjellfjord.example/{article.sku.lower()}",
        )
        ProductPrice.objects.bulk_create(
            ProductPrice(
                product=product, country=country.code, currency=country.currency,
                amount=price(article.eur, country.rate, country.currency), valid_from=now.date() - timedelta(days=400),
            )
            for country in COUNTRIES
        )


def _policies(now: datetime) -> None:
    ContactPolicy.objects.create(
        name=gettext("At most 3 contacts in 7 days"), limit=3, hours=7 * 24, created_at=now
    )
    Blackout.objects.create(
        name=gettext("Stocktaking weekend"), starts_on=now.date() + timedelta(days=10),
        ends_on=now.date() + timedelta(days=11), reason=gettext("No goods leave the warehouse."),
    )
    year = now.year if now.month < 12 or now.day < 27 else now.year + 1
    Blackout.objects.create(
        name=gettext("Christmas"), starts_on=f"{year}-12-24", ends_on=f"{year}-12-26",
        reason=gettext("We leave people in peace."),
    )


ACCOUNTS = (
    ("Shop mail", "email", "sandbox_email", "400", "0.0006", "hei@fjellfjord.example"),
    ("Text messages", "sms", "sandbox_sms", "100", "0.05", "+4759440000"),
    ("Print house", "letter", "sandbox_letter", "1000", "0.85", ADDRESS),
    ("Call centre", "call", "sandbox_call", "1000", "2.4", "+4759440001"),
)


def accounts(now: datetime) -> dict[str, ChannelAccount]:
    """The four sandbox accounts, and the partner's that sends elsewhere."""
    made = {}
    for name, channel, adapter, rate, cost, sender in ACCOUNTS:
        made[channel] = ChannelAccount.objects.create(
            name=name, channel=channel, adapter=adapter, rate=rate, unit_cost=cost, sender_name=COMPANY,
            sender_address=sender, is_sandbox=True, created_at=now, daily_capacity=None,
        )
    made["elsewhere"] = ChannelAccount.objects.create(
        name="Partner bank's mailings", channel="email", is_elsewhere=True, created_at=now, sender_name="Partner bank"
    )
    return made
