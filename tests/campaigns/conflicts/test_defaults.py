"""Who keeps the shared people when nobody decides in time: stated on the page, carried out before the claim, once."""

from datetime import timedelta

import pytest

from apps.accounts.models import AuditEvent, Notification
from apps.campaigns.conflicts import agree, defaults, panels
from apps.campaigns.models import Agreement, Conflict, ConflictSettings, Message, Resolution
from tests.factories.campaigns import NOW

from .conftest import count


def states():
    return dict(Conflict.objects.values_list("rule", "state"))


def prefer(scene, **priorities):
    for name, priority in priorities.items():
        campaign = getattr(scene, name)
        campaign.priority = priority
        campaign.save()


def overdue(scene):
    """Past the time to decide by, both campaigns agreed."""
    Conflict.objects.update(decide_by=NOW - timedelta(minutes=1))
    return NOW


@pytest.mark.django_db
def test_two_working_days_before_the_contact_are_the_time_to_decide_by_and_recounting_does_not_move_it(scene):
    Message.objects.update(send_at=NOW + timedelta(days=12))  # a Monday
    count()
    decide_by = scene.conflict.decide_by
    assert decide_by == NOW + timedelta(days=8), "the Thursday before"
    Conflict.objects.update(state="open")
    count(NOW + timedelta(days=9))
    assert scene.conflict.decide_by == decide_by


@pytest.mark.django_db
def test_what_is_found_late_is_to_be_decided_before_the_first_contact(scene):
    assert scene.conflict.decide_by == NOW + timedelta(days=2)


@pytest.mark.django_db
@pytest.mark.parametrize(("policy", "priorities", "keeper"), [
    ("priority", {"retail": 50, "online": 60}, "online"),
    ("priority", {"retail": 60, "online": 50}, "retail"),
    ("priority", {"retail": 50, "online": 50}, "retail"),
    ("earlier", {"retail": 10, "online": 90}, "retail"),
])
def test_the_policy_decides_for_the_side_that_it_names(scene, policy, priorities, keeper):
    ConflictSettings.objects.create(pk=1, undecided=policy)
    prefer(scene, **priorities)
    assert defaults.of(scene.conflict).keeper == getattr(scene, keeper)
    assert defaults.decide_overdue(now=overdue(scene)) == 1
    made = Agreement.objects.get()
    assert made.keeping_campaign == getattr(scene, keeper)
    assert states() == {"offers": "resolved", "overlap": "resolved"}


@pytest.mark.django_db
def test_a_message_of_its_own_priority_counts_before_its_campaigns(scene):
    Message.objects.filter(campaign=scene.online).update(priority=99)
    assert defaults.of(scene.conflict).keeper == scene.online


@pytest.mark.django_db
def test_nobody_is_protected_where_the_policy_says_so(scene):
    ConflictSettings.objects.create(pk=1, undecided="nobody")
    defaults.decide_overdue(now=overdue(scene))
    assert not Agreement.objects.exists()
    assert states() == {"offers": "accepted", "overlap": "accepted"}


@pytest.mark.django_db
def test_it_is_done_once_told_to_both_leads_and_stands_in_the_history(scene):
    now = overdue(scene)
    assert [defaults.decide_overdue(now=now) for _turn in range(3)] == [1, 0, 0]
    assert (Resolution.objects.count(), Agreement.objects.count()) == (1, 1)
    assert AuditEvent.objects.filter(action="conflict.defaulted", actor=None).count() == 1
    told = Notification.objects.filter(code="conflict.defaulted")
    assert {line.user for line in told} == {scene.retail_lead, scene.online_lead}
    assert "Black Week in store keeps 60 people" in str(told.first())


@pytest.mark.django_db
def test_nothing_is_decided_before_its_time_for_drafts_for_trifles_or_what_people_decided(scene):
    assert defaults.decide_overdue(now=NOW) == 0
    now = overdue(scene)
    scene.online.__class__.objects.filter(pk=scene.online.pk).update(status="draft")
    assert defaults.decide_overdue(now=now) == 0
    scene.online.__class__.objects.filter(pk=scene.online.pk).update(status="approved")
    Conflict.objects.update(severity=1)
    assert defaults.decide_overdue(now=now) == 0
    Conflict.objects.update(severity=3, state="accepted")
    assert defaults.decide_overdue(now=now) == 0


@pytest.mark.django_db
def test_a_lead_may_withdraw_from_it_and_it_is_not_decided_so_again(scene):
    now = overdue(scene)
    defaults.decide_overdue(now=now)
    agree.end(actor=scene.online_lead, resolution=Resolution.objects.get(), reason="We were away", now=now)
    assert states() == {"offers": "open", "overlap": "open"}
    Conflict.objects.update(decide_by=NOW - timedelta(minutes=1))
    assert defaults.decide_overdue(now=now) == 0


@pytest.mark.django_db
def test_where_nobody_can_be_left_out_it_stays_open_and_is_not_tried_again(scene):
    Message.objects.filter(campaign=scene.online).update(kind="unaddressed", channel="unaddressed")
    count()
    now = overdue(scene)
    assert [defaults.decide_overdue(now=now) for _turn in range(2)] == [1, 0]
    assert (scene.conflict.state, Agreement.objects.count()) == ("open", 0)


@pytest.mark.django_db
def test_the_page_says_who_will_keep_them(scene):
    prefer(scene, retail=50, online=60)
    panel = panels.of(scene.conflict.pk, user=scene.retail_lead, now=NOW)
    assert panel.if_nobody_decides.startswith("If nobody decides, Black Week online keeps the shared people")
    ConflictSettings.objects.create(pk=1, undecided="nobody")
    panel = panels.of(scene.conflict.pk, user=scene.retail_lead, now=NOW)
    assert panel.if_nobody_decides == "If nobody decides, both send: nobody is protected."
