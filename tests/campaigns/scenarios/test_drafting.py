"""Trying changes: measured against the real plan, as if counted from scratch, and nothing of the plan is touched."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from apps.campaigns.conflicts import loading, passes
from apps.campaigns.models import Campaign, Message, PlanVersion, Scenario
from apps.campaigns.scenarios import drafting, figures, measuring
from tests.factories.campaigns import NOW

from .conftest import leave_out, move, what_if

pytestmark = pytest.mark.django_db


def test_a_move_is_measured_as_if_the_plan_had_been_moved_and_the_plan_stays(scene):
    scenario = what_if(scene.online_lead)
    move(scene.online_lead, scenario, scene.online, 9)
    before = PlanVersion.objects.get().number
    found = figures.of(scenario, now=NOW)
    assert (found.before.of_weight(), found.after.of_weight()) == (2, 0)
    assert Campaign.objects.get(pk=scene.online.pk).starts_on == scene.online.starts_on
    assert PlanVersion.objects.get().number == before
    Campaign.objects.filter(pk=scene.online.pk).update(starts_on=scene.online.starts_on + timedelta(days=9), ends_on=scene.online.ends_on + timedelta(days=9))
    Message.objects.filter(campaign=scene.online).update(send_at=scene.online_message.send_at + timedelta(days=9))
    plan = loading.load(now=NOW)
    assert measuring.measure(plan, figures.ground_of(scenario, plan)) == found.after


def test_leaving_people_out_costs_their_contacts_and_each_row_stands_on_those_above_it(scene):
    scenario = what_if(scene.online_lead)
    first = leave_out(scene.online_lead, scenario, scene.online, scene.retail)
    second = drafting.put(actor=scene.online_lead, scenario=scenario, kind="cancel", campaign=scene.retail, parameters={}, now=NOW)
    found = figures.of(scenario, now=NOW)
    assert (found.before.contacts, found.rows[first.pk].contacts) == (300, 240)
    assert found.rows[first.pk].of_weight() == 0
    assert found.rows[second.pk].contacts == found.after.contacts
    assert found.contacts_lost == 300 - found.after.contacts


def test_channel_and_priority_are_tried_and_the_same_change_again_replaces_the_first(scene):
    scenario = what_if(scene.online_lead)
    for channel in ("sms", "letter"):
        drafting.put(
            actor=scene.online_lead, scenario=scenario, kind="channel", campaign=scene.online, message_id=scene.online_message.pk,
            parameters={"channel": channel}, now=NOW,
        )
    drafting.put(actor=scene.online_lead, scenario=scenario, kind="priority", campaign=scene.online, parameters={"priority": 80}, now=NOW)
    plan = figures.plan_with(scenario, now=NOW)
    assert plan.messages[scene.online_message.pk].channel == "letter"
    assert plan.messages[scene.online_message.pk].priority == 80
    assert scenario.changes.count() == 2


def test_moving_back_to_where_it_was_takes_the_move_out(scene):
    scenario = what_if(scene.online_lead)
    move(scene.online_lead, scenario, scene.online, 9)
    move(scene.online_lead, scenario, scene.online, 0)
    assert not scenario.changes.exists()


def test_what_cannot_be_is_refused_in_words(scene):
    scenario = what_if(scene.online_lead)
    for days in (-30, -3):
        with pytest.raises(ValidationError, match="cannot begin on that day"):
            move(scene.online_lead, scenario, scene.online, days)
    Campaign.objects.filter(pk=scene.online.pk).update(status="live")
    with pytest.raises(ValidationError, match="has begun"):
        move(scene.online_lead, scenario, scene.online, 3)
    with pytest.raises(ValidationError):
        drafting.create(actor=scene.online_lead, name="x", first=NOW.date(), last=NOW.date() - timedelta(days=1), now=NOW)


def test_a_what_if_is_its_owners_alone(client, scene):
    scenario = what_if(scene.online_lead)
    client.force_login(scene.retail_lead)
    assert client.get(f"/calendar/what-if/{scenario.pk}/").status_code == 404
    with pytest.raises(Scenario.DoesNotExist):
        move(scene.retail_lead, scenario, scene.retail, 3)


def test_a_double_click_makes_one(scene):
    assert what_if(scene.online_lead) == what_if(scene.online_lead)


def test_the_page_shows_the_bar_where_it_is_tried_and_the_figures_beside_the_plan(client, scene):
    scenario = what_if(scene.online_lead)
    move(scene.online_lead, scenario, scene.online, 9)
    client.force_login(scene.online_lead)
    page = client.get(f"/calendar/what-if/{scenario.pk}/").content.decode()
    assert "This is a what-if, not the plan." in page
    assert "Move Black Week online from 21 Nov to 30 Nov" in page
    assert page.count('class="plate ') == 0
    assert "style=" not in page
    assert client.get("/calendar/what-if/").status_code == 200
    panel = client.get(f"/calendar/what-if/{scenario.pk}/move/{scene.online.pk}/?days=-9").content.decode()
    assert "After the move: 2 conflicts" in panel


def test_the_queries_of_a_what_if_do_not_grow_with_campaigns(scene, django_assert_max_num_queries):
    from tests.campaigns.conflicts.conftest import count, planned

    scenario = what_if(scene.online_lead)
    move(scene.online_lead, scenario, scene.online, 9)
    with django_assert_max_num_queries(40) as few:
        figures.count(scenario, now=NOW)
    for day in range(12):
        planned(scene.retail.department, range(50), days=2 + day)
    count()
    with django_assert_max_num_queries(len(few)):
        figures.count(scenario, now=NOW)
    assert passes.find(loading.load(now=NOW))
