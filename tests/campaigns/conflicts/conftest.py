"""Two departments, two campaigns, the same people: the situation that everything here starts from."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.accounts.models import User
from apps.campaigns.conflicts import passes
from apps.campaigns.models import Campaign, Conflict, Message, PlanVersion
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import NOW, CampaignFactory, MessageFactory, OfferFactory
from tests.factories.customers import CategoryFactory


def planned(department, people, *, offer=None, days=2, status="approved", name="Campaign", **values):
    """A campaign with one e-mail in ``days`` days to ``people``, counted already."""
    starts = (NOW + timedelta(days=days)).date()
    campaign = CampaignFactory(
        name=name, department=department, status=status, starts_on=starts, ends_on=starts + timedelta(days=9)
    )
    MessageFactory(
        campaign=campaign, send_at=NOW + timedelta(days=days, **values), offer=offer, plan_audience=BitMap(people),
        plan_count=len(people), plan_computed_at=NOW,
    )
    return campaign


def count(now=NOW):
    """Runs the people pass for the plan as it stands."""
    version = PlanVersion.objects.first() or PlanVersion.objects.create(pk=1, number=1, changed_at=now)
    assert passes.count_people(number=version.number, now=now)


@dataclass
class Scene:
    retail: Campaign
    online: Campaign
    retail_lead: User
    online_lead: User

    @property
    def conflict(self) -> Conflict:
        return Conflict.objects.get(rule="offers")

    @property
    def online_message(self) -> Message:
        return self.online.messages.get()


@pytest.fixture
def scene(db):
    """Retail sells coats at full price, Online at 30 per cent off, to 60 of the same people, a day apart."""
    retail, online = DepartmentFactory(name="Retail", slug="retail"), DepartmentFactory(name="Online", slug="online")
    coats = CategoryFactory(name="Coats", path="/1/")
    full = OfferFactory(name="no discount", kind="full_price", value=None, category=coats, department=retail)
    less = OfferFactory(name="−30 %", kind="percent", value=30, category=coats, department=online)
    made = Scene(
        planned(retail, range(100), offer=full, days=2, name="Black Week in store"),
        planned(online, range(40, 240), offer=less, days=3, name="Black Week online"),
        UserFactory(role="lead", department=retail), UserFactory(role="lead", department=online),
    )
    count()
    return made
