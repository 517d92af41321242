"""Providers on bad days, over real SMTP: refusals, busy servers, errors, silence."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.campaigns.models import Burst, Chunk, Delivery, Run
from apps.campaigns.sending import events, proof, settle, sweep, work
from apps.channels.adapters.base import ABSENT, Outcome
from apps.channels.counterparts import inbox
from apps.channels.counterparts.process import running
from apps.customers.models import ContactPoint
from tests.factories.sending import NOW, fast_account, mail_drafts, make_message, make_people, plan_one, send_all

pytestmark = pytest.mark.django_db(transaction=True)


def at(people, *addresses: str) -> None:
    for one, address in zip(people, addresses, strict=False):
        ContactPoint.objects.filter(customer=one).update(value=address)


def test_each_answer_of_a_real_server_becomes_its_outcome(settings, tmp_path, monkeypatch):
    settings.SANDBOX_DIR = tmp_path / "sandbox"
    monkeypatch.setattr(work.writing, "prepare", mail_drafts)
    people = make_people(12)
    at(people, "bounce@example.no", "policy@example.no", "full@example.no", "broken@example.no", "vanish@example.no")
    account = fast_account(name="Sandbox mail", adapter="sandbox_email", options={"timeout": 2})
    message = make_message(people, account=account)
    with running(settings.SANDBOX_DIR):
        send_all()
        run = Run.objects.get(message=message)
        sweep.sweep(now=NOW + timedelta(minutes=5))
        shown = proof.run_proof(run)
        got = inbox.references("email")
    assert proof.adds_up(shown)
    assert (shown["sent"], shown["failed"], shown["unknown"], shown["waiting"]) == (7, 2, 1, 2)
    assert set(got.values()) == {1}
    waits = Chunk.objects.filter(run=run, state="waiting").get()
    assert waits.attempt == 1
    assert waits.not_before > NOW


def test_a_provider_that_says_later_is_tried_again_and_nobody_doubled(provider):
    people = make_people(5)
    message = make_message(people)
    provider.answers = {people.min(): Outcome.RETRY}
    send_all()
    run = Run.objects.get(message=message)
    assert (proof.run_proof(run)["sent"], proof.run_proof(run)["waiting"]) == (4, 1)
    provider.answers = {}
    send_all(NOW + timedelta(hours=1))
    assert proof.run_proof(run)["sent"] == 5
    assert len(provider.posted) == len(set(provider.posted)) == 5


def test_a_provider_that_is_down_for_hours_makes_failures_not_losses(provider):
    people = make_people(3)
    message = make_message(people)
    provider.answers = dict.fromkeys(people, Outcome.RETRY)
    now = NOW
    for _ in range(settle.MOST_ATTEMPTS + 1):
        send_all(now)
        now += timedelta(hours=1)
    run = Run.objects.get(message=message)
    assert proof.run_proof(run)["failed"] == 3
    assert {row.reason for row in Delivery.objects.all()} == {"provider_down"}


def test_a_provider_that_breaks_off_leaves_nobody_doubled_and_is_asked(provider):
    people = list(make_people(6))
    message = make_message(BitMap(people))
    run = plan_one(message)

    def break_off(requests):
        provider.posted.append(requests[0].reference)
        raise RuntimeError("connection reset")

    provider.before_post = break_off
    work.work_runs(now=NOW)
    assert Burst.objects.get().settled_at is None
    assert proof.run_proof(run)["waiting"] == 6
    provider.before_post = None
    provider.known = {f"{run.pk}.{one}": ABSENT for one in people[1:]}
    later = NOW + timedelta(minutes=5)
    sweep.sweep(now=later)
    send_all(later + timedelta(minutes=5))
    shown = proof.run_proof(run)
    assert (shown["sent"], shown["unknown"]) == (5, 1)
    assert len(provider.posted) == len(set(provider.posted)) == 6
    message.account.refresh_from_db()
    assert "connection reset" in message.account.last_error


def test_a_message_that_cannot_be_made_holds_no_other_up(provider, monkeypatch):
    from tests.factories.sending import plain_drafts

    poison, good = make_message(make_people(2), campaign__priority=99), make_message(make_people(2))

    def prepare(run, *args, **kwargs):
        if run.message_id == poison.pk:
            raise ValueError("broken template")
        return plain_drafts(run, *args, **kwargs)

    monkeypatch.setattr(work.writing, "prepare", prepare)
    send_all()
    assert proof.run_proof(Run.objects.get(message=good))["sent"] == 2
    assert proof.run_proof(Run.objects.get(message=poison))["waiting"] == 2


def test_a_slow_account_does_not_hold_a_fast_one_up(provider):
    slow = fast_account(name="Slow")
    slow.rate = 1
    slow.save()
    make_message(make_people(50), account=slow, campaign__priority=99)
    fast = make_message(make_people(50))
    send_all(budget=4)
    assert proof.run_proof(Run.objects.get(message=fast))["sent"] == 50


def test_bad_news_wins_and_a_state_never_goes_back():
    assert events.state("sent", ["delivered", "opened"]) == "opened"
    assert events.state("sent", ["bounced", "delivered", "accepted"]) == "bounced"
    assert events.state("sent", ["complained", "clicked"]) == "complained"
    assert events.state("unknown", ["accepted"]) == "sent"
    assert events.state("refused", ["opened"]) == "refused"
    assert {events.words(code) for code in events.STATES}
