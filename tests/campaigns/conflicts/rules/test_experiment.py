"""People who are kept out to measure an effect, as sending draws them; against a naive oracle."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.campaigns.conflicts.rules.experiment import ExperimentRule
from apps.campaigns.sending import arms

from ..plans import at, campaign, message, offer, plan
from ..plans import given as known

RULE = ExperimentRule()
COATS = offer(1, path="/1/")


@pytest.fixture(autouse=True)
def a_tenth_is_in_the_universal_control_group(settings):
    settings.UNIVERSAL_CONTROL_PERCENT = 10


def universal(people):
    return set(arms.draw(BitMap(people), "universal control", [0.1])[0])


def control(pk, share, people):
    return set(arms.draw(BitMap(people), f"campaign control {pk}", [share])[0]) - universal(people)


def found(*sides, people, tested=None, focus=None, **changes):
    return list(RULE.find(plan(*sides, people=people, sources=known(tested=tested), focus=focus, **changes)))


def test_what_another_tool_sends_reaches_the_universal_control_group():
    outside = campaign(1, message(10, kind="elsewhere"))
    findings = found(outside, people={10: range(1000)})
    assert [(f.identity, set(f.people), f.severity) for f in findings] == [("experiment:10", universal(range(1000)), 4)]
    assert 50 < findings[0].count < 150
    assert not found(campaign(1, message(10)), people={10: range(1000)}), "what we send ourselves keeps them out"


def test_it_also_reaches_its_own_campaigns_control_group():
    outside = campaign(1, message(10, kind="elsewhere"), control_share=0.2)
    findings = found(outside, people={10: range(1000)})
    assert set(findings[0].people) == universal(range(1000)) | control(1, 0.2, range(1000))


def test_another_campaign_about_the_same_goods_tells_the_control_group():
    measured = campaign(1, message(10, offer=COATS), control_share=0.3)
    other = campaign(2, message(20, sent=at(25), offer=offer(2, product=5, path="/1/2/")))
    findings = found(measured, other, people={10: range(500), 20: range(250, 1000)})
    expected = control(1, 0.3, range(500)) & set(range(250, 1000))
    assert [(f.identity, set(f.people), f.facts["departments"]) for f in findings] == [("experiment:2-1", expected, [1])]


def test_other_goods_another_time_or_no_goods_spoil_nothing():
    measured = campaign(1, message(10, offer=COATS), control_share=0.3)
    people = {10: range(500), 20: range(500)}
    assert not found(measured, campaign(2, message(20, offer=offer(2, path="/2/"))), people=people)
    assert not found(measured, campaign(2, message(20)), people=people)
    late = campaign(2, message(20, sent=at(20) + timedelta(days=15), offer=COATS))
    assert not found(measured, late, people=people)
    assert found(measured, late, people=people, experiment_days=15)
    assert not found(measured, campaign(2, message(20, sent=at(19), offer=COATS)), people=people), "not yet measured"
    assert not found(measured, campaign(2, message(20, offer=COATS, purpose_class="service")), people=people)


def test_whom_the_other_campaign_keeps_out_itself_is_not_told():
    measured = campaign(1, message(10, offer=COATS), control_share=0.5)
    other = campaign(2, message(20, offer=COATS), control_share=0.5)
    findings = {f.subjects: set(f.people) for f in found(measured, other, people={10: range(400), 20: range(400)})}
    assert findings[2, 1] == control(1, 0.5, range(400)) - control(2, 0.5, range(400))
    assert findings[1, 2] == control(2, 0.5, range(400)) - control(1, 0.5, range(400))


def test_a_test_by_attribute_counts_with_those_it_keeps_out():
    measured = campaign(1, message(10, offer=COATS, is_test=True))
    other = campaign(2, message(20, offer=COATS))
    told = set(range(100)) - universal(range(100))
    findings = found(measured, other, people={10: range(100), 20: range(100)}, tested={10: range(20)})
    assert [set(f.people) for f in findings] == [told & set(range(20))]


def test_before_people_are_counted_every_candidate_stays():
    sides = campaign(1, message(10, offer=COATS), control_share=0.3), campaign(2, message(20, offer=COATS, kind="elsewhere"))
    assert {f.identity for f in RULE.find(plan(*sides))} == {"experiment:20", "experiment:2-1"}


def test_other_messages_reopen():
    agreed = {"messages": [1], "people": 10}
    assert not RULE.materially_worse(agreed, {"messages": [1], "people": 12})
    assert RULE.materially_worse(agreed, {"messages": [2], "people": 10})


side = st.tuples(
    st.sampled_from([0.0, 0.3, 0.6]), st.sampled_from(["addressed", "elsewhere"]), st.integers(0, 30 * 24),
    st.sampled_from(["", "/1/", "/1/2/", "/3/"]), st.sets(st.integers(0, 60), max_size=40),
)


@effort(deadline=None)
@given(st.lists(side, min_size=1, max_size=4))
def test_it_finds_exactly_the_people_a_naive_reading_finds(drawn):
    """Oracle: every person against every campaign's draw, one by one."""
    sides, people, expected = [], {}, {}
    for pk, (share, kind, hour, path, who) in enumerate(drawn, start=1):
        goods = offer(pk, path=path) if path else None
        sides.append(campaign(pk, message(pk, sent=at(12) + timedelta(hours=hour), kind=kind, offer=goods), control_share=share))
        people[pk] = who
    for pk, (share, kind, hour, path, who) in enumerate(drawn, start=1):
        for person in who:
            kept = person in universal([person]) or person in control(pk, share, [person])
            if kind == "elsewhere" and kept:
                expected.setdefault((pk,), set()).add(person)
            if kind == "addressed" and kept:
                continue
            for other, (its_share, _kind, its_hour, its_path, its_who) in enumerate(drawn, start=1):
                related = path and its_path and (path.startswith(its_path) or its_path.startswith(path))
                if other != pk and related and 0 <= hour - its_hour <= 14 * 24 and person in its_who and person in control(other, its_share, [person]):
                    expected.setdefault((pk, other), set()).add(person)
    assert {f.subjects: set(f.people) for f in found(*sides, people=people)} == expected
