"""The two passes: what is written when, and what survives."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.accounts.models import Notification
from apps.campaigns.conflicts import loading, passes
from apps.campaigns.conflicts.people import People
from apps.campaigns.models import Conflict, Message, PlanVersion
from tests.factories.accounts import DepartmentFactory
from tests.factories.campaigns import NOW, ContactPolicyFactory, MessageFactory, OfferFactory
from tests.factories.customers import CustomerFactory

from .conftest import count, planned

pytestmark = pytest.mark.django_db


def test_a_change_shows_contradicting_offers_at_once_and_the_people_after_the_task(scene, django_capture_on_commit_callbacks):
    Conflict.objects.all().delete()
    with django_capture_on_commit_callbacks() as callbacks:
        passes.plan_changed(campaign_ids=[scene.online.pk], now=NOW)
    early = Conflict.objects.get()
    assert (early.rule, early.people_count) == ("offers", None)
    assert len(callbacks) == 1
    count()
    assert Conflict.objects.get(rule="offers").people_count == 60
    assert Conflict.objects.get(rule="overlap").people_count == 60


def test_a_people_pass_that_was_overtaken_writes_nothing(scene, monkeypatch):
    number = PlanVersion.objects.get().number
    before = scene.conflict.updated_at
    real = loading.load

    def overtaken(**kwargs):
        plan = real(**kwargs)
        PlanVersion.objects.update(number=number + 1)  # somebody saves while the people are being counted
        return plan

    Message.objects.filter(campaign=scene.online).update(plan_audience=BitMap(range(500)), plan_count=500)
    monkeypatch.setattr(loading, "load", overtaken)
    assert passes.count_people(number=number, now=NOW + timedelta(minutes=1)) is False
    assert (scene.conflict.people_count, scene.conflict.updated_at) == (60, before)
    monkeypatch.undo()
    assert passes.count_people(number=number + 1, now=NOW + timedelta(minutes=2))
    assert scene.conflict.people_count == 100


def test_a_late_pass_for_an_older_plan_does_not_even_look(scene, django_assert_num_queries):
    PlanVersion.objects.update(number=9)
    with django_assert_num_queries(1):
        assert passes.count_people(number=8, now=NOW) is False


def test_the_same_collision_keeps_its_row_and_what_has_gone_is_obsolete(scene):
    first = scene.conflict
    scene.online_message.__class__.objects.filter(campaign=scene.online).update(send_at=NOW + timedelta(days=4))
    count()
    assert scene.conflict.pk == first.pk
    Message.objects.filter(campaign=scene.online).update(send_at=NOW + timedelta(days=40))
    passes.plan_changed(campaign_ids=[scene.online.pk], now=NOW)
    assert set(Conflict.objects.values_list("state", flat=True)) == {"obsolete"}
    Message.objects.filter(campaign=scene.online).update(send_at=NOW + timedelta(days=4))
    count()
    assert (scene.conflict.pk, scene.conflict.state) == (first.pk, "open")


def test_until_people_are_counted_again_the_last_count_stands(scene):
    Message.objects.filter(campaign=scene.online).update(send_at=NOW + timedelta(days=5))
    passes.plan_changed(campaign_ids=[scene.online.pk], now=NOW)
    conflict = scene.conflict
    assert (conflict.people_count, conflict.severity, conflict.facts["people"]) == (60, 4, 60)
    assert conflict.facts["hours_apart"] == 72


def test_the_plan_is_loaded_in_a_fixed_number_of_queries(scene, django_assert_num_queries):
    with django_assert_num_queries(13):
        passes.find(loading.load(now=NOW))
    for number in range(12):
        campaign = planned(DepartmentFactory(), range(number, 200), days=number % 5, offer=OfferFactory())
        MessageFactory(campaign=campaign, recurrence="FREQ=DAILY;COUNT=5")
    with django_assert_num_queries(13):
        assert len(passes.find(loading.load(now=NOW))) > 20


def test_a_pass_writes_in_a_number_of_queries_that_does_not_grow(scene, django_assert_max_num_queries):
    for number in range(12):
        planned(scene.retail.department, range(number, 200), days=number % 5, offer=OfferFactory())
    with django_assert_max_num_queries(80):
        count()
    with django_assert_max_num_queries(34):
        count()


def test_leads_of_both_departments_hear_of_a_new_conflict_once(scene):
    told = Notification.objects.filter(code="conflict.found")
    assert {line.user for line in told} == {scene.retail_lead, scene.online_lead}
    before = told.count()
    count()
    assert told.count() == before


def test_a_draft_never_holds_up_others_but_an_agreed_campaign_does(scene):
    assert [row.rule for row in passes.blocking(scene.retail)] == ["offers", "overlap"][: passes.blocking(scene.retail).count()]
    assert passes.blocking(scene.retail).exists()
    scene.online.status = "draft"
    scene.online.save()
    assert not passes.blocking(scene.retail).exists()
    assert passes.warnings(scene.retail).exists()
    assert passes.blocking(scene.online).exists()


def test_a_recount_is_due_when_a_pass_was_lost_or_a_day_has_begun(scene):
    version = PlanVersion.objects.get()
    assert not passes.is_due(version, now=NOW)
    assert passes.is_due(version, now=NOW + timedelta(days=1))
    version.number += 1
    assert passes.is_due(version, now=NOW)


def test_the_sentence_tells_who_what_when_and_how_many(scene):
    assert passes.sentence(scene.conflict) == (
        "Black Week in store (Retail, no discount, from 20 Nov) and Black Week online (Online, −30 %, from 21 Nov) say "
        "different things about Coats to 60 of the same people within 1 day."
    )


def test_looking_again_at_two_campaigns_leaves_a_thirds_people_as_they_were_counted(scene):
    ContactPolicyFactory(limit=1, hours=7 * 24)
    third = planned(scene.retail.department, [*range(20), *range(230, 250)], days=4, name="Reminder")
    count()
    pressed = Conflict.objects.get(rule="pressure", first_campaign=third)
    assert pressed.people_count == 30
    passes.look_again([scene.retail.pk], now=NOW)
    pressed.refresh_from_db()
    assert pressed.people_count == 30


def test_people_are_found_by_the_countries_they_live_in():
    by_country = {country: CustomerFactory(country=country).pk for country in ("NO", "PL", "SE")}
    homes = People().in_countries
    assert homes(frozenset({"NO", "SE"})) == BitMap([by_country["NO"], by_country["SE"]])
    assert homes(frozenset({"PL"})) == BitMap([by_country["PL"]])
    assert not homes(frozenset())
