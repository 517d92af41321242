"""At most so many contacts in any window of so many hours, whoever sends and however many at once."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns.calendar import history
from apps.campaigns.models import ChannelWeight, ContactPolicy, Delivery, Message, MinimumGap, Run
from apps.campaigns.sending import explain, limits, plan, proof, work
from apps.consent.models import Purpose
from tests.campaigns.sending.threads import in_parallel
from tests.factories.sending import NOW, agree, make_message, make_people, plan_one, send_all

pytestmark = pytest.mark.django_db(transaction=True)


def policy(limit: int, days: int = 7, **fields) -> ContactPolicy:
    return ContactPolicy.objects.create(name="Policy", limit=limit, hours=days * 24, created_at=NOW, **fields)


def purpose(code: str, **fields) -> Purpose:
    return Purpose.objects.create(
        code=f"test-{code}", name=code, purpose_class=code, needs_consent=False, **fields
    )


def test_eight_workers_at_once_never_go_over_the_limit(provider):
    policy(2)
    people = make_people(2600, first_id=5000)
    for _ in range(6):
        make_message(people)
    plan.plan_due_runs(now=NOW)

    in_parallel([lambda: work.work_runs(now=NOW, budget=60)] * 8)
    work.work_runs(now=NOW, budget=60)

    got: dict[int, int] = {}
    for reference in provider.posted:
        customer_id = int(reference.split(".")[1])
        got[customer_id] = got.get(customer_id, 0) + 1
    assert len(provider.posted) == len(set(provider.posted))
    assert set(got.values()) == {2}
    assert len(got) == 2600
    for run in Run.objects.all():
        shown = proof.run_proof(run)
        assert proof.adds_up(shown)
        assert shown["waiting"] == shown["unknown"] == 0


def test_whoever_is_over_the_limit_is_refused_with_the_policy_as_rule(provider):
    held = policy(1)
    people = make_people(3)
    make_message(people)
    send_all()
    second = make_message(people, send_at=NOW + timedelta(days=2))
    send_all(NOW + timedelta(days=2))
    rows = Delivery.objects.filter(message_id=second.pk)
    assert {(row.reason, row.rule) for row in rows} == {("over_limit", f"policy.{held.pk}")}
    third = make_message(people, send_at=NOW + timedelta(days=7, minutes=1))
    send_all(NOW + timedelta(days=7, minutes=1))
    assert Delivery.objects.filter(message_id=third.pk, outcome="sent").count() == 3


def test_a_scheduled_message_of_higher_priority_keeps_its_place(provider):
    policy(1)
    people = make_people(4)
    great = make_message(BitMap(list(people)[:2]), send_at=NOW + timedelta(days=2), campaign__priority=90)
    small = make_message(people, campaign__priority=10)
    send_all()
    assert proof.run_proof(Run.objects.get(message=small))["refused"] == {"over_limit": 2}
    send_all(NOW + timedelta(days=2))
    assert proof.run_proof(Run.objects.get(message=great))["sent"] == 2


def test_a_higher_priority_message_that_cannot_reach_somebody_takes_no_place(provider):
    policy(1)
    people = make_people(4)
    other = Purpose.objects.create(code="events", name="Events", purpose_class="promotion")
    make_message(people, send_at=NOW + timedelta(days=2), campaign__priority=90, purpose=other)
    small = make_message(people, campaign__priority=10)
    send_all()
    assert proof.run_proof(Run.objects.get(message=small))["sent"] == 4


def test_safety_ignores_limits_and_counts_against_them(provider):
    policy(1)
    people = make_people(2)
    make_message(people)
    send_all()
    recall = make_message(people, purpose=purpose("safety"))
    send_all(NOW + timedelta(minutes=1))
    assert proof.run_proof(Run.objects.get(message=recall))["sent"] == 2
    later = make_message(people, send_at=NOW + timedelta(days=7))
    send_all(NOW + timedelta(days=7))
    assert proof.run_proof(Run.objects.get(message=later))["refused"] == {"over_limit": 2}


@pytest.mark.parametrize(("counts_service", "sent"), [(True, 0), (False, 2)])
def test_service_counts_where_the_policy_says_so(provider, counts_service, sent):
    policy(1, counts_service=counts_service)
    people = make_people(2)
    make_message(people, purpose=purpose("service"))
    send_all()
    message = make_message(people)
    send_all(NOW + timedelta(hours=1))
    assert proof.run_proof(Run.objects.get(message=message))["sent"] == sent


def test_a_control_group_takes_no_place(provider):
    policy(1)
    people = make_people(40)
    first = make_message(people, campaign__control_share="0.5")
    send_all()
    held = proof.run_proof(Run.objects.get(message=first))["held_out"]
    second = make_message(people)
    send_all(NOW + timedelta(hours=1))
    assert 0 < held < 40
    assert proof.run_proof(Run.objects.get(message=second))["sent"] == held


def test_the_check_before_sending_counts_what_is_sent_and_what_is_planned():
    policy(2)
    people = make_people(6)
    some = BitMap(list(people)[:3])
    for day in (1, 2):
        make_message(some, send_at=NOW + timedelta(days=day))
    late = make_message(people, send_at=NOW + timedelta(days=4))
    assert limits.held_back(late, people, late.send_at) == {"over_limit": some}
    far = Message.objects.get(pk=make_message(people, send_at=NOW + timedelta(days=12)).pk)
    assert limits.held_back(far, people, far.send_at) == {}


def test_merged_people_share_one_limit_and_one_contact(provider):
    from apps.customers.models import ContactPoint, Customer

    policy(1)
    people = make_people(2, first_id=900) | make_people(2, first_id=9000)
    message = make_message(people)
    run = plan_one(message)
    Customer.objects.filter(pk=9000).update(merged_into=900)
    ContactPoint.objects.filter(customer=9000).update(customer=900)
    send_all()
    assert proof.run_proof(run)["refused"] == {"same_person": 1}
    assert len(provider.posted) == 3
    second = make_message(BitMap([900]))
    send_all(NOW + timedelta(hours=1))
    assert proof.run_proof(Run.objects.get(message=second))["refused"] == {"over_limit": 1}


def test_somebody_merged_between_claim_and_burst_is_judged_anew(provider):
    from apps.customers.models import Customer

    people = make_people(2, first_id=900)
    run = plan_one(make_message(people))
    from apps.campaigns.sending import attempt, claim

    found = claim.claim(worker="w", now=NOW)
    Customer.objects.filter(pk=901).update(merged_into=900)
    begun = attempt.begin(found.chunks[0], people, judged_as=found.aliases, now=NOW)
    assert begun.burst is None
    attempt.release(found.chunks)
    agree(BitMap([900]))
    send_all()
    assert proof.run_proof(run) | {"audience": 2} == proof.run_proof(run)
    assert (len(provider.posted), proof.run_proof(run)["refused"]) == (1, {"same_person": 1})


def test_a_heavier_channel_uses_up_more_of_the_limit(provider):
    held = policy(3)
    ChannelWeight.objects.create(policy=held, channel="email", weight=2)
    people = make_people(3)
    make_message(people)
    send_all()
    second = make_message(people, send_at=NOW + timedelta(hours=1))
    send_all(NOW + timedelta(hours=1))
    assert proof.run_proof(Run.objects.get(message=second))["refused"] == {"over_limit": 3}


@pytest.mark.parametrize(("grouping", "sent"), [("none", 2), ("month", 0)])
def test_a_limit_in_whole_months_reaches_back_to_the_first_of_the_month(provider, grouping, sent):
    policy(1, grouping=grouping)
    people = make_people(2)
    make_message(people, send_at=NOW - timedelta(days=8))
    send_all(NOW - timedelta(days=8))
    later = make_message(people)
    send_all()
    assert proof.run_proof(Run.objects.get(message=later))["sent"] == sent


def test_a_minimum_gap_holds_back_whoever_was_contacted_so_shortly_before(provider):
    gap = MinimumGap.objects.create(name="A day of peace", hours=24)
    people = make_people(3)
    make_message(BitMap(list(people)[:2]))
    send_all()
    soon = make_message(people, send_at=NOW + timedelta(hours=23))
    send_all(NOW + timedelta(hours=23))
    refused = Delivery.objects.filter(message_id=soon.pk, outcome="refused")
    assert {(row.reason, row.rule) for row in refused} == {("too_soon", f"gap.{gap.pk}")}
    assert {explain.Told(row, soon, ()).rule for row in refused} == {"A day of peace"}
    late = make_message(BitMap(list(people)[:2]), send_at=NOW + timedelta(hours=25))
    send_all(NOW + timedelta(hours=25))
    assert proof.run_proof(Run.objects.get(message=late))["sent"] == 2


def test_a_gap_keeps_the_time_before_a_great_message_free(provider):
    MinimumGap.objects.create(name="A day of peace", hours=24)
    people = make_people(4)
    make_message(BitMap(list(people)[:2]), send_at=NOW + timedelta(hours=20), campaign__priority=90)
    small = make_message(people, campaign__priority=10)
    assert limits.held_back(small, people, small.send_at) == {"too_soon": BitMap(list(people)[:2])}
    send_all()
    assert proof.run_proof(Run.objects.get(message=small))["refused"] == {"too_soon": 2}


@pytest.mark.parametrize(("status", "days"), [("live", -1), ("done", -1), ("scheduled", 2)])
def test_what_another_tool_sends_counts_whatever_its_priority(provider, status, days):
    policy(1)
    people = make_people(4)
    make_message(
        BitMap(list(people)[:3]), send_at=NOW + timedelta(days=days), kind="elsewhere", status=status, campaign__priority=1
    )
    ours = make_message(people, campaign__priority=99)
    send_all()
    assert proof.run_proof(Run.objects.get(message=ours))["refused"] == {"over_limit": 3}


def test_the_calendar_counts_people_of_a_run_that_is_under_way(provider):
    people = make_people(4)
    agree(BitMap([people[0]]), granted=False)
    run = plan_one(make_message(people))
    assert [set(contact.people) for contact in history.sent_contacts(first=NOW - timedelta(days=1), now=NOW)] == [set(people)]
    send_all()
    [contact] = history.sent_contacts(first=NOW - timedelta(days=1), now=NOW)
    assert set(contact.people) == set(people[1:])
    assert contact.message_id == run.message_id
