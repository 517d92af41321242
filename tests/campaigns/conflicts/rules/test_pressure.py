"""Contact limits over all departments, against a person-by-person oracle that lets contacts through one by one."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.campaigns.conflicts.circumstances import Circumstances
from apps.campaigns.conflicts.pressure import Counter, over_by_day, planned_contacts
from apps.campaigns.conflicts.rules.pressure import PressureRule

from ..plans import NOW, OSLO, at, campaign, message, plan, policy, sent

RULE = PressureRule()


def found(*campaigns, policies=None, **kwargs):
    policies = policies if policies is not None else [policy(1, 7)]
    return list(RULE.find(plan(*campaigns, circumstances=Circumstances(policies=tuple(policies)), **kwargs)))


def refused(findings):
    return {f.messages[0]: set(f.people) for f in findings}


JUNE = [datetime(2026, 5, 30, 9, tzinfo=OSLO), *[datetime(2026, 6, day, 9, tzinfo=OSLO) for day in (3, 8, 12, 22, 30)]]


@pytest.mark.parametrize(("grouping", "excluded"), [("none", [4]), ("month", [4, 6]), ("quarter", [4, 5, 6])])
def test_six_newsletters_under_three_in_two_weeks_lose_those_that_adobe_campaign_excludes(grouping, excluded):
    """The worked example of Adobe Campaign's pressure rules; the limit is counted in whole periods where grouped."""
    newsletters = [campaign(pk, message(pk, sent=moment)) for pk, moment in enumerate(JUNE, start=1)]
    findings = found(
        *newsletters, policies=[policy(3, 14, grouping=grouping)], people={pk: range(9) for pk in range(1, 7)},
        now=datetime(2026, 5, 1, tzinfo=OSLO),
    )
    assert refused(findings) == {pk: set(range(9)) for pk in excluded}


def test_the_lowest_priority_gives_way_then_the_latest_and_only_its_own_people_are_named():
    sides = (
        campaign(1, message(10, sent=at(14), priority=40)), campaign(2, message(20, sent=at(16), priority=80)),
        campaign(3, message(30, sent=at(18), priority=80)),
    )
    people = {10: range(0, 60), 20: range(40, 100), 30: range(90, 200)}
    assert refused(found(*sides, people=people)) == {10: set(range(40, 60)), 30: set(range(90, 100))}


def test_the_finding_says_who_put_them_there():
    first, second, third = (campaign(pk, message(pk * 10, sent=at(12 + pk)), name=f"C{pk}") for pk in (1, 2, 3))
    people = {10: range(50), 20: range(30), 30: range(100)}
    [finding] = found(first, second, third, policies=[policy(2, 7)], people=people)
    assert (finding.identity, finding.count, finding.campaigns) == ("pressure:1-30", 30, (3, None))
    assert [(row["name"], row["people"]) for row in finding.facts["crowd"]] == [("C1", 30), ("C2", 30)]
    assert RULE.words(finding.facts)["crowd"] == "C1 (30), C2 (30)"


def test_a_call_weighs_as_much_as_the_policy_says():
    sides = campaign(1, message(10, channel="call", sent=at(14))), campaign(2, message(20, sent=at(15)))
    people = {10: range(9), 20: range(9)}
    assert not found(*sides, policies=[policy(3, 7)], people=people)
    assert refused(found(*sides, policies=[policy(3, 7, weights={"call": 3})], people=people)) == {20: set(range(9))}
    alone = found(sides[0], policies=[policy(2, 7, weights={"call": 3})], people={10: range(9)})
    assert refused(alone) == {10: set(range(9))}
    assert "alone weighs more" in RULE.pattern(alone[0].facts, 9)


def test_what_was_sent_counts_and_is_never_asked_to_give_way():
    later = campaign(1, message(10, sent=at(12), priority=99))
    past = [sent(5, range(0, 20), NOW - timedelta(days=3), priority=1)]
    assert refused(found(later, past=past, people={10: range(10, 40)})) == {10: set(range(10, 20))}
    assert not found(later, past=[sent(5, range(40), at(12) - timedelta(days=7))], people={10: range(40)})


def test_other_tools_service_and_safety_go_out_whatever_the_limit_says():
    ours = campaign(1, message(10, sent=at(14), priority=90))
    people = {10: range(9), 20: range(9)}
    for fixed in ({"kind": "elsewhere"}, {"purpose_class": "safety"}):
        assert refused(found(ours, campaign(2, message(20, sent=at(15), priority=1, **fixed)), people=people)) == {10: set(range(9))}
    service = campaign(2, message(20, sent=at(15), purpose_class="service"))
    assert not found(ours, service, people=people)
    assert refused(found(ours, service, policies=[policy(1, 7, counts_service=True)], people=people)) == {10: set(range(9))}


def test_a_policy_of_some_channels_or_one_department_looks_at_those_only():
    sides = campaign(1, message(10, sent=at(14))), campaign(2, message(20, channel="sms", sent=at(15)))
    people = {10: range(9), 20: range(9)}
    assert not found(*sides, policies=[policy(1, 7, channels=("sms",))], people=people)
    assert not found(*sides, policies=[policy(1, 7, department_id=1)], people=people)
    assert found(*sides, policies=[policy(1, 7)], people=people)


def test_drafts_take_part_but_never_hold_others_up():
    planned = campaign(1, message(10, sent=at(15))), campaign(2, message(20, sent=at(14)))
    draft = campaign(2, message(20, sent=at(14)), status="draft")
    people = {10: range(100), 20: range(100)}
    assert [f.severity for f in found(*planned, people=people)] == [3]
    assert [(f.messages[0], f.severity) for f in found(planned[0], draft, people=people)] == [(10, 2)]
    assert [f.severity for f in found(*planned, people=people | {20: range(4)})] == [2]


