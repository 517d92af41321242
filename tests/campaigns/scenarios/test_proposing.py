"""What touches another department is a proposal that its lead signs: seen where they look, in effect once signed, never before."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied

from apps.accounts.models import Notification
from apps.campaigns.conflicts import agree, passes
from apps.campaigns.models import Campaign, Conflict, Message, Resolution
from apps.campaigns.scenarios import applying, drafting
from apps.reporting import decisions
from tests.campaigns.conflicts.conftest import count, planned
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW

from .conftest import leave_out, move, what_if

pytestmark = pytest.mark.django_db
LATER, LATEST = NOW + timedelta(minutes=5), NOW + timedelta(minutes=10)


@pytest.fixture
def alone(scene):
    """A campaign of Retail's that is in no conflict."""
    campaign = planned(scene.retail.department, range(900, 950), days=20, name="Alone")
    count()
    return campaign


def ask(actor, campaign, kind, message_id=None, **parameters):
    """Tries one change and applies it; returns the change as it stands then."""
    scenario = what_if(actor)
    change = drafting.put(
        actor=actor, scenario=scenario, kind=kind, campaign=campaign, message_id=message_id, parameters=parameters, now=NOW
    )
    applying.apply(actor=actor, scenario=scenario, change_ids=[change.pk], now=LATER)
    change.refresh_from_db()
    return change


def sign(lead, change, agrees=True, now=LATEST):
    agree.sign(actor=lead, resolution=Resolution.objects.get(pk=change.resolution_id), agrees=agrees, now=now)
    change.refresh_from_db()
    return change.state


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_a_change_of_another_departments_campaign_holds_once_its_lead_signs(client, scene, alone):
    change = ask(scene.online_lead, alone, "move", days=3)
    assert (change.state, change.resolution.conflict, change.resolution.campaign) == ("proposed", None, alone)
    assert fresh(alone).starts_on == alone.starts_on
    asked = Notification.objects.get(user=scene.retail_lead, code="resolution.proposed")
    client.force_login(scene.retail_lead)
    page = client.get(asked.url).content.decode()
    assert "Move Alone from" in page
    assert "Agree and sign" in page
    assert "Move Alone from" in client.get("/calendar/proposed/").content.decode()
    (waiting,) = [each for each in decisions.ranked(scene.retail_lead, now=LATER) if each.url == asked.url]
    assert waiting.label == "Read and sign"
    client.post(f"/conflicts/resolutions/{change.resolution_id}/sign/", {"answer": "yes"})
    assert fresh(alone).starts_on == alone.starts_on + timedelta(days=3)
    assert fresh(change).state == "applied"
    assert not [each for each in decisions.ranked(scene.retail_lead, now=LATEST) if each.url == asked.url]


def test_what_the_other_lead_declines_leaves_the_plan_and_says_so(scene, alone):
    change = ask(scene.online_lead, alone, "move", days=3)
    assert sign(scene.retail_lead, change, agrees=False) == "declined"
    assert fresh(alone).starts_on == alone.starts_on
    assert Notification.objects.filter(user=scene.online_lead, code="resolution.declined").exists()


def test_nobody_else_signs_for_that_department(scene, alone):
    change = ask(scene.online_lead, alone, "move", days=3)
    for stranger in (scene.online_lead, UserFactory(role="marketer", department=scene.retail.department), UserFactory(role="administrator")):
        with pytest.raises(PermissionDenied):
            sign(stranger, change)
    assert fresh(change).state == "proposed"


OWN = {
    "channel": {"channel": "sms"}, "priority": {"priority": 90}, "cancel": {},
}


def _is_so(campaign, kind):
    campaign = fresh(campaign)
    return {
        "channel": campaign.messages.get().channel == "sms", "priority": campaign.priority == 90, "cancel": campaign.status == "cancelled",
    }[kind]


@pytest.mark.parametrize("kind", OWN)
def test_an_own_change_that_touches_anothers_finding_holds_only_with_both_signatures(scene, kind):
    message = scene.online_message.pk if kind == "channel" else None
    change = ask(scene.online_lead, scene.online, kind, message, **OWN[kind])
    assert change.state == "proposed"
    assert not _is_so(scene.online, kind)
    assert {each.slug for each in change.resolution.needs_departments.all()} == {"retail", "online"}
    assert change.resolution.conflict in Conflict.objects.all(), "the other lead sees it on the conflict's page"
    assert sign(scene.retail_lead, change) == "applied"
    assert _is_so(scene.online, kind)


