"""Findings about limits on the real plan: what they cost to find, and holding to the limit as a way out."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from pyroaring import BitMap

from apps.campaigns.calendar import figures
from apps.campaigns.conflicts import agree, loading, panels, passes, resolve
from apps.campaigns.models import Capacity, Conflict, Message, MinimumGap
from apps.core import clock
from tests.factories.accounts import DepartmentFactory
from tests.factories.campaigns import NOW, ContactPolicyFactory, MessageFactory, OffersPurposeFactory

from .conftest import count, planned

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def limited(scene):
    """One contact a week: 60 people are in both campaigns, and the online one comes second."""
    ContactPolicyFactory(name="One a week", limit=1, hours=7 * 24)
    count()
    return scene


def pressed() -> Conflict:
    return Conflict.objects.get(rule="pressure")


def test_the_sentence_names_the_limit_and_who_goes_before(limited):
    assert passes.sentence(pressed()) == (
        f"{limited.online_message.name} of Black Week online (21 Nov) would be one contact too many for 60 people under One a "
        "week (1 in 7 days): Black Week in store (60) go before it."
    )
    assert (pressed().first_campaign, pressed().second_campaign, pressed().severity) == (limited.online, None, 3)


def test_a_limit_that_sending_keeps_by_itself_holds_no_campaign_up(limited):
    Conflict.objects.exclude(rule="pressure").delete()
    assert not passes.blocking(limited.online).exists()
    assert [row.rule for row in passes.warnings(limited.online)] == ["pressure"]


def test_rule_and_strip_agree_on_the_people(limited):
    message = limited.online_message
    assert set(pressed().people_both) == set(range(40, 100))
    day = message.send_at.date()
    assert figures.pressed(day, now=NOW).people == pressed().people_both


def test_holding_to_the_limit_settles_it_until_it_is_clearly_worse(limited):
    ways = {way.action: way for way in resolve.ways_out(pressed(), now=NOW)}
    assert (ways["cap"].people_lost, ways["cap"].key) == (60, f"cap:{limited.online.pk}")
    assert set(ways) >= {"cap", "move", "accept"}
    resolution = agree.propose(actor=limited.online_lead, conflict=pressed(), way=ways["cap"].key, now=NOW)
    assert (resolution.state, pressed().state) == ("applied", "resolved")
    count()
    assert pressed().state == "resolved"
    shown = panels.of(pressed().pk, user=limited.online_lead, now=NOW)
    assert "Hold to the limit" in shown.resolutions[0]["label"]
    Message.objects.filter(campaign=limited.retail).update(plan_audience=BitMap(range(240)), plan_count=240)
    count()
    assert (pressed().state, pressed().people_count) == ("open", 200)


def test_a_lead_who_withdraws_from_holding_to_the_limit_opens_it_again(limited):
    resolution = agree.propose(actor=limited.online_lead, conflict=pressed(), way=f"cap:{limited.online.pk}", now=NOW)
    agree.end(actor=limited.online_lead, resolution=resolution, reason="Reach matters more", now=NOW)
    assert pressed().state == "open"


def test_until_people_are_counted_what_was_found_about_limits_stands(limited):
    passes.plan_changed(campaign_ids=[limited.online.pk], now=NOW)
    assert pressed().state == "open"
    Message.objects.filter(campaign=limited.online).update(send_at=NOW + timedelta(days=9))
    passes.plan_changed(campaign_ids=[limited.online.pk], now=NOW)
    assert pressed().state == "open"
    count()
    assert pressed().state == "obsolete"


def test_finding_under_limits_takes_a_number_of_queries_that_does_not_grow(limited, django_assert_max_num_queries):
    MinimumGap.objects.create(name="A day", hours=25)
    account = limited.online_message.account
    Capacity.objects.create(
        name="Warm-up", channel="email", account=account, starts_on=NOW.date(), per_day=20, growth_percent=10
    )
    Message.objects.update(purpose=OffersPurposeFactory())
    with django_assert_max_num_queries(31):
        found = passes.find(loading.load(now=NOW))
    assert {finding.rule for finding in found} >= {"pressure", "spacing"}
    for number in range(12):
        campaign = planned(DepartmentFactory(), range(number, 200), days=number % 5)
        MessageFactory(
            campaign=campaign, recurrence="FREQ=DAILY;COUNT=5", account=account, purpose=OffersPurposeFactory(),
            plan_audience=BitMap(range(300)), plan_count=300,
        )
    with django_assert_max_num_queries(31):
        assert len(passes.find(loading.load(now=NOW))) > len(found)


def test_the_page_shows_who_goes_before_it_and_does_not_claim_to_hold_it_up(limited, client):
    client.force_login(limited.online_lead)
    page = client.get(f"/conflicts/{pressed().pk}/").content.decode()
    assert "What goes before it" in page
    assert "cannot be scheduled" not in page
    assert "It stays as it is for 60 people." in page
    assert "Hold to the limit: Black Week online" in page
