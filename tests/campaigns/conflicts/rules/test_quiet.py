"""Quiet hours by the clock of each person: the week that leaves Monday morning open, the American part of an audience, the law."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.circumstances import Circumstances, PlannedQuiet
from apps.campaigns.conflicts.rules.quiet import QuietRule

from ..plans import OSLO, at, campaign, message, plan
from ..plans import given as known

RULE = QuietRule()
NIGHT = PlannedQuiet(id=1, name="Night", begins=time(21), ends=time(8))
WEEKEND = PlannedQuiet(id=2, name="Weekend", begins=time(0), ends=time(0), weekdays=(6, 7))
WEEKNIGHTS = PlannedQuiet(id=3, name="Weeknights", begins=time(21), ends=time(9), weekdays=(1, 2, 3, 4, 5))
HOMES = {("NO", "Europe/Oslo"): range(60), ("US", "America/New_York"): range(60, 100)}


def found(planned, *rules, homes=None, people=range(100), department=None, **changes):
    side = campaign(1, planned, department=department)
    return list(RULE.find(plan(
        side, people={planned.id: people}, sources=known(places=homes or HOMES), circumstances=Circumstances(quiet=rules or (NIGHT,)), **changes
    )))


def test_nine_in_oslo_is_three_at_night_for_the_american_part_of_the_audience():
    findings = found(message(10, sent=at(20, 8)))
    assert [(f.identity, set(f.people), f.severity) for f in findings] == [("quiet_hours:10", set(range(60, 100)), 2)]
    assert findings[0].facts["where"] == [["US", "03:00", 40]]
    assert RULE.words(findings[0].facts)["where"] == "03:00 in United States"
    assert not found(message(10, sent=at(20, 8), timing="local"))
    assert not found(message(10, sent=at(20, 15)))


def test_the_weekly_period_over_midnight_belongs_to_its_first_day_and_leaves_monday_morning_open():
    """The fixture of coordination.md 1.1: all Saturday and Sunday, and Monday to Friday from 21 to 9."""
    monday = datetime(2026, 11, 16, tzinfo=OSLO)
    quiet = [hour for hour in range(7 * 24) if any(rule.holds(monday + timedelta(hours=hour)) for rule in (WEEKEND, WEEKNIGHTS))]
    open_hours = [hour for hour in range(7 * 24) if hour not in quiet]
    assert open_hours[:21] == list(range(21)), "Monday is open from midnight to nine in the evening"
    for day in (1, 2, 3, 4):
        assert [hour for hour in open_hours if hour // 24 == day] == list(range(day * 24 + 9, day * 24 + 21))
    assert not [hour for hour in open_hours if hour >= 5 * 24], "nothing on Saturday and Sunday"


def test_monday_three_in_the_morning_is_not_found_and_tuesday_is():
    norway = {("NO", "Europe/Oslo"): range(100)}
    assert not found(message(10, sent=at(16, 2)), WEEKEND, WEEKNIGHTS, homes=norway)
    assert [f.count for f in found(message(10, sent=at(17, 2)), WEEKEND, WEEKNIGHTS, homes=norway)] == [100]


def test_without_a_zone_one_quiet_zone_of_the_country_is_enough():
    afternoon = at(20, 13)  # eight in New York, three in Hawaii
    assert [f.count for f in found(message(10, sent=afternoon), homes={("US", ""): range(10)})] == [10]
    assert not found(message(10, sent=afternoon), homes={("US", "America/New_York"): range(10)})


def test_only_its_channels_countries_department_and_purposes():
    def rule(**values):
        return PlannedQuiet(id=1, name="Night", begins=time(21), ends=time(8), **values)

    night = at(20, 2)
    assert not found(message(10, sent=night), rule(channels=("sms",)))
    assert found(message(10, sent=night, channel="sms"), rule(channels=("sms",)))
    assert [set(f.people) for f in found(message(10, sent=night), rule(countries=("NO",)))] == [set(range(60))]
    assert not found(message(10, sent=night), rule(department_id=9))
    assert not found(message(10, sent=night, purpose_class="service"), rule())
    assert found(message(10, sent=night, purpose_class="service"), rule(includes_service=True))
    assert not found(message(10, sent=night, purpose_class="safety"), rule(includes_service=True))
    assert not found(message(10, sent=night), departments={1: {"quiet_check": 0}})


def test_the_law_blocks():
    law = PlannedQuiet(id=4, name="Calls in Norway", begins=time(21), ends=time(9), channels=("call",), is_law=True)
    assert [f.severity for f in found(message(10, sent=at(20, 2), channel="call"), law, NIGHT)] == [4]


def test_other_places_and_the_law_reopen():
    agreed = {"rules": [1], "where": [["US", "03:00", 40]], "people": 40, "severity": 2}
    assert not RULE.materially_worse(agreed, {**agreed, "where": [["US", "04:00", 40]]})
    assert RULE.materially_worse(agreed, {**agreed, "where": [["NZ", "23:00", 4]]})
    assert RULE.materially_worse(agreed, {**agreed, "severity": 4})


ZONES = {"NO": "Europe/Oslo", "IN": "Asia/Kolkata", "JP": "Asia/Tokyo", "IS": "Atlantic/Reykjavik"}
hours = st.integers(0, 23)


@given(
    st.integers(0, 14 * 24 * 4), st.sampled_from(["fixed", "local"]), hours, hours, st.sets(st.integers(1, 7)),
    st.sets(st.sampled_from(sorted(ZONES)), max_size=3),
)
def test_it_finds_exactly_the_people_a_naive_reading_finds(quarter, timing, begins, ends, weekdays, countries):
    """Oracle: the minute of the week of every person, walked forward from each beginning."""
    start = datetime(2026, 11, 12, tzinfo=UTC) + timedelta(minutes=15 * quarter)
    rule = PlannedQuiet(1, "x", time(begins), time(ends), tuple(sorted(weekdays)), countries=tuple(sorted(countries)))
    minutes = set()
    for day in weekdays or range(1, 8):
        length = ((ends - begins) % 24 or 24) * 60
        first = (day - 1) * 1440 + begins * 60
        minutes |= {(first + minute) % 10080 for minute in range(length)}
    homes = {(code, ZONES[code]): range(place * 10, place * 10 + 10) for place, code in enumerate(sorted(ZONES))}
    expected = set()
    for (code, zone), who in homes.items():
        clock = start.astimezone(OSLO if timing == "local" else ZoneInfo(zone))
        if clock.weekday() * 1440 + clock.hour * 60 + clock.minute in minutes and (not countries or code in countries):
            expected |= set(who)
    findings = found(message(10, sent=start, timing=timing), rule, homes=homes, people=range(40))
    assert {person for f in findings for person in f.people} == expected
