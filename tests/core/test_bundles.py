"""Several tables in one query: the same rows as one by one, with dates and times as the models have them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db.models import F

from apps.accounts.models import Department
from apps.campaigns.conflicts import circumstances
from apps.campaigns.models import Blackout, ChannelWeight, Embargo, QuietHours
from apps.core.bundles import Bundle
from tests.factories.campaigns import BlackoutFactory, ContactPolicyFactory

pytestmark = pytest.mark.django_db


def test_rows_come_in_their_order_with_the_types_of_their_fields(django_assert_num_queries):
    BlackoutFactory(name="Later", starts_on=date(2026, 12, 25), channels=["sms"])
    BlackoutFactory(name="Sooner", starts_on=date(2026, 12, 24))
    bundle = Bundle(
        days=Blackout.objects.order_by("starts_on").values("name", "starts_on", "channels", again=F("name")),
        nothing=Department.objects.filter(name="no such").values("id"),
    )
    with django_assert_num_queries(1):
        rows = bundle.read()
    assert [(row.name, row.again, row.starts_on, row.channels) for row in rows["days"]] == [
        ("Sooner", "Sooner", date(2026, 12, 24), []), ("Later", "Later", date(2026, 12, 25), ["sms"])
    ]
    assert rows["nothing"] == []


def test_what_is_in_force_is_read_in_one_query_as_it_stands(django_assert_num_queries):
    policy = ContactPolicyFactory(limit=3, hours=36)
    ContactPolicyFactory(name="Switched off", is_active=False)
    ChannelWeight.objects.create(policy=policy, channel="call", weight=3)
    lifts = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
    Embargo.objects.create(name="Launch", lifts_at=lifts, brand="Nord")
    QuietHours.objects.create(name="Night", begins=time(21), ends=time(8), weekdays=[1, 7])
    with django_assert_num_queries(1):
        found = circumstances.load()
    assert [(each.limit, each.window, each.weights) for each in found.policies] == [(3, timedelta(hours=36), {"call": 3})]
    assert [(each.lifts_at, each.brand, each.path) for each in found.embargoes] == [(lifts, "Nord", "")]
    night = next(each for each in found.quiet if each.name == "Night")
    assert (night.begins, night.ends, night.weekdays) == (time(21), time(8), (1, 7))
    assert circumstances.limits()[0] == found.policies
