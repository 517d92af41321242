from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.channels.events import News, record
from apps.channels.models import ChannelAccount
from apps.consent import gate, ledger
from apps.consent.models import ConsentEvent, Suppression
from tests.factories import customers as people
from tests.factories.consent import LONG_AGO, purpose, yes

pytestmark = pytest.mark.django_db(transaction=True)
NOW = LONG_AGO + timedelta(days=30)
HOUR = timedelta(hours=1)
NUMBER = "+4722334455"


def news(kind, channel="sms", at=NOW, key="", **fields):
    account, _ = ChannelAccount.objects.get_or_create(name=channel, channel=channel, adapter="x", created_at=LONG_AGO)
    told = News(channel=channel, kind=kind, at=at, dedupe_key=key or f"{kind}{at}", **fields)
    record(account=account, news=[told], now=at)


def allowed(person, channel, why="offers"):
    return bool(
        gate.judge(people=BitMap([person.pk]), channel=channel, purpose=purpose(why), at=NOW + 9 * HOUR).allowed
    )


@pytest.fixture
def person():
    found = people.person(email="a@example.no", phone=NUMBER)
    yes(found)
    yes(found, channel="sms")
    return found


def test_stop_ends_everything_on_that_channel_but_safety(person):
    news("unsubscribed", address=NUMBER, text="Stop!")

    assert not allowed(person, "sms")
    assert not allowed(person, "sms", "service")
    assert allowed(person, "sms", "safety")
    assert allowed(person, "email")
    assert ConsentEvent.objects.filter(action="withdraw", evidence__text="Stop!").exists()


def test_start_gives_back_what_stop_ended_and_nothing_more(person):
    news("unsubscribed", address=NUMBER)
    news("subscribed", address=NUMBER, at=NOW + HOUR)

    assert allowed(person, "sms")
    assert allowed(person, "sms", "service")
    assert not allowed(person, "sms", "newsletter")
    assert ledger.state([person.pk], "sms", purpose())[person.pk].granted


def test_a_stop_that_is_told_again_late_does_not_undo_a_later_start(person):
    news("unsubscribed", address=NUMBER, key="a")
    news("subscribed", address=NUMBER, at=NOW + HOUR)
    news("unsubscribed", address=NUMBER, key="b")

    assert allowed(person, "sms")


def test_stop_from_a_number_nobody_is_known_by_holds_when_somebody_brings_it():
    news("unsubscribed", address="+4799887766")
    late = people.person(phone="+4799887766")
    yes(late, channel="sms")

    assert not allowed(late, "sms")
    news("subscribed", address="+4799887766", at=NOW + HOUR)
    assert allowed(late, "sms")


def test_a_hard_bounce_ends_the_address_and_a_soft_one_does_not(person):
    news("bounced", "email", permanent=False, run_id=1, customer_id=person.pk)
    assert allowed(person, "email")

    news("bounced", "email", at=NOW + HOUR, permanent=True, run_id=1, customer_id=person.pk)
    assert not allowed(person, "email")
    assert Suppression.objects.get().reason == "bounced"


def test_a_complaint_ends_the_channel(person):
    news("complained", "email", address="a@example.no", run_id=1, customer_id=person.pk)

    assert not allowed(person, "email")
    assert allowed(person, "sms")