@pytest.mark.parametrize("kind", OWN)
def test_an_own_change_that_touches_nobody_needs_only_the_own_lead(scene, alone, kind):
    message = alone.messages.get().pk if kind == "channel" else None
    change = ask(scene.retail_lead, alone, kind, message, **OWN[kind])
    assert (change.state, change.resolution) == ("applied", None)
    assert _is_so(alone, kind)


def test_leaving_people_out_between_departments_binds_after_the_second_signature(scene):
    scenario = what_if(scene.online_lead)
    change = leave_out(scene.online_lead, scenario, scene.online, scene.retail)
    applying.apply(actor=scene.online_lead, scenario=scenario, change_ids=[change.pk], now=LATER)
    change.refresh_from_db()
    assert change.state == "proposed"
    assert sign(scene.retail_lead, change) == "applied"
    assert not Conflict.objects.filter(state__in=passes.UNDECIDED, severity__gte=2).exists()


def test_an_own_move_onto_another_departments_people_is_proposed_though_nothing_is_found_yet(scene):
    near = planned(scene.online.department, range(300, 400), days=15, name="Newcomer", status="draft")
    planned(scene.retail.department, range(300, 400), days=20, name="Already there")
    count()
    change = ask(scene.online_lead, near, "move", days=5)
    assert (change.state, change.resolution.conflict) == ("proposed", None)
    assert [each["rule"] for each in change.resolution.measured["brings"]] == ["overlap"]
    assert sign(scene.retail_lead, change) == "applied"
    assert fresh(near).starts_on == near.starts_on + timedelta(days=5)


def test_a_proposal_whose_campaign_was_moved_meanwhile_is_outdated_when_it_is_signed(scene, alone):
    change = ask(scene.online_lead, alone, "move", days=3)
    scenario = what_if(scene.retail_lead)
    own = move(scene.retail_lead, scenario, alone, 1)
    applying.apply(actor=scene.retail_lead, scenario=scenario, change_ids=[own.pk], now=LATER)
    assert sign(scene.retail_lead, change) == "outdated"
    assert fresh(alone).starts_on == alone.starts_on + timedelta(days=1)


def test_a_proposal_that_would_bring_what_nobody_was_told_of_is_outdated(scene, alone):
    change = ask(scene.online_lead, alone, "move", days=3)
    planned(scene.online.department, range(900, 950), days=23, name="Meanwhile")
    count()
    assert sign(scene.retail_lead, change) == "outdated"
    assert fresh(alone).starts_on == alone.starts_on


def test_a_proposal_taken_back_can_be_tried_again(scene, alone):
    change = ask(scene.online_lead, alone, "move", days=3)
    agree.withdraw(actor=scene.online_lead, resolution=change.resolution, now=LATEST)
    assert fresh(change).state == "tried"
    assert Message.objects.get(campaign=alone).send_at == alone.messages.get().send_at
    assert Campaign.objects.get(pk=alone.pk).starts_on == alone.starts_on


def test_what_builds_on_other_changes_of_a_re_plan_waits_until_they_hold(client, scene, alone):
    scenario = what_if(scene.online_lead, origin="replan", settings={"state": "done"})
    change = leave_out(scene.online_lead, scenario, scene.online, alone)
    applying.apply(actor=scene.online_lead, scenario=scenario, change_ids=[change.pk], now=LATER)
    assert (fresh(change).state, fresh(change).measured["misfit"]) == ("tried", "not_yet")
    client.force_login(scene.online_lead)
    assert "It builds on other changes" in client.get(f"/calendar/what-if/{scenario.pk}/").content.decode()


def test_a_declined_change_can_be_taken_up_again_and_proposed_anew(client, scene, alone):
    change = ask(scene.online_lead, alone, "move", days=3)
    sign(scene.retail_lead, change, agrees=False)
    client.force_login(scene.online_lead)
    client.post(f"/calendar/what-if/{change.scenario_id}/answer/{change.pk}/", {"answer": "yes"})
    assert (fresh(change).state, fresh(change).resolution) == ("tried", None)
    client.post(f"/calendar/what-if/{change.scenario_id}/apply/", {"change": [change.pk]})
    assert sign(scene.retail_lead, fresh(change)) == "applied"