def test_without_people_nothing_is_said_and_with_a_focus_only_what_touches_it():
    three = [campaign(pk, message(pk * 10, sent=at(12 + pk))) for pk in (1, 2, 3)]
    people = {10: range(50), 20: range(40, 90), 30: range(80, 200)}
    assert not found(*three)
    assert refused(found(*three, people=people)) == {20: set(range(40, 50)), 30: set(range(80, 90))}
    assert refused(found(*three, people=people, focus=[1])) == {20: set(range(40, 50))}
    assert refused(found(*three, people=people, focus=[3])) == {30: set(range(80, 90))}


def test_it_is_worse_with_more_people_or_a_stricter_limit():
    agreed = {"people": 100, "limit": 3, "severity": 2}
    assert not RULE.materially_worse(agreed, {"people": 110, "limit": 3, "severity": 2})
    assert RULE.materially_worse(agreed, {"people": 130, "limit": 3, "severity": 2})
    assert RULE.materially_worse(agreed, {"people": 100, "limit": 2, "severity": 2})


def begins(end, grouping, hours):
    """The oracle's own reading of a window: hours back, then the beginning of that week or month."""
    start = (end - timedelta(hours=hours)).astimezone(OSLO)
    if grouping == "none":
        return None
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) if grouping == "week" else day.replace(day=1)


def inside(moment, end, grouping, hours):
    first = begins(end, grouping, hours)
    return moment <= end and (moment > end - timedelta(hours=hours) if first is None else moment >= first)


rows = st.lists(
    st.tuples(
        st.integers(0, 30 * 24), st.sets(st.integers(0, 6), max_size=6), st.integers(0, 2), st.sampled_from(["email", "call"]),
        st.sampled_from(["promotion", "promotion", "safety"]),
    ), max_size=9,
)


@given(rows, st.integers(0, 4), st.integers(1, 9), st.sampled_from(["none", "week", "month"]), st.integers(1, 3))
def test_it_refuses_exactly_whom_a_clerk_would_refuse(drawn, limit, days, grouping, call):
    """Oracle: person by person, contacts are let through in order of precedence; whoever has no room is refused."""
    campaigns, people, contacts = [], {}, []
    for pk, (hour, who, priority, channel, purpose) in enumerate(drawn, start=1):
        moment = at(12) + timedelta(hours=hour)
        campaigns.append(campaign(pk, message(pk, sent=moment, priority=priority, channel=channel, purpose_class=purpose)))
        people[pk] = who
        contacts.append(SimpleNamespace(pk=pk, at=moment, who=who, priority=priority, weight=call if channel == "call" else 1,
                                        fixed=purpose == "safety"))
    expected: dict[int, set[int]] = {}
    for person in range(7):
        let: list = []
        for one in sorted(contacts, key=lambda c: (not c.fixed, -c.priority, c.at, c.pk)):
            if person not in one.who:
                continue
            ends = [one, *[each for each in let if each.at > one.at and inside(one.at, each.at, grouping, days * 24)]]
            load = [sum(o.weight for o in let if inside(o.at, end.at, grouping, days * 24)) + one.weight for end in ends]
            if not one.fixed and max(load) > limit:
                expected.setdefault(one.pk, set()).add(person)
            else:
                let.append(one)
    rule = policy(limit, days, grouping=grouping, weights={"call": call})
    findings = found(*campaigns, policies=[rule], people=people)
    assert refused(findings) == expected


@given(rows, st.integers(0, 4), st.integers(1, 9), st.sampled_from(["none", "week", "month"]))
def test_strip_and_rule_agree_about_who_is_over(drawn, limit, days, grouping):
    """Everybody whom some day of the calendar shows as over the limit is refused something, and nobody else."""
    campaigns = [
        campaign(pk, message(pk, sent=at(12) + timedelta(hours=hour), channel=channel))
        for pk, (hour, _who, _priority, channel, _purpose) in enumerate(drawn, start=1)
    ]
    people = {pk: who for pk, (_hour, who, *_rest) in enumerate(drawn, start=1)}
    rule = policy(limit, days, grouping=grouping, weights={"call": 2})
    whole = plan(*campaigns, people=people, circumstances=Circumstances(policies=(rule,)))
    every = list(planned_contacts(whole, first=NOW, last=NOW + timedelta(days=60)))
    strip = over_by_day(every, rule, days=[NOW.date() + timedelta(days=n) for n in range(60)], zone=OSLO)
    told = set().union(*(set(finding.people) for finding in RULE.find(whole)))
    assert set().union(*(set(who) for who in strip.values())) == told


@given(st.lists(st.tuples(st.sets(st.integers(0, 9)), st.integers(1, 9)), max_size=9), st.integers(0, 40), st.data())
def test_a_weighted_count_is_the_sum_of_weights_also_after_some_have_left(sets, limit, data):
    counter, total = Counter(), [0] * 10
    for who, weight in sets:
        counter.add(BitMap(who), weight)
    for who, weight in data.draw(st.lists(st.sampled_from(sets), unique_by=id) if sets else st.just([])):
        counter.remove(BitMap(who), weight)
        for one in who:
            total[one] -= weight
    for who, weight in sets:
        for one in who:
            total[one] += weight
    assert set(counter.over(limit)) == {one for one in range(10) if total[one] > limit}
