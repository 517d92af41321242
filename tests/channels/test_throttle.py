"""The token bucket of an account: never more than its rate, whoever asks."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from apps.channels import throttle
from tests.factories.channels import NOW, ChannelAccountFactory


@pytest.mark.django_db
def test_a_second_gives_what_the_rate_says() -> None:
    account = ChannelAccountFactory(rate=100)

    granted = [throttle.take(account, 70, NOW + timedelta(seconds=s)) for s in (0, 0, 0.5, 1, 60)]

    assert granted == [70, 30, 50, 50, 70]


@pytest.mark.django_db
def test_a_slow_account_still_gets_one_at_a_time() -> None:
    account = ChannelAccountFactory(rate="0.5")

    assert [throttle.take(account, 5, NOW + timedelta(seconds=s)) for s in (0, 1, 2, 3, 4)] == [1, 0, 1, 0, 1]


@pytest.mark.django_db
def test_a_clock_that_went_back_gives_nothing_away() -> None:
    account = ChannelAccountFactory(rate=10)
    throttle.take(account, 10, NOW)

    assert throttle.take(account, 10, NOW - timedelta(hours=1)) == 0
    assert throttle.take(account, 10, NOW + timedelta(seconds=1)) == 10


@pytest.mark.django_db
def test_what_was_not_used_can_be_given_back() -> None:
    account = ChannelAccountFactory(rate=10)
    throttle.take(account, 10, NOW)
    throttle.give_back(account, 4)

    assert throttle.take(account, 10, NOW) == 4


@pytest.mark.django_db
def test_an_account_out_of_use_gives_nothing() -> None:
    assert throttle.take(ChannelAccountFactory(is_active=False), 5, NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_many_workers_share_one_bucket() -> None:
    account = ChannelAccountFactory(rate=100)
    granted: list[int] = []

    def ask() -> None:
        granted.extend(throttle.take(account, 7, NOW) for _ in range(10))
        connection.close()

    workers = [threading.Thread(target=ask) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(granted) == 100
