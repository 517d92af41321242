"""What one window is, and whether a contact still fits: the arithmetic under the calendar, the rules and the claim."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns import pacing
from apps.campaigns.conflicts.circumstances import PlannedGap, PlannedPolicy

OSLO = ZoneInfo("Europe/Oslo")
HOUR = timedelta(hours=1)


def cap(limit, window, grouping="none", **values):
    return PlannedPolicy(1, "Cap", limit, window, grouping=grouping, **values)


def oslo(*parts):
    return datetime(*parts, tzinfo=OSLO)


NEWSLETTERS = [oslo(2026, 5, 30, 9), *[oslo(2026, 6, day, 9) for day in (3, 8, 12, 22, 30)]]


@pytest.mark.parametrize(("grouping", "excluded"), [("none", [12]), ("month", [12, 30]), ("quarter", [12, 22, 30])])
def test_three_in_two_weeks_over_six_newsletters_comes_out_as_in_adobe_campaign(grouping, excluded):
    """Adobe Campaign, pressure rules: https://experienceleague.adobe.com/en/docs/campaign/automation/campaign-optimization/pressure-rules"""
    rule, through = cap(3, timedelta(weeks=2), grouping), []
    for moment in NEWSLETTERS:
        if not pacing.is_full(rule, through, moment, 1, OSLO):
            through.append((moment, 1))
    assert [moment.day for moment in NEWSLETTERS if (moment, 1) not in through] == excluded


@pytest.mark.parametrize(("grouping", "first"), [
    ("week", oslo(2026, 8, 10)), ("month", oslo(2026, 8, 1)), ("quarter", oslo(2026, 7, 1)),
])
def test_a_grouped_window_begins_with_the_period_in_which_its_days_begin(grouping, first):
    assert pacing.begins(cap(3, timedelta(days=20), grouping), oslo(2026, 9, 1, 8), OSLO) == first


def test_a_window_is_any_window():
    now = datetime(2026, 11, 18, 13, tzinfo=UTC)
    times = [(now - 5 * HOUR, 1), (now + 3 * HOUR, 1)]
    assert pacing.is_full(cap(2, 10 * HOUR), times, now, 1, OSLO)
    assert not pacing.is_full(cap(2, 8 * HOUR), times, now, 1, OSLO)
    assert not pacing.is_full(cap(1, 10 * HOUR), [(now - 10 * HOUR, 1)], now, 1, OSLO)
    assert pacing.is_full(cap(0, 10 * HOUR), [], now, 1, OSLO)


def test_a_heavy_channel_fills_a_window_alone():
    now = datetime(2026, 11, 18, 13, tzinfo=UTC)
    assert pacing.is_full(cap(3, 10 * HOUR), [(now - HOUR, 3)], now, 1, OSLO)
    assert not pacing.is_full(cap(3, 10 * HOUR), [(now - HOUR, 2)], now, 1, OSLO)
    assert pacing.is_full(cap(3, 10 * HOUR), [(now - HOUR, 2)], now, 2, OSLO)


def test_a_minimum_gap_is_one_contact_in_its_own_length():
    now = datetime(2026, 11, 18, 13, tzinfo=UTC)
    gap = PlannedGap(1, "A day of peace", 24 * HOUR).cap
    assert pacing.is_full(gap, [(now - 23 * HOUR, 1)], now, 1, OSLO)
    assert pacing.is_full(gap, [(now + 23 * HOUR, 1)], now, 1, OSLO)
    assert not pacing.is_full(gap, [(now - 24 * HOUR, 1), (now + 24 * HOUR, 1)], now, 1, OSLO)


held = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4)), max_size=7)


@given(held, st.integers(0, 60), st.integers(1, 3), st.integers(0, 6), st.integers(1, 30))
def test_without_grouping_it_is_full_exactly_when_some_window_would_hold_too_much(others, at, own, limit, window):
    """Oracle: every window of whole and half hours that contains the new contact."""
    start = datetime(2026, 11, 2, tzinfo=UTC)
    ends = [at + step / 2 for step in range(2 * window)]
    full = any(
        own + sum(weight for hour, weight in others if end - window < hour <= end) > limit for end in ends
    )
    given_ = [(start + hour * HOUR, weight) for hour, weight in others]
    assert pacing.is_full(cap(limit, window * HOUR), given_, start + at * HOUR, own, OSLO) is full
