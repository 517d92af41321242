"""Promotion to people with whom something is open; against a naive oracle."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.rules.service_first import ServiceFirstRule

from ..plans import at, campaign, message, plan
from ..plans import given as known

RULE = ServiceFirstRule()


def found(*sides, people, served=range(5), until=(), **changes):
    return list(RULE.find(plan(*sides, people=people, sources=known(served=served, served_until=until), **changes)))


def test_the_people_with_something_open_are_found_once_for_the_campaign():
    side = campaign(1, message(10), message(11))
    findings = found(side, people={10: range(3, 50), 11: range(4)})
    assert [(f.identity, set(f.people), f.severity) for f in findings] == [("service_first:1", set(range(5)), 1)]


def test_what_another_tool_sends_weighs_more_because_it_cannot_be_held_back():
    assert [f.severity for f in found(campaign(1, message(10, kind="elsewhere")), people={10: range(9)})] == [3]


def test_service_safety_public_and_past_messages_reach_everybody():
    for values in ({"purpose_class": "service"}, {"purpose_class": "safety"}, {"kind": "unaddressed"}, {"sent": at(9)}):
        assert not found(campaign(1, message(10, **values)), people={10: range(9)})


def test_what_will_have_ended_by_then_does_not_count():
    until = [(at(19), range(20, 30)), (at(21), range(30, 33))]
    assert [set(f.people) for f in found(campaign(1, message(10)), people={10: range(50)}, served=(), until=until)] == [{30, 31, 32}]


def test_nobody_is_no_finding_and_before_counting_it_may_be_anybody():
    assert not found(campaign(1, message(10)), people={10: range(50, 60)})
    assert not found(campaign(1, message(10)), people={10: range(9)}, care_people=6)
    assert [f.people for f in RULE.find(plan(campaign(1, message(10))))] == [None]


def test_more_people_reopen():
    agreed = {"people": 10, "severity": 1}
    assert not RULE.materially_worse(agreed, {"people": 12, "severity": 1})
    assert RULE.materially_worse(agreed, {"people": 13, "severity": 1})
    assert RULE.materially_worse(agreed, {"people": 10, "severity": 3})


rows = st.tuples(st.integers(-100, 300), st.sampled_from(["promotion", "service"]), st.sets(st.integers(0, 12)))


@given(st.lists(st.lists(rows, min_size=1, max_size=3), min_size=1, max_size=3), st.sets(st.integers(0, 12)),
       st.dictionaries(st.integers(0, 12), st.integers(-50, 300), max_size=6))
def test_it_finds_exactly_the_people_a_naive_reading_finds(drawn, served, until):
    """Oracle: every contact of every person against what is open with them."""
    now = at(11, 12)
    sides, people, expected = [], {}, {}
    for pk, messages in enumerate(drawn, start=1):
        made = []
        for place, (hour, purpose, who) in enumerate(messages):
            number = pk * 10 + place
            made.append(message(number, sent=now + timedelta(hours=hour), purpose_class=purpose))
            people[number] = who
            for person in who:
                is_open = person in served or (person in until and until[person] > hour)
                if hour >= 0 and purpose == "promotion" and is_open:
                    expected.setdefault(pk, set()).add(person)
        sides.append(campaign(pk, *made))
    ends = [(now + timedelta(hours=hour), [person]) for person, hour in until.items()]
    findings = found(*sides, people=people, served=served, until=ends, now=now)
    assert {f.campaigns[0]: set(f.people) for f in findings} == expected
