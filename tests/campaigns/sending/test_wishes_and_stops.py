"""What people and colleagues say while a send is under way holds from the next burst on."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from pyroaring import BitMap

from apps.accounts.models import AuditEvent
from apps.campaigns import launch
from apps.campaigns.models import Campaign, Chunk, Delivery, Run
from apps.campaigns.sending import attempt, chunks, claim, halts, proof, sweep, work
from apps.core.blocks import block_of
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, agree, fast_account, make_message, make_people, plan_one, send_all

pytestmark = pytest.mark.django_db(transaction=True)


def slow_message(people, **fields):
    return make_message(people, account=_slow(), **fields)


def _slow():
    account = fast_account(name="Ten at a time")
    account.rate = 10
    account.save()
    return account


def test_an_opt_out_committed_before_a_burst_holds_for_all_of_it(provider):
    people = make_people(30)
    message = slow_message(people)
    left_out = BitMap(list(people)[15:])

    def opt_out_after_the_first_burst(requests):
        if len(provider.bursts) == 1:
            agree(left_out, granted=False)

    provider.before_post = opt_out_after_the_first_burst
    send_all()
    run = Run.objects.get(message=message)
    assert {int(reference.split(".")[1]) for reference in provider.posted} == set(people - left_out)
    assert proof.run_proof(run)["refused"] == {"withdrawn": 15}


def test_erasure_half_way_holds_from_the_next_burst(provider):
    from apps.customers.models import Customer

    people = make_people(20)
    message = slow_message(people)
    last = max(people)

    def erase(requests):
        Customer.objects.filter(pk=last).update(erased_at=NOW)

    provider.before_post = erase
    send_all()
    assert f"{Run.objects.get(message=message).pk}.{last}" not in provider.posted
    assert Delivery.objects.get(customer_id=last).reason == "erased"


def test_a_pause_stops_before_the_next_burst_and_resuming_loses_nobody(provider):
    message = slow_message(make_people(25))
    campaign, owner = message.campaign, message.campaign.owner

    def pause(requests):
        if len(provider.bursts) == 1:
            launch.pause(actor=owner, campaign=campaign, now=NOW)

    provider.before_post = pause
    send_all()
    run = Run.objects.get(message=message)
    assert (len(provider.bursts), proof.run_proof(run)["sent"], proof.run_proof(run)["waiting"]) == (1, 10, 15)

    launch.resume(actor=owner, campaign=campaign, now=NOW)
    send_all()
    assert proof.run_proof(run)["sent"] == 25
    assert len(set(provider.posted)) == len(provider.posted) == 25


def test_a_stop_says_what_already_left_and_holds_until_it_is_lifted(provider):
    message = slow_message(make_people(25))
    owner = message.campaign.owner
    made = []

    def stop(requests):
        if len(provider.bursts) == 2:
            made.append(halts.stop(target=message, user=owner, reason="wrong price", now=NOW))

    provider.before_post = stop
    send_all()
    assert (len(provider.bursts), made[0].already_sent) == (2, 10)
    left = len(provider.posted)
    assert 10 < left < 25
    assert (halts.effect(message).already_sent, halts.effect(message).waiting) == (left, 25 - left)
    assert claim.claim(worker="w", now=NOW) is None

    assert halts.lift(halt=made[0], user=owner, now=NOW)
    assert not halts.lift(halt=made[0], user=owner, now=NOW)
    send_all()
    assert len(provider.posted) == 25
    assert list(AuditEvent.objects.filter(action__startswith="sending.").values_list("action", flat=True).order_by("id")) == [
        "sending.stopped", "sending.resumed",
    ]  # fmt: skip


def test_who_may_stop_what():
    message = make_message(make_people(1))
    department = message.campaign.department
    marketer, lead = UserFactory(department=department), UserFactory(department=department, role="lead")
    stranger, administrator = UserFactory(), UserFactory(role="administrator")
    assert halts.may_stop(marketer, message)
    assert not halts.may_stop(stranger, message)
    assert halts.may_stop(lead, department)
    assert not halts.may_stop(marketer, department)
    assert halts.may_stop(administrator, None)
    assert not halts.may_stop(lead, None)
    with pytest.raises(PermissionDenied):
        halts.stop(target=None, user=lead, now=NOW)


@pytest.mark.parametrize("what", ["department", "everything"])
def test_a_department_or_everything_can_be_stopped(provider, what):
    message = make_message(make_people(5))
    other = make_message(make_people(5))
    target = message.campaign.department if what == "department" else None
    halts.stop(target=target, user=UserFactory(role="administrator"), now=NOW)
    send_all()
    assert len(provider.posted) == (5 if what == "department" else 0)
    assert Run.objects.filter(message=other).exists()


def test_whoever_waits_in_a_stopped_run_at_its_deadline_was_halted(provider):
    message = make_message(make_people(3))
    run = plan_one(message)
    halts.stop(target=message, user=message.campaign.owner, now=NOW)
    sweep.sweep(now=run.deadline + timedelta(minutes=1))
    assert proof.run_proof(run)["refused"] == {"halted": 3}


def test_a_zombie_worker_cannot_begin_a_burst():
    plan_one(make_message(make_people(10)))
    zombie = claim.claim(worker="zombie", now=NOW)
    Chunk.objects.update(leased_until=chunks.database_now() - timedelta(seconds=1))
    sweep.sweep(now=NOW)
    with pytest.raises(attempt.LeaseLost):
        attempt.begin(zombie.chunks[0], zombie.people, judged_as=zombie.aliases, now=NOW)
    assert len(claim.claim(worker="heir", now=NOW).people) == 10


def test_a_zombie_that_comes_back_in_the_middle_hands_nobody_over_twice(provider, monkeypatch):
    message = slow_message(make_people(30))

    def expire(requests):
        if len(provider.bursts) == 1:
            Chunk.objects.update(leased_until=chunks.database_now() - timedelta(seconds=1))
            sweep.sweep(now=NOW)

    provider.before_post = expire
    send_all()
    send_all(NOW + timedelta(minutes=5))
    assert len(provider.posted) == len(set(provider.posted)) == 30
    assert proof.run_proof(Run.objects.get(message=message))["sent"] == 30


def test_a_second_worker_does_not_wait_for_a_busy_block():
    people = make_people(4, first_id=100)
    plan_one(make_message(people))
    from django.db import connection

    from tests.campaigns.sending.threads import in_thread

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [0x434F4E43, block_of(100)])
        assert in_thread(lambda: claim.claim(worker="two", now=NOW)) is None
        cursor.execute("SELECT pg_advisory_unlock_all()")
    assert claim.claim(worker="two", now=NOW) is not None


def test_a_campaign_that_is_not_live_is_not_claimed():
    plan_one(make_message(make_people(2)))
    Campaign.objects.update(status="paused")
    assert claim.claim(worker="w", now=NOW) is None
    assert work.work_runs(now=NOW).claims == 0
