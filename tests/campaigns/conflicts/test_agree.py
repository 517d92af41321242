"""Proposing, signing and applying ways out; and when an agreement has to be made anew."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from pyroaring import BitMap

from apps.accounts.models import Notification
from apps.campaigns import approval
from apps.campaigns.conflicts import agree, resolve, talk
from apps.campaigns.models import Agreement, Conflict, Message, Resolution
from apps.campaigns.models.approval import Approval
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW

from .conftest import count

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def propose(scene, way, actor=None, **values):
    return agree.propose(actor=actor or scene.online_lead, conflict=scene.conflict, way=way, now=NOW, **values)


def both_sign(scene, way, **values):
    resolution = propose(scene, way, **values)
    return agree.sign(actor=scene.retail_lead, resolution=resolution, agrees=True, now=LATER)


def accept(scene, **values):
    until = (NOW + timedelta(days=10)).date()
    return both_sign(scene, "accept", reason="Both knew", expires_on=until, **values)


def test_leaving_out_costs_the_shared_people_and_moving_costs_nobody(scene):
    ways = {way.key: way for way in resolve.ways_out(scene.conflict, now=NOW)}
    online = ways[f"leave_out:{scene.online.pk}"]
    assert (online.still_both, online.people_lost, online.orders_lost) == (0, 60, None)
    moves = [way for way in ways.values() if way.action == "move" and way.campaign_id == scene.online.pk]
    assert len(moves) == 3
    assert all((way.people_lost, way.still_both, way.others) == (0, 60, 0) for way in moves)
    assert moves[0].apart_days >= 7
    assert ways["accept"].still_both == 60


def test_a_proposal_waits_for_the_other_lead_and_is_applied_when_both_have_signed(scene):
    resolution = propose(scene, f"leave_out:{scene.online.pk}")
    assert (resolution.state, Agreement.objects.count()) == ("proposed", 0)
    assert Notification.objects.filter(user=scene.retail_lead, code="resolution.proposed").exists()
    resolution = agree.sign(actor=scene.retail_lead, resolution=resolution, agrees=True, now=LATER)
    bound = Agreement.objects.get()
    assert (resolution.state, scene.conflict.state) == ("applied", "resolved")
    assert (bound.yielding_campaign, bound.keeping_campaign) == (scene.online, scene.retail)


def test_a_marketer_proposes_without_signing_and_strangers_do_neither(scene):
    marketer = UserFactory(role="marketer", department=scene.online.department)
    resolution = propose(scene, f"leave_out:{scene.online.pk}", actor=marketer)
    assert resolution.signatures.count() == 0
    with pytest.raises(PermissionDenied):
        agree.sign(actor=marketer, resolution=resolution, agrees=True, now=LATER)
    with pytest.raises(PermissionDenied):
        propose(scene, f"leave_out:{scene.retail.pk}", actor=UserFactory(role="lead"))


def test_a_double_click_proposes_and_signs_once(scene):
    first = propose(scene, f"leave_out:{scene.online.pk}")
    assert propose(scene, f"leave_out:{scene.online.pk}") == first
    agree.sign(actor=scene.retail_lead, resolution=first, agrees=True, now=LATER)
    agree.sign(actor=scene.retail_lead, resolution=first, agrees=True, now=LATER)
    assert propose(scene, f"leave_out:{scene.online.pk}") == first
    assert (Resolution.objects.count(), Agreement.objects.count()) == (1, 1)


def test_of_two_proposals_the_first_signed_wins_and_the_other_is_outdated(scene):
    leave = propose(scene, f"leave_out:{scene.online.pk}")
    other = propose(scene, f"leave_out:{scene.retail.pk}", actor=scene.retail_lead)
    agree.sign(actor=scene.retail_lead, resolution=leave, agrees=True, now=LATER)
    with pytest.raises(agree.AlreadyDecided):
        agree.sign(actor=scene.online_lead, resolution=other, agrees=True, now=LATER)
    other.refresh_from_db()
    assert other.state == "outdated"
    with pytest.raises(agree.AlreadyDecided):
        propose(scene, "accept", reason="late", expires_on=(NOW + timedelta(days=1)).date())


def test_a_no_declines_it_and_a_withdrawal_takes_it_back(scene):
    declined = propose(scene, f"leave_out:{scene.online.pk}")
    agree.sign(actor=scene.retail_lead, resolution=declined, agrees=False, note="Not again", now=LATER)
    declined.refresh_from_db()
    assert (declined.state, scene.conflict.state) == ("declined", "open")
    again = propose(scene, f"leave_out:{scene.online.pk}")
    with pytest.raises(PermissionDenied):
        agree.withdraw(actor=scene.retail_lead, resolution=again, now=LATER)
    assert agree.withdraw(actor=scene.online_lead, resolution=again, now=LATER).state == "withdrawn"


def test_accepting_needs_a_reason_and_a_day_in_the_coming_year(scene):
    for values in (
        {"expires_on": NOW.date()}, {"reason": "why"}, {"reason": "why", "expires_on": (NOW - timedelta(days=1)).date()},
        {"reason": "why", "expires_on": (NOW + timedelta(days=400)).date()},
    ):
        with pytest.raises(ValidationError):
            propose(scene, "accept", **values)
    accept(scene)
    assert scene.conflict.state == "accepted"


def test_an_agreement_survives_recomputation_and_reopens_only_when_materially_worse(scene):
    accept(scene)
    Message.objects.filter(campaign=scene.online).update(plan_audience=BitMap(range(30, 240)))
    count()
    assert (scene.conflict.state, scene.conflict.people_count) == ("accepted", 70)
    Message.objects.filter(campaign=scene.online).update(plan_audience=BitMap(range(0, 240)))
    count()
    assert (scene.conflict.state, scene.conflict.people_count) == ("open", 100)


def test_an_acceptance_runs_out_and_the_conflict_returns(scene):
    accept(scene)
    Message.objects.update(send_at=NOW + timedelta(days=14), plan_computed_at=NOW + timedelta(days=11))
    count(NOW + timedelta(days=10))
    assert scene.conflict.state == "accepted"
    count(NOW + timedelta(days=11))
    assert scene.conflict.state == "open"


def test_a_move_that_both_signed_carries_the_approval_over(scene):
    given = _approve(scene.online)
    moved = both_sign(scene, f"move:{scene.online.pk}:9")
    scene.online.refresh_from_db()
    given.refresh_from_db()
    assert (moved.state, scene.online.status, given.state) == ("applied", "approved", "given")
    assert scene.online_message.send_at == NOW + timedelta(days=12)
    assert approval.is_covered(scene.online, NOW)
    count()
    assert scene.conflict.state == "resolved"


def test_what_was_moved_away_and_comes_back_is_open_again(scene):
    both_sign(scene, f"move:{scene.online.pk}:9")
    Message.objects.filter(campaign=scene.online).update(send_at=NOW + timedelta(days=3), plan_computed_at=LATER)
    count()
    assert scene.conflict.state == "open"


def test_a_proposal_that_became_worse_meanwhile_is_outdated_not_signed(scene):
    resolution = propose(scene, f"leave_out:{scene.online.pk}")
    Message.objects.filter(campaign=scene.online).update(plan_audience=BitMap(range(0, 240)))
    count()
    assert agree.sign(actor=scene.retail_lead, resolution=resolution, agrees=True, now=LATER).state == "outdated"
    assert not Agreement.objects.exists()


def test_what_cannot_be_done_is_refused(scene):
    for way in ("leave_out:999999", "move:1:0x", f"move:{scene.online.pk}:-5", "nonsense", f"move:{scene.online.pk}:9999"):
        with pytest.raises(ValidationError):
            propose(scene, way)
    assert not Resolution.objects.exists()
    assert Conflict.objects.filter(state="open").count() == Conflict.objects.count()


@pytest.mark.parametrize("way", ["move:{}:--5", "move:{}:5-5", "move:{}:-", "move:²:1", "move:{}", "move:{}:3:3"])
def test_a_way_out_that_cannot_be_read_is_refused_in_words(scene, way):
    with pytest.raises(ValidationError, match="is not there any more"):
        propose(scene, way.format(scene.online.pk))


def test_a_remark_is_kept_once_and_its_owners_hear_of_it(scene):
    for _click in range(2):
        talk.comment(actor=scene.retail_lead, conflict=scene.conflict, text=" Can you wait? ", now=NOW)
    assert [remark.text for remark in scene.conflict.comments.all()] == ["Can you wait?"]
    assert Notification.objects.filter(user=scene.online.owner, code="conflict.comment").exists()


def _approve(campaign):
    from apps.campaigns import signing

    signed = signing.snapshot(campaign)
    return Approval.objects.create(
        campaign=campaign, state="given", asked_by=campaign.owner, asked_at=NOW, signed=signed, digest=signing.digest(signed)
    )
