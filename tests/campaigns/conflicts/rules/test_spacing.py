"""Minimum gaps, against a contact-by-contact oracle."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.circumstances import Circumstances, PlannedGap
from apps.campaigns.conflicts.rules.spacing import SpacingRule

from ..plans import NOW, at, campaign, message, plan, sent

RULE = SpacingRule()
HOUR = timedelta(hours=1)


def found(*campaigns, gap=24, channels=(), department=None, **kwargs):
    gaps = (PlannedGap(1, "A day of peace", gap * HOUR, channels, department),)
    return list(RULE.find(plan(*campaigns, circumstances=Circumstances(gaps=gaps), **kwargs)))


def test_people_of_two_campaigns_closer_than_the_gap_are_found_with_how_close():
    sides = campaign(1, message(10, sent=at(20, 9))), campaign(2, message(20, sent=at(21, 8)))
    [finding] = found(*sides, people={10: range(50), 20: range(40, 100)})
    assert (finding.identity, finding.campaigns, finding.count) == ("spacing:1-1-2", (1, 2), 10)
    assert (finding.facts["hours_apart"], finding.facts["gap_hours"], finding.messages) == (23, 24, (10, 20))


def test_exactly_the_gap_apart_is_far_enough():
    sides = campaign(1, message(10, sent=at(20))), campaign(2, message(20, sent=at(21)))
    assert not found(*sides, people={10: range(9), 20: range(9)})
    assert found(*sides, gap=25, people={10: range(9), 20: range(9)})


def test_one_campaign_twice_and_what_was_sent_shortly_before_stand_with_that_campaign():
    twice = campaign(1, message(10, sent=at(20, 9)), message(11, sent=at(20, 15)))
    assert [f.campaigns for f in found(twice, people={10: range(9), 11: range(9)})] == [(1, None)]
    past = [sent(5, range(4), NOW - HOUR, campaign=77)]
    [finding] = found(campaign(2, message(20, sent=NOW + HOUR)), past=past, people={20: range(9)})
    assert (finding.campaigns, finding.count, finding.facts["alone"]) == ((2, None), 4, True)
    assert "another contact" in RULE.pattern(finding.facts, 4)


def test_safety_counts_service_does_not_and_two_that_cannot_wait_are_no_finding():
    def sides(purpose, other="promotion"):
        return campaign(1, message(10, purpose_class=purpose)), campaign(2, message(20, purpose_class=other))

    people = {10: range(9), 20: range(9)}
    assert found(*sides("safety"), people=people)
    assert not found(*sides("service"), people=people)
    assert not found(*sides("safety", "safety"), people=people)


def test_a_gap_of_some_channels_or_one_department_looks_at_those_only():
    sides = campaign(1, message(10, channel="call")), campaign(2, message(20))
    people = {10: range(9), 20: range(9)}
    assert found(*sides, people=people)
    assert not found(*sides, channels=("call",), people=people)
    assert not found(*sides, department=1, people=people)


def test_without_people_nothing_is_said_and_few_people_may_be_ignored():
    sides = campaign(1, message(10)), campaign(2, message(20))
    assert not found(*sides)
    assert not found(*sides, people={10: range(9), 20: range(9)}, spacing_people=10)


def test_it_is_worse_with_more_people_or_half_the_distance():
    agreed = {"people": 100, "hours_apart": 20}
    assert not RULE.materially_worse(agreed, {"people": 110, "hours_apart": 12})
    assert RULE.materially_worse(agreed, {"people": 130, "hours_apart": 20})
    assert RULE.materially_worse(agreed, {"people": 100, "hours_apart": 9})


rows = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 200), st.sets(st.integers(0, 9), max_size=8)), max_size=8)


@given(rows, st.integers(1, 60))
def test_it_finds_exactly_the_people_a_naive_reading_finds(drawn, gap):
    """Oracle: every pair of contacts of every person, one by one."""
    messages: dict[int, list] = {}
    people, contacts = {}, []
    for pk, (owner, hour, who) in enumerate(drawn, start=10):
        messages.setdefault(owner, []).append(message(pk, sent=at(12) + hour * HOUR))
        people[pk] = who
        contacts += [(pk, owner, hour, person) for person in who]
    expected: dict[tuple, set[int]] = {}
    for one, owner, hour, person in contacts:
        for two, other, then, same in contacts:
            if one < two and person == same and abs(hour - then) < gap:
                low, high = sorted((owner, other))
                expected.setdefault((low, high if high != low else None), set()).add(person)
    findings = found(*[campaign(owner, *mine) for owner, mine in messages.items()], gap=gap, people=people)
    assert {f.campaigns: set(f.people) for f in findings} == expected


def test_the_focus_narrows_the_search_without_changing_what_is_found():
    three = [campaign(pk, message(pk * 10)) for pk in (1, 2, 3)]
    people = {10: range(50), 20: range(30), 30: range(20)}
    whole = {f.identity: f.count for f in found(*three, people=people)}
    near = {f.identity: f.count for f in found(*three, people=people, focus=[3])}
    assert near == {identity: count for identity, count in whole.items() if identity.endswith("-3")}
