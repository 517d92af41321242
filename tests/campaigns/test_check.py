"""The reach waterfall, step by step in people."""

import itertools
from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns import audiences, check, readiness
from apps.campaigns.models import Approval
from apps.consent import ledger, suppression
from apps.core.reasons import Reason
from tests.factories import campaigns as make
from tests.factories.customers import CustomerFactory, SegmentFactory, person

NOW = make.NOW
pytestmark = pytest.mark.django_db


def agreed(customer, purpose, channel="email"):
    ledger.record(
        customer=customer, channel=channel, purpose=purpose, action="grant", at=NOW - timedelta(days=30),
        recorded_at=NOW - timedelta(days=30), source="test", method="form",
    )  # fmt: skip
    return customer


@pytest.fixture
def message():
    made = make.MessageFactory(include=[SegmentFactory()])
    make.BrandFactory(department=made.campaign.department, logo=None)
    make.ContentVersionFactory(message=made, language="nb", is_fallback=False)
    return made


def step(fall, code):
    return next(each for each in fall if each.code == code)


def test_each_step_loses_exactly_its_people(message):
    purpose = message.purpose
    gets_it = agreed(person(), purpose)
    never_agreed = person()
    no_address = agreed(CustomerFactory(), purpose)
    no_version = agreed(person(language="pl"), purpose)
    suppressed = agreed(person(), purpose)
    suppression.suppress(customer=suppressed.pk, channel="email", reason="manual", now=NOW)
    fall = check.waterfall(message, now=NOW)
    assert [each.code for each in fall] == [
        "audience", "address", "consent", "suppression", "limit", "agreement", "version", "control", "contacted"
    ]
    assert step(fall, "address").lost == {Reason.NO_ADDRESS: BitMap([no_address.pk])}
    assert step(fall, "consent").lost == {Reason.NO_CONSENT: BitMap([never_agreed.pk])}
    assert step(fall, "suppression").lost_count == 1
    assert step(fall, "version").lost == {Reason.NO_VERSION: BitMap([no_version.pk])}
    assert fall[-1].people == BitMap([gets_it.pk])


def test_every_step_is_the_one_before_less_what_it_lost(message):
    for number in range(12):
        agreed(person(language="nb" if number % 3 else "pl"), message.purpose)
    message.campaign.control_share = "0.500"
    message.campaign.save()
    fall = check.waterfall(message, now=NOW)
    for before, after in itertools.pairwise(fall):
        assert after.people == before.people - BitMap.union(BitMap(), *after.lost.values())


def test_left_out_segments_are_not_in_the_audience(message):
    one, other = person(), person()
    message.exclude.add(SegmentFactory(kind="static", rule={}, people=BitMap([other.pk]), count=1, computed_at=NOW))
    assert audiences.compute(message, now=NOW) == BitMap([one.pk])


def test_a_further_rule_narrows_the_audience(message):
    person(country="NO")
    pole = person(country="PL")
    message.audience_rule = {"is": "attribute", "field": "country", "op": "is", "value": "PL"}
    message.save()
    assert audiences.compute(message, now=NOW) == BitMap([pole.pk])


def test_a_message_for_nobody_chosen_has_no_audience():
    person()
    assert not audiences.compute(make.MessageFactory(), now=NOW)


def test_by_at_least_one_message_counts_everybody_once(message):
    second = make.MessageFactory(campaign=message.campaign, include=[SegmentFactory()])
    make.ContentVersionFactory(message=second, language="pl", is_fallback=False)
    norwegian, pole = agreed(person(), message.purpose), agreed(person(language="pl"), message.purpose)
    together = check.together(check.of_campaign(message.campaign, now=NOW).values())
    assert step(together, "audience").people == BitMap([norwegian.pk, pole.pk])
    assert together[-1].people == BitMap([norwegian.pk, pole.pk])
    assert step(together, "version").lost_count == 0


def test_what_is_missing_is_said_message_by_message():
    bare = make.MessageFactory(name="Bare", account=None)
    texts = [problem.text for problem in readiness.problems(bare.campaign, now=NOW)]
    assert any("nobody is chosen" in text for text in texts)
    assert any("no account" in text for text in texts)
    assert any("no text yet" in text for text in texts)
    assert all(text.startswith("Bare: ") for text in texts)


def test_an_offer_that_ends_before_the_message_goes_out_is_a_problem(message):
    message.offer = make.OfferFactory(valid_until=NOW + timedelta(hours=1))
    message.save()
    assert any("ends before" in problem.text for problem in readiness.problems(message.campaign, now=NOW))


def test_a_sound_plan_has_no_problem(message):
    assert readiness.problems(message.campaign, now=NOW) == []
    assert not Approval.objects.exists()


def test_empty_merge_fields_are_counted_among_those_who_will_read_them(message):
    nameless = agreed(person(given_name=""), message.purpose)
    agreed(person(), message.purpose)
    people = check.waterfall(message, now=NOW)[-1].people
    warnings = readiness.missing_values(message, people, now=NOW)
    assert [who for _text, who in warnings] == [BitMap([nameless.pk])]
