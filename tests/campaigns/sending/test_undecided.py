"""A conflict that nobody decided in time is decided by the policy before anybody is claimed."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from apps.accounts.models import Notification
from apps.campaigns.conflicts import defaults
from apps.campaigns.models import Agreement, Conflict, ConflictSettings, Message, Resolution, Run
from apps.campaigns.sending import plan, proof, work
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, make_message, make_people, send_all

pytestmark = pytest.mark.django_db(transaction=True)


def collision(*, severity=2, decide_by=NOW - timedelta(hours=1), priority=60):
    """Two scheduled campaigns of two departments, one of them due now, to the same six people; nobody decided."""
    people = make_people(6)
    low, high = make_message(people), make_message(people, send_at=NOW + timedelta(days=1))
    high.campaign.priority = priority
    high.campaign.save()
    for message in (low, high):
        UserFactory(role="lead", department=message.campaign.department)
        Message.objects.filter(pk=message.pk).update(plan_audience=people, plan_count=len(people), plan_computed_at=NOW)
    first, second = sorted((low, high), key=lambda message: message.campaign_id)
    Conflict.objects.create(
        rule="overlap", identity=f"overlap:{first.campaign_id}-{second.campaign_id}", first_campaign=first.campaign,
        second_campaign=second.campaign, severity=severity, digest="x", state="open", found_at=NOW - timedelta(days=3),
        updated_at=NOW, decide_by=decide_by, people_both=people, people_count=6, first_at=NOW,
        facts={"first_messages": [first.pk], "second_messages": [second.pk], "first_at": first.send_at.isoformat(),
               "second_at": second.send_at.isoformat(), "hours_apart": 24, "people": 6, "channels": [["email", "email"]]},
    )  # fmt: skip
    return low, high


@pytest.mark.parametrize("severity", [2, 4])
def test_sending_enforces_the_policy_though_no_recount_ran_also_where_the_conflict_held_it_up(provider, severity):
    low, high = collision(severity=severity)
    send_all()
    assert proof.run_proof(Run.objects.get(message=low))["refused"] == {"agreed_elsewhere": 6}
    send_all(NOW + timedelta(days=1))
    assert proof.run_proof(Run.objects.get(message=high))["sent"] == 6


def test_a_run_that_was_planned_before_the_time_came_is_claimed_under_the_policy(provider):
    low, _high = collision()
    Conflict.objects.update(people_count=None)
    plan.plan_due_runs(now=NOW)
    assert not Agreement.objects.exists(), "they are not counted yet"
    Conflict.objects.update(people_count=6)
    work.work_runs(now=NOW + timedelta(minutes=1))
    assert proof.run_proof(Run.objects.get(message=low))["refused"] == {"agreed_elsewhere": 6}


def test_before_its_time_nobody_is_left_out(provider):
    low, _high = collision(decide_by=NOW + timedelta(minutes=30))
    send_all()
    assert proof.run_proof(Run.objects.get(message=low))["sent"] == 6


def test_under_the_policy_that_protects_nobody_the_claim_sends_both(provider):
    ConflictSettings.objects.create(pk=1, undecided="nobody")
    low, _high = collision()
    send_all()
    assert proof.run_proof(Run.objects.get(message=low))["sent"] == 6


def test_workers_at_the_same_moment_decide_once(provider):
    collision()
    start = Barrier(6)

    def work():
        start.wait()
        try:
            defaults.decide_overdue(now=NOW)
        finally:
            connection.close()

    workers = [Thread(target=work) for _number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (Resolution.objects.count(), Agreement.objects.count()) == (1, 1)
    assert Notification.objects.filter(code="conflict.defaulted").count() == 2
