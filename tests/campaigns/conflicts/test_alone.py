"""Ways out of what one campaign has against the calendar: its people left out, or cancelled, signed by whom it touches."""

from datetime import time, timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns.conflicts import agree, resolve
from apps.campaigns.models import Campaign, Chunk, Conflict, Delivery, Exclusivity, Message, QuietHours
from apps.campaigns.sending import explain, left_out, proof
from apps.campaigns.sending.occurrences import occurrences
from apps.campaigns.sending.plan import plan_run
from apps.customers.models import Customer
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import NOW, OfferFactory
from tests.factories.customers import CategoryFactory, CustomerFactory

from .conftest import count, planned

pytestmark = pytest.mark.django_db


@pytest.fixture
def night(db):
    """An e-mail at ten in Oslo to three people, one of them in New York, where it is four at night."""
    QuietHours.objects.all().delete()
    QuietHours.objects.create(name="Night", begins=time(22), ends=time(6))
    homes = [("NO", "Europe/Oslo"), ("NO", "Europe/Oslo"), ("US", "America/New_York")]
    people = [CustomerFactory(country=country, time_zone=zone) for country, zone in homes]
    retail = DepartmentFactory(name="Retail", slug="retail")
    campaign = planned(retail, [one.pk for one in people], days=2, name="Winter")
    message = campaign.messages.get()
    message.audience_rule = {"is": "everyone"}
    message.save()
    count()
    return campaign, people, UserFactory(role="lead", department=retail)


def test_the_ways_are_to_leave_these_people_out_to_cancel_and_to_accept(night):
    conflict = Conflict.objects.get(rule="quiet_hours")
    ways = {way.action: way for way in resolve.ways_out(conflict, now=NOW)}
    assert set(ways) == {"leave_out", "cancel", "accept"}, "another day has the same night"
    assert (ways["leave_out"].people_lost, ways["cancel"].people_lost) == (1, 3)
    assert [effect.after for effect in ways["leave_out"].effects] == [0]


def test_leaving_them_out_excludes_them_and_settles_it_and_withdrawing_brings_them_back(night):
    campaign, people, boss = night
    conflict = Conflict.objects.get(rule="quiet_hours")
    resolution = agree.propose(actor=boss, conflict=conflict, way=f"leave_out:{campaign.pk}", now=NOW)
    conflict.refresh_from_db()
    message = Message.objects.get(campaign=campaign)
    assert (resolution.state, conflict.state) == ("applied", "resolved")
    assert [set(segment.people) for segment in message.exclude.all()] == [{people[2].pk}]
    assert set(message.plan_audience) == {people[0].pk, people[1].pk}
    count(NOW + timedelta(minutes=1))
    assert not Conflict.objects.filter(rule="quiet_hours", state="open").exists()
    agree.end(actor=boss, resolution=resolution, reason="They asked for it", now=NOW + timedelta(minutes=2))
    assert not Message.objects.get(campaign=campaign).exclude.exists()
    conflict.refresh_from_db()
    assert conflict.state == "open"


def test_who_joins_after_the_signing_is_left_out_by_the_run_too_and_the_ledger_says_so(night):
    campaign, people, boss = night
    conflict = Conflict.objects.get(rule="quiet_hours")
    resolution = agree.propose(actor=boss, conflict=conflict, way=f"leave_out:{campaign.pk}", now=NOW)
    late = [CustomerFactory(country=country, time_zone=zone) for country, zone in (("NO", "Europe/Oslo"), ("US", "America/New_York"))]
    message = Message.objects.select_related("campaign", "purpose").get(campaign=campaign)
    Campaign.objects.filter(pk=campaign.pk).update(status="scheduled")
    message.refresh_from_db()
    run = plan_run(message, occurrences(message, message.send_at, message.send_at)[0], now=message.send_at)
    rows = Delivery.objects.filter(run_id=run.pk, reason="left_out")
    assert set(rows.values_list("customer_id", "rule")) == {(pk, f"resolution.{resolution.pk}") for pk in (people[2].pk, late[1].pk)}
    assert BitMap.union(*Chunk.objects.values_list("people", flat=True)) == BitMap([people[0].pk, people[1].pk, late[0].pk])
    shown = proof.run_proof(run)
    assert (shown["audience"], shown["refused"], proof.adds_up(shown)) == (5, {"left_out": 2}, True)
    assert explain.of_customer(late[1].pk)[0].rule == "In quiet hours"
    agree.end(actor=boss, resolution=resolution, reason="They asked for it", now=message.send_at)
    assert left_out.of(message, run.audience, message.send_at, now=message.send_at) == {}


def test_cancelling_ends_the_campaign_and_what_it_collided_with(night):
    campaign, _people, boss = night
    conflict = Conflict.objects.get(rule="quiet_hours")
    resolution = agree.propose(actor=boss, conflict=conflict, way=f"cancel:{campaign.pk}", now=NOW)
    conflict.refresh_from_db()
    assert (Campaign.objects.get(pk=campaign.pk).status, conflict.state) == ("cancelled", "resolved")
    assert not agree.may_end(boss, resolution), "cancelling is for good"


def test_whose_right_it_is_has_to_sign_too():
    retail, brand = DepartmentFactory(name="Retail", slug="retail"), DepartmentFactory(name="Brand", slug="brand")
    coats = CategoryFactory(name="Coats", path="/1/")
    Exclusivity.objects.create(
        name="Coat weeks", category=coats, department=brand, starts_on=NOW.date(), ends_on=(NOW + timedelta(days=9)).date()
    )
    planned(retail, range(100), offer=OfferFactory(category=coats, department=retail), days=2, name="Winter")
    count()
    conflict = Conflict.objects.get(rule="exclusivity")
    retail_lead, brand_lead = (UserFactory(role="lead", department=each) for each in (retail, brand))
    resolution = agree.propose(
        actor=retail_lead, conflict=conflict, way="accept", reason="Talked it over", expires_on=(NOW + timedelta(days=9)).date(), now=NOW
    )
    assert resolution.state == "proposed"
    agree.sign(actor=brand_lead, resolution=resolution, agrees=True, now=NOW)
    conflict.refresh_from_db()
    assert conflict.state == "accepted"


def test_everybody_of_the_audience_cannot_be_left_out(night):
    campaign, people, _boss = night
    Customer.objects.update(country="US", time_zone="America/New_York")
    Message.objects.filter(campaign=campaign).update(plan_audience=BitMap(one.pk for one in people))
    count(NOW + timedelta(minutes=1))
    conflict = Conflict.objects.get(rule="quiet_hours")
    assert conflict.people_count == 3
    assert {way.action for way in resolve.ways_out(conflict, now=NOW)} == {"cancel", "accept"}
