"""What the plan counts of an agreement is what the run then really does: whom the keeping side cannot contact stays."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns import check
from apps.campaigns.conflicts import loading, passes
from apps.campaigns.models import Agreement, Conflict, Delivery, Message
from apps.campaigns.sending import agreements, aliases
from apps.consent import suppression
from apps.consent.models import Purpose, Suppression
from tests.campaigns.sending.test_agreements import agreement
from tests.factories.sending import NOW, agree, make_message, make_people, send_all

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(days=2)


def reached(message: Message) -> BitMap:
    return BitMap(Delivery.objects.filter(message_id=message.pk, outcome="sent").values_list("customer_id", flat=True))


def net(message: Message, *, now=NOW) -> BitMap:
    plan = loading.load(now=now)
    return plan.people.of(plan.messages[message.pk])


@pytest.fixture
def scene(provider, monkeypatch):
    """Forty people in both; of the keeping side ten have no consent, some are held out, two bounced."""
    people = make_people(40)
    events = Purpose.objects.create(code="events", name="Events", purpose_class="promotion")
    agree(BitMap(list(people)[10:]), purpose=events)
    for one in list(people)[10:12]:
        suppression.suppress(customer=one, channel="email", reason="bounced", now=NOW)
    agree(BitMap(list(people)[12:14]), granted=False)
    keeping = make_message(people, send_at=LATER, purpose=events, campaign__control_share="0.3")
    yielding = make_message(people, send_at=NOW + timedelta(hours=2))
    monkeypatch.setattr(check.audiences, "compute", lambda message, *, now: Message.objects.get(pk=message.pk).plan_audience)
    return people, keeping, yielding, agreement(yielding, keeping)


def test_nobody_is_in_both_and_nobody_is_lost_between_them(scene):
    people, keeping, yielding, _made = scene
    mine, theirs = net(yielding), net(keeping)
    assert not mine & theirs
    assert mine | theirs == people
    assert BitMap(list(people)[:12]) <= mine, "without consent, or bounced"
    assert len(mine) > 12, "and those whom the keeping side's control group holds out"


def test_the_plan_the_check_and_the_run_agree_person_by_person(scene):
    _people, keeping, yielding, _made = scene
    planned, to_keep = net(yielding), net(keeping)
    steps = {step.code: step for step in check.waterfall(yielding, now=NOW)}
    send_all(NOW + timedelta(hours=2))
    done = reached(yielding)
    # beside the agreement the plan leaves missing consent and bounces aside: they are shown as reach
    unreachable = planned - done
    assert unreachable == BitMap(list(_people)[10:14]) & planned
    assert steps["contacted"].people == done
    send_all(LATER)
    assert reached(keeping) == to_keep
    assert not done & reached(keeping)


def test_the_other_way_round_after_a_split(scene):
    people, keeping, yielding, made = scene
    swapped = BitMap(list(people)[8:30])
    Agreement.objects.filter(pk=made.pk).update(swapped=swapped, settled=people)
    mine, theirs = net(yielding), net(keeping)
    assert not mine & theirs
    send_all(NOW + timedelta(hours=2))
    assert reached(yielding) == mine - BitMap(list(people)[10:14])
    send_all(LATER)
    assert reached(keeping) == theirs - BitMap(list(people)[:12])


def test_when_the_keeping_side_has_run_the_plan_counts_whom_it_really_reached(scene):
    _people, keeping, _yielding, _made = scene
    send_all(LATER)
    second = make_message(keeping.plan_audience, send_at=LATER + timedelta(days=1), campaign=_yielding.campaign)
    assert net(second, now=LATER + timedelta(hours=1)) == second.plan_audience - reached(keeping)
    out = agreements.left_to_others(second, second.plan_audience, LATER + timedelta(days=1), aliases.of(second.plan_audience))
    assert BitMap.union(BitMap(), *[group for _made, group in out]) == reached(keeping)


def test_a_conflict_under_an_agreement_is_not_found_again_for_those_whom_the_keeper_cannot_contact(scene):
    passes.count_people(number=passes.plan_changed(campaign_ids=[], now=NOW), now=NOW)
    pair = {scene[1].campaign_id, scene[2].campaign_id}
    found = Conflict.objects.filter(rule="overlap", first_campaign__in=pair, second_campaign__in=pair, state="open")
    assert not found.exists()
    assert Suppression.objects.count() == 2


def test_the_number_of_questions_does_not_grow_with_agreements(scene, django_assert_max_num_queries):
    people, keeping, _yielding, _made = scene

    def queries() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        plan = loading.load(now=NOW)
        with CaptureQueriesContext(connection) as seen:
            plan.people.fetch(plan.messages.values())
            for message in plan.messages.values():
                plan.people.of(message)
        return len(seen)

    few = queries()
    for hours in range(3, 9):
        agreement(make_message(people, send_at=NOW + timedelta(hours=hours)), keeping)
    assert queries() == few
