"""What ways out are said to cost, and what is planned for a segment."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from pyroaring import BitMap

from apps.campaigns.conflicts import panels, resolve, response, segments
from apps.campaigns.models import Delivery, Message
from apps.core import clock
from tests.factories.campaigns import NOW, MessageFactory
from tests.factories.customers import CustomerFactory, InteractionFactory, SegmentFactory, SourceRecordFactory

from .conftest import count

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh():
    cache.clear()


def contacts(count, *, channel="email", days_ago=20, outcome="sent"):
    """So many ledger rows of people without a name, on one day."""
    at = NOW - timedelta(days=days_ago)
    Delivery.objects.bulk_create([
        Delivery(
            run_day=at.date(), run_id=900, customer_id=10_000_000 + place, outcome=outcome, at=at, message_id=1, campaign_id=1,
            department_id=1, channel=channel, purpose_class="promotion",
        )
        for place in range(count)
    ])


def test_expected_orders_come_from_purchases_after_past_contacts_with_the_prior_stated(scene):
    contacts(995)
    for place in range(5):
        record = SourceRecordFactory(customer=CustomerFactory())
        at = NOW - timedelta(days=20)
        Delivery.objects.create(
            run_day=at.date(), run_id=900, customer_id=record.customer_id, outcome="sent", at=at, message_id=1, campaign_id=1,
            department_id=1, channel="email", purpose_class="promotion",
        )
        InteractionFactory(
            customer=record.customer, source_record=record, kind="purchase", at=at + timedelta(days=1 if place else 9)
        )
    past = response.past(now=NOW)
    assert past.counts == {"email": (1000, 4)}
    assert past.rate("email") == pytest.approx((4 + 0.004 * 500) / 1500)
    ways = {way.key: way for way in resolve.ways_out(scene.conflict, now=NOW)}
    assert ways[f"leave_out:{scene.online.pk}"].orders_lost == pytest.approx(60 * 0.004)


def test_without_a_basis_nothing_is_claimed(scene):
    contacts(400)
    assert response.past(now=NOW).orders(60, ["email"]) is None
    panel = panels.of(scene.conflict.pk, user=scene.retail_lead, now=NOW)
    assert "not enough past contacts" in panel.basis


def test_only_what_was_really_sent_and_had_its_week_counts(scene):
    contacts(300, outcome="refused")
    contacts(300, days_ago=3, channel="sms")
    assert response.past(now=NOW).contacts == 0


def test_a_public_side_or_a_safety_notice_is_not_asked_to_leave_people_out(scene):
    Message.objects.filter(campaign=scene.online).update(kind="unaddressed", channel="unaddressed")
    keys = {way.key for way in resolve.ways_out(scene.conflict, now=NOW)}
    assert not any(key.startswith("leave_out") for key in keys)


def test_what_has_begun_is_not_offered_to_move(scene):
    scene.online.status = "live"
    scene.online.save()
    keys = {way.key for way in resolve.ways_out(scene.conflict, now=NOW)}
    assert not any(key.startswith(f"move:{scene.online.pk}") for key in keys)
    assert any(key.startswith(f"move:{scene.retail.pk}") for key in keys)


def test_the_audience_page_is_told_what_is_planned_for_these_people(client, scene, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    segment = SegmentFactory(people=BitMap(range(50, 150)), count=100, computed_at=NOW)
    rows = segments.overlap(segment.pk, now=NOW)
    assert [(row.message.campaign, row.people) for row in rows] == [(scene.online, 100), (scene.retail, 50)]
    client.force_login(scene.retail_lead)
    page = client.get(f"/conflicts/segment/{segment.pk}/").content.decode()
    assert "Black Week online" in page


def test_beside_a_public_side_no_share_is_told_and_nobody_is_left_out(client, scene, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    Message.objects.filter(campaign=scene.online).update(
        kind="unaddressed", channel="unaddressed", plan_audience=BitMap(range(3)), plan_count=3
    )
    count()
    panel = panels.of(scene.conflict.pk, user=scene.retail_lead, now=NOW)
    assert (panel.shares, panel.has_public_side, [side.people for side in panel.sides]) == ("", True, [100, None])
    assert {way.action for way in resolve.ways_out(scene.conflict, now=NOW)} == {"move", "cancel", "accept"}
    assert {way.campaign_id for way in resolve.ways_out(scene.conflict, now=NOW) if way.action == "move"} == {
        scene.retail.pk, scene.online.pk
    }
    client.force_login(scene.retail_lead)
    page = client.get(f"/conflicts/{scene.conflict.pk}/").content.decode()
    assert "One side is for everybody" in page
    assert all(int(share) <= 100 for share in re.findall(r"(\d+) % of", page))


def test_a_campaign_with_a_public_and_an_addressed_message_can_still_leave_addressed_people_out(scene):
    MessageFactory(campaign=scene.retail, kind="unaddressed", channel="unaddressed", offer=scene.retail.messages.get().offer,
                   send_at=NOW + timedelta(days=2), plan_audience=BitMap(), plan_count=0, plan_computed_at=NOW)  # fmt: skip
    count()
    way = next(way for way in resolve.ways_out(scene.conflict, now=NOW) if way.key == f"leave_out:{scene.online.pk}")
    assert way.people_lost == 60
    assert {effect.rule: effect.after for effect in way.effects} == {"overlap": 0, "offers": 140}
