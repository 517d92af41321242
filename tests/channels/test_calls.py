"""The call list: one agent per call, and every outcome is known afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.channels import calls, registry
from apps.channels.adapters.base import OutgoingMessage
from apps.channels.content import CallContent
from apps.channels.models import CallState, CallTask, ChannelAccount, ContactEvent
from tests.factories.accounts import UserFactory
from tests.factories.channels import NOW, ChannelAccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> ChannelAccount:
    return ChannelAccountFactory(call=True)


def enqueue(account: ChannelAccount, *customers: int) -> list[CallTask]:
    adapter = registry.adapter_for(account)
    content = CallContent("Hello")
    requests = [
        adapter.build(OutgoingMessage(f"5.{c}", f"+4740000{c:03d}", "nb", content, {}, {"name": f"Person {c}"}))
        for c in customers
    ]
    assert all(receipt.outcome == "accepted" for receipt in adapter.post(requests))
    return list(CallTask.objects.order_by("customer_id"))


def test_a_call_is_on_the_list_once_however_often_it_is_handed_over(account: ChannelAccount) -> None:
    enqueue(account, 1, 2)
    tasks = enqueue(account, 1, 2)

    assert [(t.customer_id, t.name, t.script, t.state) for t in tasks] == [
        (1, "Person 1", "Hello", "waiting"),
        (2, "Person 2", "Hello", "waiting"),
    ]


def test_only_one_agent_opens_a_call(account: ChannelAccount) -> None:
    enqueue(account, 1)
    first, second = UserFactory(), UserFactory()
    proposed = [calls.next_for(agent, now=NOW) for agent in (first, second)]

    assert [
        calls.open_call(call, agent=a, now=NOW) for call, a in zip(proposed, (first, second), strict=True) if call
    ] == [
        True,
        False,
    ]
    assert calls.next_for(first, now=NOW) == proposed[0]
    assert calls.next_for(second, now=NOW) is None


def test_a_person_who_may_no_longer_be_called_leaves_the_list(account: ChannelAccount) -> None:
    (call,) = enqueue(account, 1)

    assert calls.withdraw(call, reason="withdrawn", now=NOW)
    assert calls.next_for(UserFactory(), now=NOW) is None
    assert not calls.open_call(call, agent=UserFactory(), now=NOW)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [("interested", "answered"), ("no_answer", "no_answer"), ("wrong_number", "bounced"), ("stop", "unsubscribed")],
)
def test_an_outcome_becomes_an_event(account: ChannelAccount, outcome: str, kind: str) -> None:
    (call,) = enqueue(account, 1)
    agent = UserFactory()
    calls.open_call(call, agent=agent, now=NOW)

    closed = calls.close(call, agent=agent, outcome=outcome, note="said hello", now=NOW)

    event = ContactEvent.objects.get()
    assert (closed.state, closed.note) == (CallState.DONE, "said hello")
    assert (event.kind, event.run_id, event.customer_id, event.code) == (kind, 5, 1, outcome)


def test_who_asks_to_be_called_later_comes_back_later(account: ChannelAccount) -> None:
    (call,) = enqueue(account, 1)
    agent = UserFactory()
    calls.open_call(call, agent=agent, now=NOW)
    tomorrow = NOW + timedelta(days=1)

    calls.close(call, agent=agent, outcome="later", call_again=tomorrow, now=NOW)

    assert calls.next_for(agent, now=NOW) is None
    assert calls.next_for(agent, now=tomorrow) == call


def test_nobody_closes_the_call_of_another(account: ChannelAccount) -> None:
    (call,) = enqueue(account, 1)
    calls.open_call(call, agent=UserFactory(), now=NOW)

    with pytest.raises(calls.NotYours):
        calls.close(call, agent=UserFactory(), outcome="reached", now=NOW)
    with pytest.raises(ValueError, match="nonsense"):
        calls.close(call, agent=UserFactory(), outcome="nonsense", now=NOW)


def test_a_stopped_run_takes_its_waiting_calls_along(account: ChannelAccount) -> None:
    opened, *_rest = enqueue(account, 1, 2, 3)
    calls.open_call(opened, agent=UserFactory(), now=NOW)

    assert calls.withdraw_run(5, reason="halted", now=NOW) == 2
    assert CallTask.objects.get(pk=opened.pk).state == CallState.OPEN
