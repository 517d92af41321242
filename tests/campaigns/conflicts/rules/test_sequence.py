"""Reminders and follow-ups in the right order; against a naive oracle."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts import triggers
from apps.campaigns.conflicts.rules.sequence import SequenceRule
from apps.campaigns.conflicts.snapshot import Absent

from ..plans import at, campaign, message, plan

RULE = SequenceRule()


def found(*messages, absent=(), people=None, focus=None):
    return list(RULE.find(plan(campaign(1, *messages), people=people, absent=absent, focus=focus)))


def test_a_reminder_before_its_announcement_is_found_even_before_people_are_counted():
    findings = found(message(10, sent=at(20)), message(11, sent=at(19), follows_id=10))
    assert [(f.identity, f.severity, f.messages, f.facts["wrong"]) for f in findings] == [("sequence:1-11-10", 3, (11, 10), "early")]
    assert RULE.speaks_early
    assert not found(message(10, sent=at(20)), message(11, sent=at(21), follows_id=10))
    assert not found(message(10, sent=at(20)), message(11, sent=at(20), follows_id=10))


@pytest.mark.parametrize(("state", "wrong"), [("is_stopped", "stopped"), ("is_cancelled", "cancelled")])
def test_an_announcement_that_never_goes_out_leaves_its_reminder_hanging(state, wrong):
    reminder = message(11, sent=at(21), follows_id=10)
    assert [f.facts["wrong"] for f in found(reminder, absent=[Absent(10, at(20), **{state: True})])] == [wrong]
    assert not found(reminder, absent=[Absent(10, at(9), **{state: True})]), "what had gone out was heard of"
    assert not found(reminder, absent=[Absent(10, at(9))]), "a done campaign's announcement"


def test_a_follow_up_waits_for_an_answer_that_cannot_come():
    follow_up = message(11, sent=at(19), triggers=(10,))
    assert [f.facts["wrong"] for f in found(message(10, sent=at(20)), follow_up)] == ["trigger_early"]
    assert not found(message(10, sent=at(18)), follow_up)
    assert [f.facts["wrong"] for f in found(follow_up, absent=[Absent(10, at(18), is_cancelled=True)])] == ["trigger_cancelled"]
    gone = found(follow_up)
    assert [(f.facts["wrong"], f.messages) for f in gone] == [("trigger_gone", (11, None))]


def test_a_follow_up_that_repeats_is_in_vain_only_when_even_its_last_time_is_too_early():
    announced = message(10, sent=at(20))
    assert not found(announced, message(11, sent=[at(19), at(21)], triggers=(10,)))
    assert found(announced, message(11, sent=[at(18), at(19)], triggers=(10,)))


def test_what_lies_in_the_past_is_history_and_the_people_are_those_of_the_follower():
    assert not found(message(10, sent=at(20)), message(11, sent=at(9), follows_id=10))
    findings = found(message(10, sent=at(20)), message(11, sent=at(19), follows_id=10), people={10: range(90), 11: range(30)})
    assert [f.count for f in findings] == [30]


def test_another_reason_reopens():
    assert not RULE.materially_worse({"wrong": "early"}, {"wrong": "early"})
    assert RULE.materially_worse({"wrong": "early"}, {"wrong": "cancelled"})


def test_messages_are_named_anywhere_in_a_rule():
    rule = {"all": [{"any": [{"is": "message", "message": "7", "event": "opened"}]}, {"not": {"is": "message", "message": 8}}]}
    assert triggers.named(rule) == {7, 8}
    assert triggers.named({"is": "attribute", "field": "x", "value": "message"}) == set()
    assert triggers.named({}) == set()


row = st.tuples(st.lists(st.integers(-48, 240), min_size=1, max_size=3, unique=True), st.integers(0, 5), st.integers(0, 5),
                st.sampled_from(["there", "stopped", "cancelled"]))


@given(st.lists(row, min_size=1, max_size=5))
def test_it_finds_exactly_what_a_naive_reading_finds(drawn):
    """Oracle: each message against the one it names, moment by moment."""
    now = at(11, 12)
    times = {pk: sorted(now + timedelta(hours=hour) for hour in hours) for pk, (hours, *_rest) in enumerate(drawn, start=1)}
    state = {pk: each[3] for pk, each in enumerate(drawn, start=1)}
    rows, absent, expected = [], [], set()
    for pk, (_hours, follows, trigger, _state) in enumerate(drawn, start=1):
        if state[pk] != "there":
            absent.append(Absent(pk, times[pk][0], state[pk] == "stopped", state[pk] == "cancelled"))
            continue
        follows = follows if follows in times and follows != pk else None
        rows.append(message(pk, sent=times[pk], follows_id=follows, triggers=(trigger,) if trigger else ()))
        if times[pk][-1] < now:
            continue
        if follows:
            never = state[follows] != "there" and times[follows][0] >= now
            if never or times[pk][0] < times[follows][0]:
                expected.add((1, pk, follows))
        if trigger and trigger != pk:
            never = trigger not in times or (state[trigger] != "there" and times[trigger][0] >= now)
            if never or all(moment <= times[trigger][0] for moment in times[pk]):
                expected.add((2, pk, trigger))
    if rows:
        assert {f.subjects for f in found(*rows, absent=absent)} == expected
