"""Splitting the shared people by predicted value, from the measure to the claim; cancelling one of the two."""

import pytest
from pyroaring import BitMap

from apps.campaigns.conflicts import loading, resolve, response, valued
from apps.campaigns.models import Agreement, Campaign, Conflict, Message
from apps.campaigns.sending import agreements, aliases
from tests.factories.campaigns import NOW

from .conftest import count
from .test_agree import LATER, both_sign

pytestmark = pytest.mark.django_db
BUYERS = BitMap(range(40, 60))
PAST = response.Response(
    {"email": (4000, 80), "sms": (3000, 30)},
    {"email": ((BitMap(range(40, 4040)),), (BitMap(range(100, 180)),)), "sms": ((BitMap(range(40, 3040)),), (BUYERS,))},
)


@pytest.fixture
def split(scene, monkeypatch):
    """Online writes by SMS, and 20 of the 60 shared people have bought after an SMS before."""
    monkeypatch.setattr(response, "past", lambda *, now: PAST)
    Message.objects.filter(campaign=scene.online).update(channel="sms")
    count()
    return scene


def way(scene):
    return next(way for way in resolve.ways_out(scene.conflict, now=NOW) if way.action == "split")


def test_each_person_goes_where_their_own_history_says_more_orders_come():
    people = BitMap(range(40, 100))
    swapped, lost = valued.parted(people, {"email"}, {"sms"}, PAST)
    assert swapped == BUYERS
    rates = [PAST.rate_among(group, channel) for group, channel in ((BUYERS, "email"), (people - BUYERS, "sms"))]
    assert lost == pytest.approx(20 * rates[0] + 40 * rates[1])


def test_no_split_is_offered_where_the_past_tells_nobody_apart(scene):
    assert "split" not in {way.action for way in resolve.ways_out(scene.conflict, now=NOW)}


def test_the_split_is_measured_and_holds_in_the_plan_once_both_have_signed(split):
    measured = way(split)
    assert (measured.still_both, measured.people_lost) == (0, 60)
    assert all(effect.after == 0 for effect in measured.effects)
    both_sign(split, measured.key)
    plan = loading.load(now=LATER)
    assert set(plan.audience(split.retail.pk)) == set(range(100)) - set(BUYERS)
    assert set(plan.audience(split.online.pk)) == set(range(40, 240)) - set(range(60, 100))
    assert set(Conflict.objects.values_list("state", flat=True)) == {"resolved"}


def test_the_claim_gives_each_side_its_own_people_and_late_joiners_to_the_keeping_side(split, monkeypatch):
    both_sign(split, way(split).key)
    agreement = Agreement.objects.get()
    assert agreement.keeping_campaign == split.retail and BitMap(agreement.swapped) == BUYERS
    Message.objects.filter(campaign=split.retail).update(plan_audience=BitMap(range(102)))
    Campaign.objects.update(status="scheduled")
    monkeypatch.setattr(agreements, "contactable", lambda message, people, at: people)
    out = {}
    for campaign in (split.retail, split.online):
        message = Message.objects.select_related("campaign", "purpose").get(campaign=campaign)
        asked = BitMap(range(40, 102))
        out[campaign] = BitMap.union(BitMap(), *(people for _a, people in agreements.left_to_others(message, asked, LATER, aliases.of(asked))))
    assert out[split.retail] == BUYERS
    assert out[split.online] == BitMap(range(60, 102))


def test_late_joiners_are_split_by_what_was_decided_for_people_of_their_history(split, monkeypatch):
    """Ten of those who answer to texts join both audiences after the signing, and so do ten who never did."""
    early = BitMap(range(50, 100))
    Message.objects.filter(campaign=split.retail).update(plan_audience=BitMap(range(40)) | early)
    Message.objects.filter(campaign=split.online).update(plan_audience=early | BitMap(range(100, 240)))
    count()
    both_sign(split, way(split).key)
    made = Agreement.objects.get()
    assert (BitMap(made.swapped), BitMap(made.settled)) == (BitMap(range(50, 60)), early)
    # letters by channel, e-mail first: who was mailed without success goes to the texts when they bought after a text
    assert "cb" in made.rates["swapped"] and not {"cc", "nn"} & set(made.rates["swapped"])
    late = BitMap(range(40, 50)) | BitMap(range(5000, 5010))
    for side in (split.retail, split.online):
        message = Message.objects.get(campaign=side)
        Message.objects.filter(pk=message.pk).update(plan_audience=message.plan_audience | late)
    Campaign.objects.update(status="scheduled")
    plan = loading.load(now=LATER)
    net = {side: plan.audience(side.pk) & late for side in (split.retail, split.online)}
    assert net == {split.retail: BitMap(range(5000, 5010)), split.online: BitMap(range(40, 50))}
    monkeypatch.setattr(agreements, "contactable", lambda message, people, at: people)
    for side in (split.retail, split.online):
        message = Message.objects.select_related("campaign", "purpose").get(campaign=side)
        out = agreements.left_to_others(message, late, LATER, aliases.of(late))
        assert late - BitMap.union(BitMap(), *(people for _a, people in out)) == net[side]


def test_cancelling_one_of_the_two_is_measured_and_ends_it_when_both_signed(scene):
    measured = next(way for way in resolve.ways_out(scene.conflict, now=NOW) if way.key == f"cancel:{scene.online.pk}")
    assert (measured.people_lost, measured.still_both) == (200, 0)
    both_sign(scene, measured.key)
    assert Campaign.objects.get(pk=scene.online.pk).status == "cancelled"
    assert Campaign.objects.get(pk=scene.retail.pk).status == "approved"
