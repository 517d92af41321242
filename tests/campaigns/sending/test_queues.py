"""Each family of channels has its own queue, so that none waits for another."""

from datetime import timedelta

import pytest
from celery import current_app
from django.conf import settings

from apps.campaigns.beat import SCHEDULE
from apps.campaigns.models import Delivery
from apps.campaigns.sending import tasks, work
from apps.channels.kinds import FAMILIES, Channel
from apps.channels.models import ChannelAccount
from tests.factories.sending import NOW, agree, make_message, make_people, plan_one


def test_every_channel_is_of_one_family_with_a_queue_and_a_tick():
    assert sorted(channel for family in FAMILIES.values() for channel in family) == sorted(Channel)
    queues = {queue.name: queue for queue in settings.CELERY_TASK_QUEUES}
    assert set(FAMILIES) < set(queues)
    # in Celery a queue without a key of its own gets what is meant for the default one
    assert {name: (queue.exchange.name, queue.routing_key) for name, queue in queues.items()} == {
        name: (name, name) for name in queues
    }
    ticks = {entry["args"][0]: entry["options"]["queue"] for entry in SCHEDULE.values() if entry["task"] == "campaigns.work_runs"}
    assert ticks == {family: family for family in FAMILIES}


def test_a_worker_without_a_choice_works_all_queues():
    assert set(current_app.amqp.queues.consume_from) == {"concord", *FAMILIES}


@pytest.mark.django_db(transaction=True)
def test_work_of_one_family_leaves_the_others_waiting(provider, monkeypatch):
    people = make_people(4)
    agree(people, channel="sms")
    from apps.customers.models import ContactPoint, SourceRecord

    for record in SourceRecord.objects.all():
        ContactPoint.objects.create(customer_id=record.customer_id, source_record=record, kind="phone",
                                    value=f"+4740{record.customer_id:06d}", valid_from=NOW - timedelta(days=9))  # fmt: skip
    account = ChannelAccount.objects.create(name="sms", channel="sms", adapter="sandbox_sms", rate=100, created_at=NOW)
    plan_one(make_message(people))
    plan_one(make_message(people, channel="sms", account=account, is_mail=False))

    def sent() -> set[str]:
        return set(Delivery.objects.filter(outcome="sent").values_list("channel", flat=True))

    work.work_runs(now=NOW, channels=FAMILIES["lists"])
    assert sent() == set()
    work.work_runs(now=NOW, channels=FAMILIES["text"])
    assert sent() == {"sms"}
    monkeypatch.setattr(tasks.clock, "now", lambda: NOW)
    woken = []
    monkeypatch.setattr(tasks.work_runs, "apply_async", lambda args, queue: woken.append((args, queue)))
    tasks.work_runs("email")
    assert sent() == {"sms", "email"}
    assert woken == [(["email"], "email")]
