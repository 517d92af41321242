"""Overlap in time and people, against a person-by-person oracle."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.rules.overlap import OverlapRule

from ..plans import at, campaign, message, plan

RULE = OverlapRule()


def found(*args, **kwargs):
    return list(RULE.find(plan(*args, **kwargs)))


def test_people_of_both_audiences_close_in_time_are_a_conflict():
    findings = found(
        campaign(1, message(10, sent=at(20))), campaign(2, message(20, sent=at(21))),
        people={10: range(0, 100), 20: range(60, 200)},
    )
    assert [(f.identity, f.count) for f in findings] == [("overlap:1-2", 40)]
    assert findings[0].facts["hours_apart"] == 24
    assert (findings[0].facts["first_audience"], findings[0].facts["second_audience"]) == (100, 140)


def test_only_messages_that_come_close_count_not_the_whole_campaigns():
    findings = found(
        campaign(1, message(10, sent=at(15)), message(11, sent=at(28))), campaign(2, message(20, sent=at(28))),
        people={10: range(0, 1000), 11: range(0, 50), 20: range(0, 1000)},
    )
    assert findings[0].count == 50
    assert findings[0].facts["first_messages"] == [11]


def test_contacts_further_apart_than_the_padding_do_not_collide():
    apart = at(20) + timedelta(days=2, minutes=1)
    sides = campaign(1, message(10, sent=at(20))), campaign(2, message(20, sent=apart))
    assert not found(*sides, people={10: range(100), 20: range(100)})
    assert found(*sides, people={10: range(100), 20: range(100)}, overlap_days=3)


def test_a_stretch_such_as_a_call_campaign_meets_what_falls_inside_it():
    calls = message(10, sent=at(16), until=at(27), channel="call")
    assert found(campaign(1, calls), campaign(2, message(20, sent=at(22))), people={10: range(50), 20: range(50)})


def test_safety_notices_and_public_messages_never_overlap():
    safety = campaign(1, message(10, purpose_class="safety"))
    public = campaign(2, message(20, kind="unaddressed", channel="unaddressed"))
    other = campaign(3, message(30))
    assert not found(safety, public, other, people={10: range(100), 30: range(100)})


def test_messages_sent_elsewhere_and_drafts_take_part():
    elsewhere = campaign(1, message(10, kind="elsewhere"), status="draft")
    assert found(elsewhere, campaign(2, message(20)), people={10: range(100), 20: range(100)})


def test_what_both_sides_have_already_sent_is_history():
    people = {10: range(100), 20: range(100)}
    assert not found(campaign(1, message(10, sent=at(10))), campaign(2, message(20, sent=at(9))), people=people)
    assert found(campaign(1, message(10, sent=at(10))), campaign(2, message(20, sent=at(12))), people=people)


def test_half_of_the_smaller_audience_within_a_day_is_high_and_own_department_is_information():
    people = {10: range(100), 20: range(60, 160)}
    near = campaign(1, message(10)), campaign(2, message(20))
    assert [f.severity for f in found(*near, people=people)] == [2]
    assert [f.severity for f in found(*near, people={10: range(100), 20: range(50, 150)})] == [3]
    service = campaign(1, message(10, purpose_class="service"))
    assert [f.severity for f in found(service, near[1], people=people)] == [1]
    same = campaign(1, message(10), department=7), campaign(2, message(20), department=7)
    assert [f.severity for f in found(*same, people=people)] == [1]


def test_a_few_people_in_common_are_not_worth_a_decision():
    people = {10: range(1000), 20: range(981, 1981)}
    assert not found(campaign(1, message(10)), campaign(2, message(20)), people=people)
    assert found(campaign(1, message(10)), campaign(2, message(20)), people={10: range(1000), 20: range(980, 1980)})


def test_it_is_worse_with_more_people_or_closer_but_not_with_a_little_more():
    agreed = {"people": 100, "hours_apart": 40, "severity": 2}
    assert not RULE.materially_worse(agreed, {"people": 120, "hours_apart": 17, "severity": 2})
    assert RULE.materially_worse(agreed, {"people": 121, "hours_apart": 40, "severity": 2})
    assert RULE.materially_worse(agreed, {"people": 100, "hours_apart": 16, "severity": 2})


moments = st.lists(st.integers(0, 15 * 24), min_size=1, max_size=3)
sets = st.sets(st.integers(0, 12), max_size=10)
sides = st.lists(st.tuples(moments, sets), min_size=1, max_size=2)


@given(st.lists(sides, min_size=2, max_size=4))
def test_it_finds_exactly_the_people_a_naive_reading_finds(drawn):
    """Oracle: every pair of contacts of every person, one by one."""
    campaigns, people, contacts = [], {}, []
    for pk, messages in enumerate(drawn, start=1):
        rows = []
        for place, (hours, who) in enumerate(messages):
            rows.append(message(pk * 10 + place, sent=[at(12) + timedelta(hours=hour) for hour in sorted(set(hours))]))
            people[pk * 10 + place] = who
            contacts += [(pk, person, hour) for hour in set(hours) for person in who]
        campaigns.append(campaign(pk, *rows))
    expected: dict[tuple[int, int], set[int]] = {}
    for one, person, hour in contacts:
        for two, other, then in contacts:
            if one < two and person == other and abs(hour - then) <= 48:
                expected.setdefault((one, two), set()).add(person)
    findings = found(*campaigns, people=people, overlap_people=1, overlap_share=0)
    assert {f.campaigns: set(f.people) for f in findings} == expected


def test_the_focus_narrows_the_search_without_changing_what_is_found():
    all_three = [campaign(pk, message(pk * 10)) for pk in (1, 2, 3)]
    people = {10: range(50), 20: range(50), 30: range(50)}
    assert {f.identity for f in found(*all_three, people=people, focus=[3])} == {"overlap:1-3", "overlap:2-3"}
