"""Ways out of a wrong order: against trying every day, on the conflict's page, and carried out."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.campaigns.conflicts import agree, ordering, passes, resolve
from apps.campaigns.conflicts.rules.sequence import SequenceRule
from apps.campaigns.models import Conflict, Message
from apps.core import clock
from tests.campaigns.conflicts.conftest import count, planned
from tests.factories.campaigns import NOW, MessageFactory

from .plans import at, campaign, message, plan


def reminder_first(first=20, then=18, **values):
    """An announcement on one day, its reminder before it; ``values`` are further fields of the plan."""
    return plan(
        campaign(1, message(10, sent=at(first)), message(11, sent=at(then, 15), follows_id=10), status="draft"),
        people={10: range(50), 11: range(50)}, **values,
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(13, 28), st.integers(13, 28), st.integers(0, 23), st.integers(0, 23))
def test_every_shift_puts_the_order_right_and_the_nearest_day_comes_first(first, then, hour, other):
    found = plan(campaign(
        1, message(10, sent=at(first, hour)), message(11, sent=at(then, other), follows_id=10), status="draft",
    ), people={10: range(50), 11: range(50)})
    if not list(SequenceRule().find(found)):
        return
    shifts = list(ordering.shifts(found, found.messages[11]))
    for shift in shifts:
        there = found.with_campaign(ordering.retimed(found, found.campaigns[1], shift))
        assert not list(SequenceRule().find(there)), shift
        assert all(start > found.now for each in there.messages.values() for start, _end in each.windows)
    days = [shift[11] // ordering.DAY for shift in shifts if len(shift) == 1]
    late = next(day for day in range(1, 29) if at(then, other) + timedelta(days=day) > at(first, hour))
    assert days == list(range(late, found.parameters.move_days + 1))
    assert [shift for shift in shifts if len(shift) == 2], "the two may change places"


def test_a_slot_with_another_conflict_is_passed_over():
    crowded = reminder_first()
    rival = campaign(2, message(20, sent=at(22, 15)), department=2)
    crowded = plan(
        *crowded.campaigns.values(), rival, people={10: range(50), 11: range(50), 20: range(50)},
    )
    nearest = [shift[11] // ordering.DAY for shift, _others in ordering.best(crowded, crowded.messages[11], 1) if len(shift) == 1]
    alone = reminder_first()
    assert [shift[11] // ordering.DAY for shift, _o in ordering.best(alone, alone.messages[11], 1) if len(shift) == 1] == [2]
    assert nearest == [7], "the day of the rival and the two days around it are taken"


@pytest.mark.parametrize("changed", [{"status": "live"}, {"lock": "printed"}])
def test_what_has_begun_or_is_locked_is_not_retimed(changed):
    from dataclasses import replace

    found = reminder_first()
    found = found.with_campaign(replace(found.campaigns[1], **changed))
    assert not list(ordering.shifts(found, found.messages[11]))


@pytest.fixture
def wrong(scene, monkeypatch):
    """Retail's reminder goes out two days before its announcement."""
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)
    made = planned(scene.retail.department, range(500, 560), days=12, name="Skis", status="draft")
    first = made.messages.get()
    MessageFactory(
        campaign=made, name="Reminder", send_at=first.send_at - timedelta(days=2), follows=first, plan_audience=first.plan_audience,
        plan_count=60, plan_computed_at=NOW,
    )
    count()
    return Conflict.objects.get(rule="sequence")


@pytest.mark.django_db
def test_the_page_offers_the_nearest_slots_changing_places_and_giving_up_each_measured(client, scene, wrong):
    ways = resolve.ways_out(wrong, now=NOW)
    retimed = [way for way in ways if way.action == "retime"]
    assert len(retimed) == 4
    assert all(effect.after == 0 for way in retimed for effect in way.effects if effect.rule == "sequence")
    (stop,) = [way for way in ways if way.action == "stop"]
    assert (stop.people_lost, [effect.after for effect in stop.effects]) == (60, [0])
    client.force_login(scene.retail_lead)
    page = client.get(f"/conflicts/{wrong.pk}/").content.decode()
    assert "Reminder of Skis goes out 3 days later" in page
    assert "of Skis change places" in page
    assert "Reminder of Skis is given up" in page


@pytest.mark.django_db
@pytest.mark.parametrize("place", [0, -1])
def test_a_retiming_that_was_chosen_holds_and_settles_the_conflict(client, scene, wrong, place):
    way = [each for each in resolve.ways_out(wrong, now=NOW) if each.action == "retime"][place]
    before = {row.pk: row.send_at for row in Message.objects.filter(campaign=wrong.first_campaign)}
    client.force_login(scene.retail_lead)
    client.post(f"/conflicts/{wrong.pk}/propose/", {"way": way.key})
    after = {row.pk: row.send_at for row in Message.objects.filter(campaign=wrong.first_campaign)}
    moved = {pk: round((after[pk] - before[pk]) / timedelta(minutes=1)) for pk in after if after[pk] != before[pk]}
    assert moved == {int(pk): minutes for pk, minutes in way.parameters["shift"].items()}
    count()
    assert Conflict.objects.get(pk=wrong.pk).state == "resolved"
    assert not Conflict.objects.filter(rule="sequence", state__in=passes.UNDECIDED).exists()


@pytest.mark.django_db
def test_a_follow_up_of_what_was_stopped_can_be_given_up(scene, wrong):
    announcement = wrong.second_message
    Message.objects.filter(pk=announcement.pk).update(is_stopped=True)
    passes.plan_changed(campaign_ids=[wrong.first_campaign_id], now=NOW)
    count()
    stopped = Conflict.objects.get(rule="sequence", state__in=passes.UNDECIDED)
    assert stopped.facts["wrong"] == "stopped"
    actions = [way.action for way in resolve.ways_out(stopped, now=NOW)]
    assert "retime" not in actions, "no day is after what never goes out"
    way = next(way for way in resolve.ways_out(stopped, now=NOW) if way.action == "stop")
    agree.propose(actor=scene.retail_lead, conflict=stopped, way=way.key, now=NOW)
    assert Message.objects.get(campaign=wrong.first_campaign, name="Reminder").is_stopped
    assert not Conflict.objects.filter(rule="sequence", state__in=passes.UNDECIDED).exists()
