"""Public holidays of the country where each person lives, against the calendar of each person."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from apps.campaigns.conflicts import days_off
from apps.campaigns.conflicts.rules.holiday import HolidayRule

from ..plans import OSLO, at, campaign, message, plan
from ..plans import given as known

RULE = HolidayRule()
MAY_17 = datetime(2027, 5, 17, 9, tzinfo=UTC)  # Norway's constitution day, a Monday
HOMES = {("NO", "Europe/Oslo"): range(40), ("SE", "Europe/Stockholm"): range(40, 100)}


def found(planned, *, homes=None, people=range(100), department=None, **changes):
    side = campaign(1, planned, department=department)
    return list(RULE.find(plan(side, people={planned.id: people}, sources=known(places=homes or HOMES), now=at(11), **changes)))


def test_only_the_people_who_have_a_holiday_are_found():
    findings = found(message(10, sent=MAY_17))
    assert [(f.identity, set(f.people), f.severity) for f in findings] == [("holiday:10", set(range(40)), 2)]
    assert findings[0].facts["where"] == [["NO", "2027-05-17", 40]]
    assert "17" in RULE.words(findings[0].facts)["where"]
    assert not found(message(10, sent=MAY_17 + timedelta(days=1)))


def test_the_date_is_that_of_the_recipient():
    evening = datetime(2027, 5, 16, 22, 30, tzinfo=UTC)  # the 17th has begun in Oslo
    assert found(message(10, sent=evening))
    local = message(10, sent=datetime(2027, 7, 4, 3, tzinfo=UTC), timing="local")
    usa = {("US", "America/New_York"): range(10)}
    assert found(local, homes=usa), "at the recipient's own five o'clock on Independence Day"
    assert not found(message(10, sent=datetime(2027, 7, 4, 3, tzinfo=UTC)), homes={("US", "America/New_York"): range(10)})


def test_an_unknown_zone_counts_when_it_may_be_a_holiday_somewhere_in_the_country():
    moment = datetime(2027, 7, 5, 5, tzinfo=UTC)  # still the fourth in Alaska, in New York no more
    assert found(message(10, sent=moment), homes={("US", ""): range(10)})
    assert not found(message(10, sent=moment - timedelta(days=3)), homes={("US", ""): range(10)})


def test_service_public_and_lasting_places_do_not_count_calls_do_on_every_day():
    assert not found(message(10, sent=MAY_17, purpose_class="service"))
    assert not found(message(10, sent=MAY_17, kind="unaddressed", channel="unaddressed"))
    assert not found(message(10, sent=MAY_17, channel="store"))
    year_after = datetime(2028, 5, 17, 9, tzinfo=UTC)  # a Wednesday without Whitsun before it
    calls = message(10, sent=year_after - timedelta(days=2), until=year_after + timedelta(days=1), channel="call")
    assert [f.count for f in found(calls)] == [40]


def test_a_department_can_switch_it_off_for_its_own_messages():
    off = {7: {"holiday_check": 0}}
    assert not found(message(10, sent=MAY_17), department=7, departments=off)
    assert found(message(10, sent=MAY_17), department=8, departments=off)
    assert not found(message(10, sent=MAY_17), holiday_check=0)


def test_a_country_that_nobody_knows_has_no_holidays():
    assert days_off.name("XX", date(2027, 1, 1)) == ""
    assert days_off.name("", date(2027, 1, 1)) == ""
    assert days_off.name("SE", date(2026, 11, 22)) == "", "a plain Sunday is no holiday"


def test_before_people_are_counted_every_message_may_be_struck():
    side = campaign(1, message(10, sent=MAY_17))
    assert [f.people for f in RULE.find(plan(side))] == [None]
    assert not RULE.speaks_early


ZONES = {"NO": "Europe/Oslo", "PL": "Europe/Warsaw", "JP": "Asia/Tokyo", "NZ": "Pacific/Auckland"}


@effort(deadline=None)
@given(st.integers(0, 240 * 24), st.sampled_from(["fixed", "local"]), st.sets(st.sampled_from(sorted(ZONES))))
def test_it_finds_exactly_the_people_a_naive_reading_finds(hour, timing, lived_in):
    """Oracle: every person's own calendar, one by one."""
    import holidays

    start = datetime(2026, 11, 12, tzinfo=UTC) + timedelta(hours=hour)
    homes = {(code, ZONES[code]): range(place * 10, place * 10 + 10) for place, code in enumerate(sorted(ZONES)) if code in lived_in}
    expected = set()
    for (code, zone), who in homes.items():
        day = start.astimezone(OSLO if timing == "local" else ZoneInfo(zone)).date()
        if day in holidays.country_holidays(code, years=day.year):
            expected |= set(who)
    findings = found(message(10, sent=start, timing=timing), homes=homes or {("", ""): ()}, people=range(40))
    assert {person for f in findings for person in f.people} == expected
