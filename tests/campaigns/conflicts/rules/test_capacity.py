"""Volumes against capacities, day by day, against a naive count."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.campaigns.conflicts.circumstances import Circumstances, PlannedCapacity
from apps.campaigns.conflicts.rules.capacity import CapacityRule
from apps.campaigns.models import Capacity, ContactPolicy, MinimumGap

from ..plans import at, campaign, message, plan

RULE = CapacityRule()


def line(per_day, *, pk=1, channel="call", account=None, first=1, last=None, **values):
    return PlannedCapacity(
        pk, "Call centre", channel, account, at(first).date(), None if last is None else at(last).date(),
        values.pop("weekdays", ()), per_day, **values,
    )


def found(*campaigns, lines, **kwargs):
    return list(RULE.find(plan(*campaigns, circumstances=Circumstances(capacities=tuple(lines)), **kwargs)))


def calls(pk, day=20, until=None, **values):
    return campaign(pk, message(pk, channel="call", sent=at(day), until=until and at(until), **values))


@pytest.mark.parametrize(("growth", "per_day"), [(100, 1), (15, 1000), (32767, 1), (50, 2_147_483_647)])
def test_a_warm_up_that_nobody_has_ended_is_no_bound_after_years_and_breaks_nothing(growth, per_day):
    grown = line(per_day, growth_percent=growth)
    assert [grown.on(at(1).date() + timedelta(days=days)) for days in (0, 1100, 9000)] == [per_day, 2**31 - 1, 2**31 - 1]
    assert line(0, growth_percent=growth).on(at(1).date() + timedelta(days=9000)) == 0
    assert line(7).on(at(1).date() + timedelta(days=9000)) == 7


@pytest.mark.parametrize("limit", [
    ContactPolicy(name="Ever", limit=1, hours=2_147_483_647, created_at=at(1)), MinimumGap(name="Ever", hours=1_000_000),
    Capacity(name="Backwards", channel="sms", per_day=1, starts_on=at(9).date(), ends_on=at(8).date()),
])
def test_a_limit_that_no_calendar_can_keep_is_refused_in_words(limit):
    with pytest.raises(ValidationError) as refused:
        limit.full_clean(validate_unique=False, validate_constraints=False)
    assert set(refused.value.message_dict) <= {"hours", "ends_on"}


def test_what_does_not_fit_stands_with_the_message_of_lower_priority():
    people = {1: range(80), 2: range(100, 160)}
    [finding] = found(calls(1, priority=10), calls(2, priority=90), lines=[line(100)], people=people)
    assert (finding.identity, finding.severity, finding.count) == ("capacity:1-0-1", 4, 40)
    assert (finding.facts["possible"], finding.facts["volume"], finding.facts["surplus"]) == (100, 140, 40)
    assert set(finding.people) == set(range(40, 80))


def test_the_severity_says_whether_it_can_be_exceeded():
    assert [f.severity for f in found(calls(1), lines=[line(5, is_hard=False)], people={1: range(9)})] == [2]


def test_full_is_not_too_full_and_other_channels_accounts_and_days_have_their_own_room():
    assert not found(calls(1), lines=[line(9)], people={1: range(9)})
    assert not found(calls(1), lines=[line(1, channel="letter")], people={1: range(9)})
    assert not found(calls(1, account_id=4), lines=[line(1, account=5)], people={1: range(9)})
    assert found(calls(1, account_id=5), lines=[line(1, account=5)], people={1: range(9)})
    assert not found(calls(1), lines=[line(1, last=19), line(1, pk=2, first=21), line(1, pk=3, weekdays=(1,))], people={1: range(9)})


def test_calls_fill_the_days_they_have_one_after_the_other():
    lasting = calls(1, day=17, until=20)
    assert not found(lasting, lines=[line(25)], people={1: range(100)})
    [finding] = found(lasting, lines=[line(20)], people={1: range(100)})
    assert (finding.facts["surplus"], finding.facts["possible"], finding.facts["volume"]) == (20, 80, 100)
    assert not found(lasting, lines=[line(20, weekdays=(2, 3, 4))], people={1: range(100)})


def test_a_new_sender_warms_up():
    warm = line(50, channel="email", first=12, growth_percent=50)
    mails = campaign(1, message(1, sent=at(12))), campaign(2, message(2, sent=at(16)))
    findings = found(*mails, lines=[warm], people={1: range(100), 2: range(250)})
    assert [(f.messages[0], f.facts["surplus"]) for f in findings] == [(1, 50)]


def test_only_who_can_be_reached_is_counted():
    denied = {("call", None): BitMap(range(50))}
    assert not found(calls(1), lines=[line(50)], people={1: range(100)}, unreachable=denied)
    assert found(calls(1), lines=[line(49)], people={1: range(100)}, unreachable=denied)


def test_public_messages_count_with_their_estimated_reach_and_what_is_over_does_not():
    flyer = campaign(1, message(1, channel="letter", kind="unaddressed", reach=500))
    assert [f.count for f in found(flyer, lines=[line(400, channel="letter")], people={})] == [0]
    assert not found(calls(1, day=9), lines=[line(1)], people={1: range(9)})


def test_without_people_nothing_is_said_and_a_focus_asks_only_for_its_own():
    assert not found(calls(1), lines=[line(1)])
    both, people = (calls(1), calls(2)), {1: range(50), 2: range(50)}
    assert [f.messages[0] for f in found(*both, lines=[line(20)], people=people)] == [1, 2]
    assert [f.messages[0] for f in found(*both, lines=[line(20)], people=people, focus=[2])] == [2]
    assert not found(*both, lines=[line(20)], people=people, focus=[3])


def test_it_is_worse_with_a_fifth_more_too_many_or_on_another_day():
    agreed = {"surplus": 100, "days": ["2026-11-20"]}
    assert not RULE.materially_worse(agreed, agreed | {"surplus": 120})
    assert RULE.materially_worse(agreed, agreed | {"surplus": 121})
    assert RULE.materially_worse(agreed, agreed | {"days": ["2026-11-21"]})


rows = st.lists(st.tuples(st.integers(12, 18), st.integers(0, 30), st.integers(0, 2)), max_size=8)


@given(rows, st.integers(0, 60))
def test_the_surplus_of_a_day_is_what_a_clerk_with_a_list_has_left(drawn, possible):
    """Oracle: one person after the other is given a place, the most important message first."""
    campaigns, people = [], {}
    for pk, (day, size, priority) in enumerate(drawn, start=1):
        campaigns.append(calls(pk, day=day, priority=priority))
        people[pk] = range(pk * 100, pk * 100 + size)
    taken: Counter[int] = Counter()
    left: Counter[int] = Counter()
    for pk, (day, size, _priority) in sorted(enumerate(drawn, start=1), key=lambda row: (-row[1][2], row[1][0], row[0])):
        for _person in range(size):
            if taken[day] < possible:
                taken[day] += 1
            else:
                left[pk] += 1
    findings = found(*campaigns, lines=[line(possible)], people=people)
    assert {f.messages[0]: f.facts["surplus"] for f in findings} == dict(left)
    assert all(f.count == f.facts["surplus"] for f in findings)
    assert all(f.at - timedelta(hours=9) == at(int(f.facts["days"][0][-2:]), 0) for f in findings)
