"""Seats, print runs, staff and warm-ups: what cannot be exceeded is not, by our own workers and other tools together."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from pyroaring import BitMap

from apps.campaigns.elsewhere import contacts, holds, permissions
from apps.campaigns.elsewhere.contacts import Contact
from apps.campaigns.models import Capacity, CapacityDay, Delivery, Message, Run
from apps.campaigns.sending import capacity, claim, hand_over, plan, proof, sweep, work
from apps.channels.adapters.base import Outcome
from apps.channels.content import CallContent
from apps.channels.models import CallTask, ChannelAccount
from apps.customers.models import ContactPoint, SourceRecord
from tests.factories.accounts import UserFactory
from tests.factories.sending import LONG_AGO, NOW, agree, fast_account, make_message, make_people, plan_one, send_all

from .threads import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = date(2026, 11, 18)
MIDNIGHT = datetime(2026, 11, 18, 23, 0, tzinfo=UTC)


def line(per_day: int, **fields) -> Capacity:
    return Capacity.objects.create(**({"name": "Line", "channel": "email", "starts_on": TODAY, "per_day": per_day} | fields))


def sent(message: Message | None = None) -> int:
    rows = Delivery.objects.filter(outcome="sent")
    return (rows.filter(message_id=message.pk) if message else rows).count()


def shown(message: Message) -> dict:
    found = proof.run_proof(Run.objects.get(message=message))
    assert proof.adds_up(found)
    return found


def test_what_does_not_fit_goes_on_the_next_days(provider):
    line(12)
    message = make_message(make_people(30), send_until=NOW + 10 * DAY)
    send_all()
    assert (sent(), shown(message)["deferred"]) == (12, {"over_capacity": 18})
    send_all(MIDNIGHT - timedelta(seconds=1))
    assert sent() == 12
    send_all(MIDNIGHT)
    assert sent() == 24
    send_all(MIDNIGHT + DAY)
    assert (sent(), len(set(provider.posted)), shown(message)["waiting"]) == (30, 30, 0)


def test_the_warm_up_of_a_new_sender_grows_day_by_day_and_holds_for_its_account_only(provider):
    account, other = fast_account(name="New"), fast_account(name="Old")
    line(4, account=account, growth_percent=50)
    warm = make_message(make_people(20), account=account, send_until=NOW + 10 * DAY)
    free = make_message(make_people(20), account=other)
    got = []
    for day in range(3):
        send_all(NOW + day * DAY)
        got.append(sent(warm))
    assert (got, sent(free)) == ([4, 10, 19], 20)


def test_at_the_end_of_the_run_those_left_over_are_refused_as_over_capacity(provider):
    made = line(5)
    message = make_message(make_people(12), send_until=NOW + 6 * HOUR)
    send_all()
    send_all(NOW + 6 * HOUR)
    assert shown(message)["refused"] == {"over_capacity": 7}
    assert set(Delivery.objects.filter(reason="over_capacity").values_list("rule", flat=True)) == {f"capacity.{made.pk}"}


def test_a_full_day_of_the_account_is_told_by_the_same_reason(provider):
    account = fast_account(daily_capacity=5)
    message = make_message(make_people(12), account=account, send_until=NOW + 6 * HOUR)
    send_all()
    send_all(NOW + 6 * HOUR)
    assert shown(message)["refused"] == {"over_capacity": 7}
    assert set(Delivery.objects.filter(reason="over_capacity").values_list("rule", flat=True)) == {f"account.{account.pk}"}


def test_a_line_that_may_be_exceeded_only_warns(provider):
    line(5, is_hard=False)
    make_message(make_people(12))
    send_all()
    assert sent() == 12
    assert not CapacityDay.objects.exists()


def test_a_day_of_the_week_without_a_line_is_unlimited_and_a_closed_one_is_not(provider):
    line(0, weekdays=[3])
    message = make_message(make_people(4), send_until=NOW + 3 * DAY)
    send_all()
    assert shown(message)["waiting"] == 4
    assert capacity.shut(message, NOW).until == MIDNIGHT
    send_all(MIDNIGHT)
    assert sent() == 4


def test_the_order_is_priority_then_time_and_who_was_left_over_goes_first(provider):
    line(10)
    low = make_message(make_people(8), priority=10, send_until=NOW + 9 * DAY)
    high = make_message(make_people(8), priority=90, send_until=NOW + 9 * DAY)
    send_all()
    assert (sent(high), sent(low)) == (8, 2)
    later = make_message(make_people(8), priority=10, send_at=MIDNIGHT, send_until=NOW + 9 * DAY)
    send_all(MIDNIGHT)
    assert (sent(low), sent(later)) == (8, 4)


def test_eight_workers_and_two_other_tools_together_never_pass_a_line(provider):
    line(100)
    account = fast_account()
    theirs = make_message(BitMap(), kind="elsewhere", send_at=NOW + 20 * DAY)
    for number in range(3):
        plan_one(make_message(make_people(80, first_id=10_000 + number * 5000), account=account, send_until=NOW + 9 * DAY))
    asked = make_people(60, first_id=40_000)
    allowed: list[int] = []

    def ask() -> None:
        for one in list(asked)[::6]:
            answers = permissions.ask(message=theirs, people=BitMap([one]), at=NOW, until=NOW + HOUR, now=NOW)
            allowed.extend(pk for pk, answer in answers.items() if answer.answer == "allowed")

    in_parallel([lambda: work.work_runs(now=NOW, budget=30, worker="w")] * 8 + [ask, ask])
    assert sent() + len(allowed) == CapacityDay.objects.get().used == 100
    assert len(provider.posted) == sent()


def test_who_was_not_taken_uses_no_place(provider):
    line(6)
    people, strangers = make_people(6), make_people(20, agreed=False)
    provider.answers = {people[0]: Outcome.RETRY, people[1]: Outcome.RETRY}
    make_message(people | strangers)
    send_all()
    assert CapacityDay.objects.get().used == sent() == 4
    provider.answers = {}
    send_all(NOW + timedelta(minutes=5))
    assert sent() == 6


def test_a_line_made_during_the_day_counts_what_has_left_before(provider):
    make_message(make_people(7))
    send_all()
    line(10)
    make_message(make_people(9))
    send_all(NOW + timedelta(minutes=1))
    assert sent() == 10


def test_a_full_line_lets_no_claim_go_round_and_round(provider):
    line(3)
    plan_one(make_message(make_people(9), send_until=NOW + 9 * DAY))
    assert work.work_runs(now=NOW, budget=20).sent == 3
    assert claim.claim(worker="w", now=NOW) is None


def test_another_tool_is_told_the_next_day_and_places_given_back_are_free(provider):
    line(2)
    people = list(make_people(4))
    theirs = make_message(BitMap(), kind="elsewhere", send_at=NOW + 20 * DAY)

    def ask(*who: int, at=NOW):
        return permissions.ask(message=theirs, people=BitMap(who), at=at, until=at + HOUR, now=NOW)

    answers = ask(*people[:3])
    assert [answers[pk].answer for pk in people[:3]] == ["allowed", "allowed", "deferred"]
    assert (answers[people[2]].reason, answers[people[2]].until) == ("over_capacity", MIDNIGHT)
    assert holds.release(answers[people[0]].permission, department_id=theirs.campaign.department_id, now=NOW)
    assert ask(people[3])[people[3]].answer == "allowed"
    sweep.sweep(now=NOW + 2 * HOUR)
    assert CapacityDay.objects.get().used == 0


def test_a_contact_that_was_told_uses_its_place_once_and_counts_without_one_too(provider):
    line(2)
    people = list(make_people(3))
    theirs = make_message(BitMap(), kind="elsewhere", send_at=NOW + 20 * DAY)
    given = permissions.ask(message=theirs, people=BitMap(people[:1]), at=NOW, until=NOW + HOUR, now=NOW)[people[0]].permission
    contacts.prepare([NOW])
    told = [Contact("a", people[0], theirs, NOW, given), Contact("b", people[1], theirs, NOW), Contact("c", people[2], theirs, NOW)]
    contacts.record(department=theirs.campaign.department, contacts=told, now=NOW)
    assert CapacityDay.objects.get().used == 3, "what happened has happened"
    make_message(make_people(2), send_until=NOW + 5 * DAY)
    send_all(NOW + HOUR)
    assert sent() == 3


@pytest.fixture
def called(monkeypatch) -> tuple[BitMap, ChannelAccount]:
    """People with a phone who agreed to calls, and the call centre."""
    people = make_people(9)
    agree(people, channel="call")
    account = ChannelAccount.objects.create(name="calls", channel="call", adapter="sandbox_call", rate=100, created_at=NOW)
    for record in SourceRecord.objects.filter(customer__in=list(people)):
        ContactPoint.objects.create(customer_id=record.customer_id, source_record=record, kind="phone",
                                    value=f"+4740{record.customer_id:06d}", valid_from=LONG_AGO)  # fmt: skip
    monkeypatch.setattr(work.writing, "prepare", lambda run, people, aliases, *, now: (
        {one: work.writing.Draft(CallContent(script="Hei", goal=""), {}, "nb", "A") for one in people}, {}
    ))  # fmt: skip
    return people, account


def test_no_more_calls_are_opened_a_day_than_there_are_seats_and_yesterdays_come_first(called):
    people, account = called
    line(4, channel="call", account=account)
    make_message(people, channel="call", account=account, is_mail=False, send_until=NOW + 9 * DAY)
    send_all()
    assert CallTask.objects.count() == 4
    agent = UserFactory(role="agent")

    def call(moment: datetime) -> bool:
        found = hand_over.next_call(agent, now=moment)
        if found is not None:
            CallTask.objects.filter(pk=found.pk).update(state="done")
        return found is not None

    CallTask.objects.update(created_at=NOW)
    assert call(NOW)
    tomorrow = NOW + DAY
    send_all(tomorrow)
    assert CallTask.objects.count() == 5, "three of yesterday still wait: one seat is free for somebody new"
    CallTask.objects.filter(created_at__gt=NOW).update(created_at=tomorrow)
    assert [call(tomorrow) for _ in range(5)] == [True, True, True, True, False]
    assert sent() == 5


def test_the_live_tab_names_the_line_and_when_there_is_room_again(provider, client):
    message = make_message(make_people(9), send_until=datetime.now(UTC) + 9 * DAY)
    plan.plan_due_runs(now=NOW)
    line(0, name="Warm-up of the new sender", starts_on=date(2026, 1, 1), ends_on=date(2099, 1, 1), growth_percent=0)
    client.force_login(UserFactory(language="en"))
    page = client.get(reverse("campaigns:live", args=[message.campaign_id])).content.decode()
    assert "Warm-up of the new sender is full for this day" in page
