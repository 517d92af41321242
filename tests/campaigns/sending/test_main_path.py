from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns.models import Campaign, Chunk, Delivery, Run
from apps.campaigns.sending import claim, ledger, plan, proof, sweep, work
from tests.factories.sending import NOW, agree, make_message, make_people, plan_one, send_all

pytestmark = pytest.mark.django_db(transaction=True)


def test_everybody_who_agreed_gets_it_once_and_the_proof_adds_up(provider):
    people = make_people(30)
    strangers = make_people(5, agreed=False)
    message = make_message(people | strangers)

    worked = send_all()

    run = Run.objects.get(message=message)
    assert worked.sent == 30
    assert sorted(provider.posted) == sorted(f"{run.pk}.{one}" for one in people)
    assert proof.run_proof(run) == {
        "audience": 35, "waiting": 0, "sent": 30, "refused": {"no_consent": 5}, "held_out": 0, "failed": 0, "unknown": 0,
            "deferred": {},
    }  # fmt: skip
    assert proof.adds_up(proof.run_proof(run))


def test_a_campaign_becomes_live_with_its_first_run_and_done_with_its_last(provider):
    message = make_message(make_people(3))
    plan_one(message)
    assert Campaign.objects.get().status == "live"
    send_all()
    assert Run.objects.get().state == "done"
    assert Campaign.objects.get().status == "done"


def test_planning_twice_makes_one_run_and_no_chunk_twice():
    message = make_message(make_people(2500, first_id=1000))
    assert len(plan.plan_due_runs(now=NOW)) == 1
    assert plan.plan_due_runs(now=NOW) == []
    occurrence = plan.Occurrence("once", NOW, NOW)
    assert plan.plan_run(message, occurrence, now=NOW) is None
    people = [chunk.people for chunk in Chunk.objects.all()]
    assert sum(map(len, people)) == len(BitMap.union(*people)) == 2500
    assert all(one // 1024 == chunk.block for chunk in Chunk.objects.all() for one in chunk.people)


def test_nothing_is_planned_before_its_time_nor_without_approval_nor_for_a_draft(provider):
    people = make_people(2)
    make_message(people, send_at=NOW + timedelta(minutes=1))
    unsigned = make_message(people)
    unsigned.campaign.approvals.all().delete()
    make_message(people, status="draft")
    assert plan.plan_due_runs(now=NOW) == []


def test_a_plan_that_differs_from_what_was_signed_is_not_sent():
    message = make_message(make_people(2))
    message.versions.update(subject="Something else")
    assert plan.plan_due_runs(now=NOW) == []


def test_a_message_with_nobody_makes_a_run_that_is_done_at_once(provider):
    message = make_message(BitMap())
    send_all()
    run = Run.objects.get(message=message)
    assert run.state == "done"
    assert proof.run_proof(run)["audience"] == 0


def test_the_same_work_twice_or_late_sends_nothing_again(provider):
    make_message(make_people(20))
    send_all()
    work.work_runs(now=NOW + timedelta(hours=1))
    send_all(NOW + timedelta(hours=3))
    assert len(provider.posted) == len(set(provider.posted)) == 20


def test_a_claim_judges_everybody_and_reserves_in_one_commit():
    people = make_people(10)
    agree(BitMap(list(people)[:3]), granted=False)
    run = plan_one(make_message(people))
    found = claim.claim(worker="one", now=NOW)
    assert len(found.people) == 7
    assert Delivery.objects.filter(run_id=run.pk, reason="withdrawn").count() == 3
    assert claim.claim(worker="two", now=NOW) is None


def test_two_people_with_one_address_get_one_message(provider):
    from apps.customers.models import ContactPoint

    people = list(make_people(3))
    ContactPoint.objects.filter(customer__in=people[:2]).update(value="home@example.no")
    agree(BitMap(people[:1]), granted=False)
    message = make_message(BitMap(people))
    send_all()
    run = Run.objects.get(message=message)
    assert proof.run_proof(run)["refused"] == {"same_address": 1}
    assert sorted(provider.addresses) == ["home@example.no", f"person{people[2]}@example.no"]


def test_people_of_a_lost_chunk_are_found_again(provider):
    run = plan_one(make_message(make_people(40)))
    Chunk.objects.all().delete()
    sweep.sweep(now=NOW)
    send_all()
    assert proof.run_proof(run)["sent"] == 40


def test_a_deadline_turns_waiting_into_refused(provider):
    run = plan_one(make_message(make_people(4)))
    sweep.sweep(now=run.deadline + timedelta(seconds=1))
    assert proof.run_proof(run)["refused"] == {"expired": 4}
    run.refresh_from_db()
    assert run.state == "done"


def test_a_cancelled_campaign_refuses_whoever_waits(provider):
    run = plan_one(make_message(make_people(4)))
    Campaign.objects.update(status="cancelled")
    sweep.sweep(now=NOW)
    assert proof.run_proof(run)["refused"] == {"cancelled": 4}
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_the_ledger_cannot_be_changed(provider):
    from django.db import DatabaseError, connection, transaction

    make_message(make_people(2))
    send_all()
    for statement in ("UPDATE campaigns_delivery SET outcome = 'failed'", "DELETE FROM campaigns_delivery"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert len(ledger.of_run(Run.objects.get())) == 2
