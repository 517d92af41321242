"""A pair of campaigns is decided as one: net audiences, one signing, and what ends an agreement."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from pyroaring import BitMap

from apps.accounts.models import AuditEvent, Notification
from apps.campaigns import launch
from apps.campaigns.conflicts import agree, loading, resolve
from apps.campaigns.models import Agreement, Conflict, Message, Resolution
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW, MessageFactory

from .conftest import count, planned
from .test_agree import LATER, both_sign, propose

pytestmark = pytest.mark.django_db
LEAVE, KEEP = "leave_out:{0.online.pk}", "leave_out:{0.retail.pk}"


def states():
    return dict(Conflict.objects.values_list("rule", "state"))


def net(scene):
    plan = loading.load(now=LATER)
    return {pk: set(plan.audience(pk)) for pk in (scene.retail.pk, scene.online.pk)}


def test_what_is_agreed_is_subtracted_from_the_side_that_yields_and_from_no_other(scene):
    third = planned(scene.retail.department, range(30, 70), days=2)
    both_sign(scene, LEAVE.format(scene))
    assert net(scene) == {scene.retail.pk: set(range(100)), scene.online.pk: set(range(100, 240))}
    count(LATER)
    assert not Conflict.objects.filter(second_campaign=third, first_campaign=scene.online).exclude(state="obsolete").exists()
    rest = Conflict.objects.get(rule="overlap", first_campaign=scene.retail, second_campaign=third)
    assert (rest.state, rest.people_count) == ("open", 40)


def test_one_signing_of_both_leads_settles_every_finding_of_the_pair_with_its_history(scene):
    assert states() == {"offers": "open", "overlap": "open"}
    resolution = both_sign(scene, LEAVE.format(scene))
    assert states() == {"offers": "resolved", "overlap": "resolved"}
    assert {row.settled_by for row in Conflict.objects.all()} == {resolution}
    for row in Conflict.objects.all():
        assert AuditEvent.objects.filter(subject_id=str(row.pk), action="resolution.applied").exists()
    for day in range(2):
        count(LATER + timedelta(days=day))
        assert states() == {"offers": "resolved", "overlap": "resolved"}


def test_every_way_out_is_measured_on_every_finding_of_the_pair(scene):
    ways = {way.key: way for way in resolve.ways_out(scene.conflict, now=NOW)}
    for key, after in ((LEAVE.format(scene), 0), ("accept", 60), (f"move:{scene.online.pk}:8", 0)):
        way = ways.get(key) or resolve.way_out(scene.conflict, key, now=NOW)
        assert {(effect.rule, effect.before, effect.after) for effect in way.effects} == {("offers", 60, after), ("overlap", 60, after)}
    apart = resolve.way_out(scene.conflict, f"move:{scene.online.pk}:3", now=NOW)
    assert {(effect.rule, effect.after) for effect in apart.effects} == {("offers", 60), ("overlap", 0)}


def test_a_move_settles_what_it_takes_apart_and_leaves_the_rest_open(scene):
    both_sign(scene, f"move:{scene.online.pk}:3")
    assert states() == {"offers": "open", "overlap": "resolved"}


def test_accepting_settles_only_the_findings_that_it_names(scene):
    overlap = Conflict.objects.get(rule="overlap")
    until = (NOW + timedelta(days=10)).date()
    both_sign(scene, "accept", reason="Both knew", expires_on=until, findings=[overlap.pk])
    assert states() == {"offers": "open", "overlap": "accepted"}
    both_sign(scene, "accept", reason="That too", expires_on=until, findings=[scene.conflict.pk])
    assert states() == {"offers": "accepted", "overlap": "accepted"}


@pytest.mark.parametrize("change", ["channel", "offer", "closer"])
def test_an_acceptance_asks_again_when_channel_offer_or_dates_change_the_finding(scene, change):
    until = (NOW + timedelta(days=20)).date()
    Message.objects.filter(campaign=scene.online).update(send_at=NOW + timedelta(days=4))
    count()
    both_sign(scene, "accept", reason="Both knew", expires_on=until)
    count(LATER)
    assert states() == {"offers": "accepted", "overlap": "accepted"}
    if change == "channel":
        Message.objects.filter(campaign=scene.online).update(channel="call")
    elif change == "closer":
        Message.objects.filter(campaign=scene.online).update(send_at=NOW + timedelta(days=2))
    else:
        scene.online_message.offer.__class__.objects.filter(pk=scene.online_message.offer_id).update(value=50)
    count(LATER)
    assert states()["offers" if change == "offer" else "overlap"] == "open"


def test_who_joins_late_changes_nothing_about_leaving_out_but_another_message_asks_again(scene):
    both_sign(scene, LEAVE.format(scene))
    Message.objects.filter(campaign=scene.online).update(plan_audience=BitMap(range(240)))
    count(LATER)
    assert states() == {"offers": "resolved", "overlap": "resolved"}
    Agreement.objects.update(yielding_message=scene.online_message)
    MessageFactory(
        campaign=scene.online, send_at=NOW + timedelta(days=3), plan_audience=BitMap(range(50)), plan_count=50, plan_computed_at=NOW
    )
    count(LATER)
    assert (states()["overlap"], Conflict.objects.get(rule="overlap").people_count) == ("open", 50)


def test_an_agreement_ends_on_its_day_and_the_conflict_returns(scene):
    Message.objects.update(send_at=NOW + timedelta(days=14), plan_computed_at=NOW + timedelta(days=14))
    count()
    both_sign(scene, LEAVE.format(scene), expires_on=(NOW + timedelta(days=10)).date())
    assert states()["offers"] == "open", "it would not hold any more when the messages go out"
    assert Agreement.objects.get().ended_at is None
    count(NOW + timedelta(days=11))
    assert Agreement.objects.get().ended_at == NOW + timedelta(days=11)
    assert Resolution.objects.get().end_cause == "expired"
    assert states() == {"offers": "open", "overlap": "open"}


def test_either_lead_withdraws_with_a_reason_and_the_conflict_returns(scene):
    resolution = both_sign(scene, LEAVE.format(scene))
    with pytest.raises(ValidationError):
        agree.end(actor=scene.retail_lead, resolution=resolution, reason=" ", now=LATER)
    for stranger in (UserFactory(role="lead"), UserFactory(role="marketer", department=scene.online.department)):
        with pytest.raises(PermissionDenied):
            agree.end(actor=stranger, resolution=resolution, reason="why not", now=LATER)
    for _click in range(2):
        ended = agree.end(actor=scene.retail_lead, resolution=resolution, reason="Stock is gone", now=LATER)
    assert (ended.state, ended.end_cause, ended.ended_by, ended.end_note) == ("ended", "withdrawn", scene.retail_lead, "Stock is gone")
    assert Agreement.objects.get().ended_at == LATER
    assert states() == {"offers": "open", "overlap": "open"}
    told = AuditEvent.objects.filter(action="agreement.ended", subject_id=str(scene.conflict.pk))
    assert [line.actor for line in told] == [scene.retail_lead]
    assert Notification.objects.filter(user=scene.online_lead, code="resolution.ended").exists()
    assert net(scene)[scene.online.pk] == set(range(40, 240))


def test_withdrawing_an_acceptance_opens_what_it_had_settled(scene):
    resolution = both_sign(scene, "accept", reason="fine", expires_on=(NOW + timedelta(days=10)).date())
    agree.end(actor=scene.online_lead, resolution=resolution, reason="not fine", now=LATER)
    assert states() == {"offers": "open", "overlap": "open"}


def test_a_cancelled_campaign_ends_its_agreements(scene):
    both_sign(scene, LEAVE.format(scene))
    launch.cancel(actor=scene.retail_lead, campaign=scene.retail, now=LATER)
    count(LATER)
    resolution = Resolution.objects.get()
    assert (resolution.state, resolution.end_cause, Agreement.objects.get().ended_at) == ("ended", "cancelled", LATER)
    assert net_of(scene.online) == set(range(40, 240))


def net_of(campaign):
    return set(loading.load(now=LATER).audience(campaign.pk))


def test_a_keeping_side_that_is_done_still_binds_until_the_other_is_over_too(scene):
    both_sign(scene, LEAVE.format(scene))
    scene.retail.__class__.objects.filter(pk=scene.retail.pk).update(status="done")
    count(LATER)
    assert Agreement.objects.get().ended_at is None
    assert net_of(scene.online) == set(range(100, 240)), "whoever got the one must not get the other"
    scene.online.__class__.objects.filter(pk=scene.online.pk).update(status="done")
    count(LATER)
    assert Resolution.objects.get().end_cause == "over"


def test_a_new_agreement_the_other_way_round_takes_the_place_of_the_old_one(scene):
    first = both_sign(scene, LEAVE.format(scene))
    agree.end(actor=scene.retail_lead, resolution=first, reason="other way", now=LATER)
    again = both_sign(scene, KEEP.format(scene))
    assert (again.state, states()) == ("applied", {"offers": "resolved", "overlap": "resolved"})
    assert net(scene) == {scene.retail.pk: set(range(40)), scene.online.pk: set(range(40, 240))}


def test_a_proposal_is_outdated_when_the_pair_got_something_new_against_each_other(scene):
    overlap = Conflict.objects.get(rule="overlap")
    Conflict.objects.filter(pk=overlap.pk).update(state="obsolete")
    resolution = propose(scene, LEAVE.format(scene))
    Conflict.objects.filter(pk=overlap.pk).update(state="open")
    assert agree.sign(actor=scene.retail_lead, resolution=resolution, agrees=True, now=LATER).state == "outdated"


def test_safety_gives_way_to_nothing_also_inside_a_campaign_that_yields(scene):
    recall = MessageFactory(
        campaign=scene.online, send_at=NOW + timedelta(days=3), plan_audience=BitMap(range(240)), plan_count=240, plan_computed_at=NOW
    )
    recall.purpose = recall.purpose.__class__.objects.create(code="recall", name="Recall", purpose_class="safety")
    recall.save()
    Agreement.objects.create(
        resolution=propose(scene, LEAVE.format(scene)), yielding_campaign=scene.online, keeping_campaign=scene.retail, since=NOW
    )
    assert net(scene)[scene.online.pk] == set(range(240))
