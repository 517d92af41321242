"""What is not offered as a way out is named with its reason: no kind of way out is merely left away."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from pyroaring import BitMap

from apps.campaigns.conflicts import resolve, why_not
from apps.campaigns.models import Campaign, Conflict, Message
from apps.core import clock
from tests.factories.campaigns import NOW, MessageFactory, ProgrammeFactory

from .conftest import count

pytestmark = pytest.mark.django_db
KINDS = {"leave_out", "channel", "split", "merge", "move", "cancel"}


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


def told(conflict):
    ways, missing = resolve.ways_and_missing(conflict, now=NOW)
    offered = {(way.action, way.campaign_id) for way in ways}
    assert not offered & {(each.action, each.campaign_id) for each in missing}
    assert {way.action for way in ways} | {each.action for each in missing} >= KINDS
    return {(each.action, each.campaign_id): each.code for each in missing}


@pytest.fixture
def public(scene):
    """Both under one programme; the store's side is a window for everybody."""
    Campaign.objects.update(programme=ProgrammeFactory())
    Message.objects.filter(campaign=scene.retail).update(
        kind="unaddressed", channel="store", plan_audience=None, plan_count=None, estimated_reach=5000
    )
    count()
    return scene


def test_with_a_campaign_for_everybody_it_says_why_there_is_no_joint_one(public, client):
    conflict = Conflict.objects.filter(state="open").order_by("-severity").first()
    found = told(conflict)
    assert found["merge", None] == found["split", None] == "one_public"
    assert found["leave_out", public.retail.pk] == "public"
    assert found["leave_out", public.online.pk] == found["channel", public.online.pk] == "other_public"
    client.force_login(public.retail_lead)
    page = client.get(reverse("campaigns:conflict", args=[conflict.pk])).content.decode()
    told_page = page.split("What is not possible here, and why")[1].split("</details>")[0]
    assert "They cannot become one joint campaign:" in told_page
    assert "One side is for everybody" in told_page
    assert "Leave people out of Black Week in store:" in told_page
    assert "nobody can be left out of it. Move one" in page


def test_a_store_that_also_writes_to_people_is_not_said_to_leave_nobody_out(public, client):
    MessageFactory(
        campaign=public.retail, send_at=NOW + timedelta(days=3), plan_audience=BitMap(range(100)), plan_count=100, plan_computed_at=NOW
    )
    count()
    conflict = Conflict.objects.filter(rule="offers").first()
    assert ("leave_out", public.retail.pk) not in told(conflict)
    client.force_login(public.retail_lead)
    assert "nobody can be left out of it. Move one" not in client.get(reverse("campaigns:conflict", args=[conflict.pk])).content.decode()


def test_what_has_begun_is_locked_or_has_no_free_days_is_said_side_by_side(scene):
    Campaign.objects.filter(pk=scene.retail.pk).update(status="live")
    Campaign.objects.filter(pk=scene.online.pk).update(lock="printed")
    found = told(scene.conflict)
    assert found["move", scene.retail.pk] == found["cancel", scene.retail.pk] == found["channel", scene.retail.pk] == "begun"
    assert found["move", scene.online.pk] == "locked"
    assert ("cancel", scene.online.pk) not in found


def test_a_safety_notice_gives_nothing_up(scene):
    purpose = scene.online_message.purpose
    purpose.purpose_class = "safety"
    purpose.save()
    found = told(scene.conflict)
    for action in ("move", "cancel", "leave_out"):
        assert found[action, scene.online.pk] == "safety"


def test_every_reason_has_words(scene):
    for code in [*why_not.CODES, "no_days"]:
        for action in KINDS - {"merge"}:
            each = why_not.Missing(action, code, scene.retail.pk, days=14)
            what, why = why_not.words(each, names={scene.retail.pk: "Retail"}, titles={scene.retail.pk: "Black Week"}, not_mergeable="")
            assert what.endswith(":") and why.endswith(".")
