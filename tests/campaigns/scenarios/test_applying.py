"""From what-if to plan: own changes hold, what touches others is proposed, what does not fit any more is said to."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pyroaring import BitMap

from apps.accounts.models import Notification
from apps.campaigns import moving
from apps.campaigns.conflicts import agree, loading
from apps.campaigns.models import Agreement, Campaign, Conflict, Resolution, ScenarioChange
from apps.campaigns.scenarios import applying, drafting, figures, measuring
from apps.campaigns.scenarios.trial import Step
from tests.campaigns.conflicts.conftest import count, planned
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW, ContactPolicyFactory, MessageFactory
from tests.factories.channels import ChannelAccountFactory

from .conftest import leave_out, move, what_if

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def apply(actor, scenario, *changes, now=LATER):
    rows = applying.apply(actor=actor, scenario=scenario, change_ids=[change.pk for change in changes], now=now)
    return {row.pk: row for row in rows}


def starts(campaign):
    return Campaign.objects.get(pk=campaign.pk).starts_on


def test_an_own_change_that_touches_nobody_holds_at_once(scene):
    alone = planned(scene.online.department, range(900, 950), days=20, name="Alone")
    count()
    scenario = what_if(scene.online_lead)
    change = move(scene.online_lead, scenario, alone, 3)
    assert apply(scene.online_lead, scenario, change)[change.pk].state == "applied"
    assert starts(alone) == alone.starts_on + timedelta(days=3)


def test_what_touches_another_department_is_proposed_to_its_lead_and_not_applied(scene):
    scenario = what_if(scene.online_lead)
    change = move(scene.online_lead, scenario, scene.online, 9)
    row = apply(scene.online_lead, scenario, change)[change.pk]
    assert (row.state, row.resolution.action, row.resolution.state) == ("proposed", "move", "proposed")
    assert starts(scene.online) == scene.online.starts_on
    assert Notification.objects.filter(user=scene.retail_lead, code="resolution.proposed").exists()


def test_people_are_left_out_only_with_both_signatures(scene):
    scenario = what_if(scene.online_lead)
    change = leave_out(scene.online_lead, scenario, scene.retail, scene.online)
    row = apply(scene.online_lead, scenario, change)[change.pk]
    assert (row.state, row.resolution.action, Agreement.objects.count()) == ("proposed", "leave_out", 0)


def test_no_more_people_are_tried_to_leave_out_than_the_agreement_will(scene):
    planned(scene.retail.department, range(20), days=20, name="Else")
    MessageFactory(
        campaign=scene.online, send_at=NOW + timedelta(days=20), plan_audience=BitMap(range(60, 120)), plan_count=60, plan_computed_at=NOW
    )
    count()
    scenario = what_if(scene.online_lead)
    change = leave_out(scene.online_lead, scenario, scene.online, scene.retail)
    promised = figures.of(scenario, now=NOW).after
    row = apply(scene.online_lead, scenario, change, now=NOW)[change.pk]
    agree.sign(actor=scene.retail_lead, resolution=row.resolution, agrees=True, now=NOW)
    assert Agreement.objects.get().yielding_message is not None
    count()
    plan = loading.load(now=NOW)
    assert measuring.measure(plan, figures.ground_of(scenario, plan)) == promised


def test_another_channel_is_tried_with_the_account_that_will_carry_it_and_never_another_tools(scene):
    ChannelAccountFactory(sms=True, name="Theirs", is_elsewhere=True)
    account = ChannelAccountFactory(sms=True, name="Texts")
    alone = planned(scene.online.department, range(900, 950), days=20, name="Alone")
    count()
    scenario, message = what_if(scene.online_lead), alone.messages.get()
    change = drafting.put(
        actor=scene.online_lead, scenario=scenario, kind="channel", campaign=alone, message_id=message.pk, parameters={"channel": "sms"}, now=NOW
    )
    assert figures.plan_with(scenario, now=NOW).messages[message.pk].account_id == account.pk
    assert apply(scene.online_lead, scenario, change, now=NOW)[change.pk].state == "applied"
    assert alone.messages.get().account == account


def test_what_two_campaigns_are_accepted_for_holds_both_of_them(scene):
    scenario = what_if(scene.online_lead)
    identity = {"identity": scene.conflict.identity, "reason": "Both knew", "until": (NOW + timedelta(days=5)).date().isoformat(), "messages": []}
    row = ScenarioChange.objects.create(scenario=scenario, kind="accept", campaign=scene.online, parameters=identity, position=1)
    with CaptureQueriesContext(connection) as queries:
        apply(scene.online_lead, scenario, row)
    held = next(each["sql"] for each in queries if "FOR UPDATE" in each["sql"] and '"campaigns_message"' in each["sql"])
    assert {scene.retail.pk, scene.online.pk} <= {int(number) for number in re.findall(r"\d+", held.partition("WHERE")[2])}


def test_half_is_applied_and_the_rest_stays_tried(scene):
    alone = planned(scene.online.department, range(900, 950), days=20, name="Alone")
    count()
    scenario = what_if(scene.online_lead)
    kept, taken = move(scene.online_lead, scenario, scene.online, 9), move(scene.online_lead, scenario, alone, 3)
    apply(scene.online_lead, scenario, taken)
    states = dict(ScenarioChange.objects.values_list("pk", "state"))
    assert states == {kept.pk: "tried", taken.pk: "applied"}


def test_a_second_click_or_tab_changes_nothing_more(scene):
    alone = planned(scene.online.department, range(900, 950), days=20, name="Alone")
    count()
    scenario = what_if(scene.online_lead)
    changes = [move(scene.online_lead, scenario, alone, 3), move(scene.online_lead, scenario, scene.online, 9)]
    for _click in range(2):
        apply(scene.online_lead, scenario, *changes)
    assert starts(alone) == alone.starts_on + timedelta(days=3)
    assert Resolution.objects.count() == 1


def test_a_change_whose_campaign_moved_meanwhile_is_outdated_in_words(client, scene):
    scenario = what_if(scene.online_lead)
    change = move(scene.online_lead, scenario, scene.online, 9)
    moving.move_campaign(
        actor=scene.online_lead, campaign=scene.online, days=1, expected_version=Campaign.objects.get(pk=scene.online.pk).version, now=NOW
    )
    count()
    row = apply(scene.online_lead, scenario, change)[change.pk]
    assert (row.state, row.measured["misfit"]) == ("outdated", "moved_meanwhile")
    client.force_login(scene.online_lead)
    assert "Its days have been changed in the plan meanwhile." in client.get(f"/calendar/what-if/{scenario.pk}/").content.decode()


def test_a_change_that_would_now_collide_with_more_is_outdated(scene):
    alone = planned(scene.online.department, range(900, 950), days=20, name="Alone")
    count()
    scenario = what_if(scene.online_lead)
    change = move(scene.online_lead, scenario, alone, 3)
    applying.stand(scenario, NOW)
    scenario.refresh_from_db()
    planned(scene.retail.department, range(900, 950), days=23, name="Newcomer")
    from apps.campaigns.conflicts import passes
    passes.plan_changed(campaign_ids=[], now=NOW)
    row = apply(scene.online_lead, scenario, change)[change.pk]
    assert (row.state, row.measured["misfit"]) == ("outdated", "worse")
    assert starts(alone) == alone.starts_on


def test_a_marketers_own_change_asks_for_approval_again(scene):
    marketer = UserFactory(role="marketer", department=scene.online.department)
    alone = planned(scene.online.department, range(900, 950), days=20, name="Alone")
    count()
    scenario = what_if(marketer)
    changes = [
        move(marketer, scenario, alone, 3),
        drafting.put(actor=marketer, scenario=scenario, kind="priority", campaign=alone, parameters={"priority": 70}, now=NOW),
    ]
    rows = apply(marketer, scenario, *changes)
    assert {row.state for row in rows.values()} == {"applied"}
    assert Campaign.objects.get(pk=alone.pk).priority == 70


def test_one_click_does_also_what_becomes_possible_only_through_the_others(scene):
    """Whoever is left out comes first in the list, but the overlap is found only once the move holds."""
    first = planned(scene.online.department, range(900, 960), days=20, name="First")
    second = planned(scene.online.department, range(900, 960), days=60, name="Second")
    count()
    scenario = what_if(scene.online_lead, origin="replan", settings={"state": "done"})
    apart = leave_out(scene.online_lead, scenario, first, second)
    together = move(scene.online_lead, scenario, second, -38)
    rows = apply(scene.online_lead, scenario, apart, together)
    assert {rows[each.pk].state for each in (apart, together)} == {"applied"}
    agreed = Agreement.objects.get()
    assert (agreed.yielding_campaign_id, agreed.keeping_campaign_id) == (first.pk, second.pk)


def test_what_still_cannot_be_done_leaves_the_rest_done_and_is_said(client, scene):
    alone = planned(scene.online.department, range(900, 950), days=20, name="Alone")
    count()
    scenario = what_if(scene.online_lead, origin="replan", settings={"state": "done"})
    never = leave_out(scene.online_lead, scenario, scene.online, alone)
    taken = move(scene.online_lead, scenario, alone, 3)
    client.force_login(scene.online_lead)
    page = client.post(f"/calendar/what-if/{scenario.pk}/apply/", {"change": [never.pk, taken.pk]}, follow=True).content.decode()
    assert "1 change is applied." in page
    assert "1 change waits for others to hold first; it says so." in page
    assert starts(alone) == alone.starts_on + timedelta(days=3)


def shown(page):
    """The row of figures of what is ticked, as numbers in the order of its columns."""
    row = page.split("With what is ticked")[1].split("</tr>")[0]
    return [re.sub(r"\D", "", re.sub(r"<[^>]+>", "", cell)) for cell in row.split("<td")[1:]]


def as_shown(measures):
    orders = "" if measures.orders is None else str(measures.orders)
    counted = (measures.blocking, measures.high, measures.medium, measures.touched, measures.over, measures.contacts, measures.people)
    return [*map(str, counted), orders]


@pytest.mark.parametrize("htmx", [False, True])
def test_the_figures_of_what_is_ticked_are_those_of_the_plan_once_just_that_is_applied(client, scene, htmx):
    own = scene.online.department
    crowd = [planned(own, range(900, 960), days=days, name=f"Crowd {days}") for days in (20, 21, 22)]
    count()
    scenario = what_if(scene.online_lead)
    apart, away = move(scene.online_lead, scenario, crowd[0], 40), move(scene.online_lead, scenario, crowd[1], 60)
    less = drafting.put(actor=scene.online_lead, scenario=scenario, kind="cancel", campaign=crowd[2], parameters={}, now=NOW)
    client.force_login(scene.online_lead)
    address = f"/calendar/what-if/{scenario.pk}/"
    everything = shown(client.get(address).content.decode())
    headers = {"hx-request": "true"} if htmx else {}
    page = client.post(f"{address}count/", {"change": [apart.pk]}, headers=headers, follow=True).content.decode()
    assert ("<html" in page) != htmx
    told = shown(page)
    assert told != everything
    assert {row.state for row in ScenarioChange.objects.all()} == {"tried"}
    apply(scene.online_lead, scenario, apart)
    plan = loading.load(now=LATER)
    assert told == as_shown(measuring.measure(plan, figures.ground_of(scenario, plan)))
    assert {row.state for row in (away, less)} == {"tried"}


def test_last_resorts_are_neither_ticked_nor_counted_before_somebody_chooses_them(client, scene):
    scenario = what_if(scene.online_lead, origin="replan", settings={"state": "done"})
    last = drafting.put(actor=scene.online_lead, scenario=scenario, kind="cancel", campaign=scene.online, parameters={"last": True}, now=NOW)
    client.force_login(scene.online_lead)
    address = f"/calendar/what-if/{scenario.pk}/"
    plan = loading.load(now=NOW)
    grounds = figures.ground_of(scenario, plan)
    page = client.get(address).content.decode()
    assert shown(page) == as_shown(measuring.measure(plan, grounds))
    assert f'value="{last.pk}" checked' not in page
    chosen = client.get(f"{address}?ticked=1&change={last.pk}").content.decode()
    assert f'value="{last.pk}" checked' in chosen
    assert shown(chosen) == as_shown(figures.of(scenario, now=NOW).after) != shown(page)


def test_a_discarded_what_if_leaves_the_plan_as_it_was(scene):
    scenario = what_if(scene.online_lead)
    move(scene.online_lead, scenario, scene.online, 9)
    drafting.discard(actor=scene.online_lead, scenario=scenario, now=LATER)
    drafting.discard(actor=scene.online_lead, scenario=scenario, now=LATER)
    assert starts(scene.online) == scene.online.starts_on


def test_a_limit_both_hold_to_keeps_in_the_plan_what_it_promised_when_tried(scene):
    ContactPolicyFactory(limit=1, hours=7 * 24)
    count()
    pressed = Conflict.objects.get(rule="pressure")
    plan = loading.load(now=NOW)
    step = Step("cap", pressed.first_campaign_id, pressed.first_message_id, {
        "identity": pressed.identity, "messages": [pressed.first_message_id], "people": pressed.people_count,
    })
    tried = measuring.measure(plan, ground(plan).holding([step]))
    scenario = what_if(scene.online_lead)
    before = figures.of(scenario, now=NOW).before
    assert (before.over, tried.over, before.contacts - tried.contacts) == (60, 0, 60)
    agree.propose(actor=scene.online_lead, conflict=pressed, way=f"cap:{pressed.first_campaign_id}", reason="the limit holds", now=LATER)
    assert Conflict.objects.get(pk=pressed.pk).state == "resolved"
    plan = loading.load(now=NOW)
    assert measuring.measure(plan, ground(plan)) == tried
    assert figures.of(scenario, now=NOW).before == tried


def ground(plan):
    return measuring.ground(plan, first=NOW.date(), last=(NOW + timedelta(days=54)).date())
