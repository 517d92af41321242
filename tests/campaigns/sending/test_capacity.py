"""An account's messages per day and its provider's wish for peace hold, whoever sends and however many at once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from apps.campaigns.models import Delivery, Run
from apps.campaigns.sending import proof, work
from apps.channels import health, throttle
from apps.channels.adapters.base import Outcome, Receipt
from apps.channels.models import AccountHour, CallTask, ChannelAccount
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, agree, fast_account, make_message, make_people, plan_one, send_all

from .threads import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)
# NOW is Wednesday 14:00 in Oslo
MIDNIGHT = datetime(2026, 11, 18, 23, 0, tzinfo=UTC)


def sent() -> int:
    return Delivery.objects.filter(outcome="sent").count()


def small(people, **fields):
    return make_message(people, account=fast_account(**fields), send_until=NOW + timedelta(days=10))


def test_what_does_not_fit_into_a_day_waits_for_the_next(provider):
    message = small(make_people(30), daily_capacity=12)
    send_all()
    assert (sent(), len(provider.posted)) == (12, 12)
    send_all(MIDNIGHT - timedelta(seconds=1))
    assert sent() == 12
    assert proof.run_proof(Run.objects.get(message=message))["waiting"] == 18

    send_all(MIDNIGHT)
    assert sent() == 24
    send_all(MIDNIGHT + timedelta(hours=24))
    found = proof.run_proof(Run.objects.get(message=message))
    assert (found["sent"], found["waiting"], len(set(provider.posted))) == (30, 0, 30)
    assert proof.adds_up(found)


def test_the_day_is_that_of_the_account(provider):
    small(make_people(10), daily_capacity=4, time_zone="Pacific/Auckland")
    send_all()
    # midnight in Auckland is 11:00 UTC
    send_all(datetime(2026, 11, 19, 10, 59, tzinfo=UTC))
    assert sent() == 4
    send_all(datetime(2026, 11, 19, 11, 0, tzinfo=UTC))
    assert sent() == 8


def test_several_workers_at_once_do_not_overrun_the_day(provider):
    account = fast_account(daily_capacity=50)
    account.rate = 40
    account.save()
    for number in range(3):
        plan_one(make_message(make_people(60, first_id=10_000 + number * 5000), account=account))
    in_parallel([lambda: work.work_runs(now=NOW, budget=15, worker="w")] * 4)
    assert sent() == len(provider.posted) == 50


def test_two_messages_share_the_day_of_their_account(provider):
    account = fast_account(daily_capacity=10)
    for number in range(2):
        make_message(make_people(8, first_id=1000 * (number + 1)), account=account)
    send_all()
    assert sent() == 10


def test_who_was_refused_or_not_taken_uses_no_place_of_the_day(provider):
    people = make_people(6)
    strangers = make_people(20, agreed=False)
    provider.answers = {people[0]: Outcome.RETRY, people[1]: Outcome.RETRY}
    small(people | strangers, daily_capacity=6)
    send_all()
    assert ChannelAccount.objects.get().day_count == sent() == 4
    provider.answers = {}
    send_all(NOW + timedelta(minutes=5))
    assert sent() == 6


def test_a_raised_limit_lets_the_others_go_at_once(provider):
    small(make_people(10), daily_capacity=4)
    send_all()
    ChannelAccount.objects.update(daily_capacity=9)
    send_all(NOW + timedelta(minutes=1))
    assert sent() == 9


def test_a_call_list_grows_by_the_days_number(monkeypatch):
    from apps.channels import registry

    people = make_people(9)
    agree(people, channel="call")
    account = ChannelAccount.objects.create(
        name="calls", channel="call", adapter="sandbox_call", daily_capacity=4, rate=100, created_at=NOW
    )
    from apps.channels.content import CallContent
    from apps.customers.models import ContactPoint, SourceRecord
    from tests.factories.sending import LONG_AGO

    for record in SourceRecord.objects.filter(customer__in=list(people)):
        ContactPoint.objects.create(customer_id=record.customer_id, source_record=record, kind="phone",
                                    value=f"+4740{record.customer_id:06d}", valid_from=LONG_AGO)  # fmt: skip
    monkeypatch.setattr(work.writing, "prepare", lambda run, people, aliases, *, now: (
        {one: work.writing.Draft(CallContent(script="Hei", goal=""), {}, "nb", "A") for one in people}, {}
    ))  # fmt: skip
    assert registry.adapter_for(account)
    make_message(people, channel="call", account=account, is_mail=False, send_until=NOW + timedelta(days=9))
    send_all()
    assert CallTask.objects.count() == 4
    send_all(NOW + timedelta(hours=1))
    assert CallTask.objects.count() == 4
    send_all(MIDNIGHT + timedelta(hours=10))
    assert CallTask.objects.count() == 8


def test_the_live_tab_says_why_people_wait_and_until_when(provider, client):
    message = small(make_people(10), daily_capacity=4)
    send_all()
    client.force_login(UserFactory(language="en"))
    page = client.get(reverse("campaigns:live", args=[message.campaign_id])).content.decode()
    # the page's own clock is a later day: the account is open again there, unless the day is told to last
    assert "has sent all it may" not in page
    ChannelAccount.objects.update(day_ends_at=datetime.now(UTC) + timedelta(hours=3))
    page = client.get(reverse("campaigns:live", args=[message.campaign_id])).content.decode()
    assert "Fast mail has sent all it may on this day (4)" in page
    ChannelAccount.objects.update(day_count=0, rests_until=datetime.now(UTC) + timedelta(hours=3))
    page = client.get(reverse("campaigns:live", args=[message.campaign_id])).content.decode()
    assert "The provider of Fast mail asked us to wait" in page


def test_a_provider_that_asks_for_peace_gets_it_on_the_whole_account(provider, monkeypatch):
    people = make_people(20)
    account = fast_account()
    account.rate = 10
    account.save()
    make_message(people, account=account)
    busy = True

    def post(requests):
        for request in requests:
            taken = not busy
            if taken:
                provider.posted.append(request.reference)
            outcome = Outcome.ACCEPTED if taken else Outcome.RETRY
            yield Receipt(request.reference, outcome, code="429", retry_after=0.0 if taken else 300.0)

    monkeypatch.setattr(provider, "post", post)
    assert send_all().bursts == 1, "after the first refusal nothing more is handed over"
    account.refresh_from_db()
    assert account.rests_until is not None and account.rests_until >= NOW + timedelta(seconds=299)
    busy = False
    assert send_all(NOW + timedelta(seconds=200)).bursts == 0
    send_all(NOW + timedelta(seconds=400), budget=10)
    assert len(provider.posted) == len(set(provider.posted)) == 20


def test_no_answer_lets_an_account_rest_for_more_than_a_day():
    account = fast_account()
    throttle.rest(account.pk, 10.0**9, NOW)
    throttle.rest(account.pk, 5.0, NOW)
    account.refresh_from_db()
    assert account.rests_until == NOW + timedelta(days=1)
    assert throttle.take(account, 5, NOW + timedelta(hours=23)) == 0
    assert throttle.take(account, 5, NOW + timedelta(hours=25)) == 5


def test_who_was_refused_before_the_hand_over_is_no_failure_of_the_provider(provider, monkeypatch):
    people = make_people(40)
    message = make_message(people)
    build = provider.build

    def picky(outgoing):
        from apps.channels.adapters.base import AdapterError

        if int(outgoing.reference.split(".")[1]) != people[0]:
            raise AdapterError("nothing can be built for them", permanent=True)
        return build(outgoing)

    monkeypatch.setattr(provider, "build", picky)
    send_all()
    assert proof.run_proof(Run.objects.get(message=message))["refused"] == {"render_failed": 39}
    hour = AccountHour.objects.get()
    assert (hour.accepted, hour.rejected) == (1, 0)
    assert health.of_all([message.account], now=NOW)[0].state == "well"
