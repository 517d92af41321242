"""Blackouts by the recipient's date, country and purpose, against a naive oracle."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.rules.blackout import BlackoutRule

from ..plans import OSLO, at, blackout, campaign, message, plan

RULE = BlackoutRule()


def found(planned, *blackouts, people=range(100), homes=None, department=None):
    side = campaign(1, planned, department=department)
    return list(RULE.find(plan(side, people={planned.id: people}, blackouts=blackouts, homes=homes)))


def test_a_message_on_a_forbidden_day_is_found_with_all_its_people():
    findings = found(message(10, sent=at(20, 12)), blackout(3, 19, 21))
    assert [(f.identity, f.count, f.severity) for f in findings] == [("blackout:3-10", 100, 4)]
    assert findings[0].facts["days"] == ["2026-11-20"]


def test_both_ends_are_forbidden_and_the_days_beside_are_not():
    rule = blackout(1, 19, 21)
    assert found(message(10, sent=at(19, 12)), rule)
    assert found(message(10, sent=at(21, 12)), rule)
    assert not found(message(10, sent=at(18, 9)), rule)
    assert not found(message(10, sent=at(22, 15)), rule)


def test_safety_never_and_service_only_when_the_blackout_says_so():
    day = at(20, 12)
    assert not found(message(10, sent=day, purpose_class="safety"), blackout(includes_service=True))
    assert not found(message(10, sent=day, purpose_class="service"), blackout())
    assert found(message(10, sent=day, purpose_class="service"), blackout(includes_service=True))


def test_only_its_channels_and_its_department():
    day = at(20, 12)
    assert not found(message(10, sent=day), blackout(channels=("sms",)))
    assert found(message(10, sent=day, channel="sms"), blackout(channels=("sms",)))
    assert not found(message(10, sent=day), blackout(department_id=9))
    assert found(message(10, sent=day), blackout(department_id=9), department=9)


def test_only_people_of_its_countries_and_none_there_is_no_finding():
    homes = {"NO": range(0, 30), "PL": range(30, 100)}
    findings = found(message(10, sent=at(20, 12)), blackout(countries=("NO",)), homes=homes)
    assert [f.count for f in findings] == [30]
    assert not found(message(10, sent=at(20, 12)), blackout(countries=("DE",)), homes=homes)


def test_the_date_is_that_of_the_recipient():
    homes = {"NO": range(0, 50), "NZ": range(50, 100)}
    evening = at(19, 20)  # the 19th in Norway, already the 20th in New Zealand
    assert [set(f.people) for f in found(message(10, sent=evening), blackout(), homes=homes)] == [set(range(50, 100))]
    local = message(10, sent=evening, timing="local")
    assert not found(local, blackout(), homes=homes)


def test_a_repeating_message_is_only_held_back_on_that_day():
    findings = found(message(10, sent=[at(13, 12), at(20, 12), at(27, 12)]), blackout())
    assert [(f.severity, f.facts["days"]) for f in findings] == [(2, ["2026-11-20"])]


def test_what_has_passed_is_not_found_and_unaddressed_messages_are():
    assert not found(message(10, sent=at(10)), blackout(1, 10, 10))
    public = message(10, sent=at(20, 12), kind="unaddressed", channel="unaddressed")
    assert [f.count for f in found(public, blackout(), people=())] == [0]


def test_another_day_reopens_and_the_same_day_does_not():
    agreed = {"days": ["2026-11-20"], "people": 10}
    assert not RULE.materially_worse(agreed, {"days": ["2026-11-20"], "people": 12})
    assert RULE.materially_worse(agreed, {"days": ["2026-11-21"], "people": 10})


ZONES = {"NO": "Europe/Oslo", "IN": "Asia/Kolkata", "JP": "Asia/Tokyo", "IS": "Atlantic/Reykjavik"}


@given(
    st.integers(0, 10 * 24 * 4), st.sampled_from(["fixed", "local"]), st.integers(13, 20), st.integers(0, 2),
    st.sets(st.sampled_from(sorted(ZONES)), max_size=3),
)
def test_it_finds_exactly_the_people_a_naive_reading_finds(quarter, timing, first, length, countries):
    """Oracle: every person's own calendar, one by one, in countries with a single zone."""
    start = datetime(2026, 11, 12, tzinfo=UTC) + timedelta(minutes=15 * quarter)
    rule = blackout(1, first, first + length, countries=tuple(sorted(countries)))
    homes = {code: range(place * 10, place * 10 + 10) for place, code in enumerate(sorted(ZONES))}
    expected = set()
    for code, who in homes.items():
        day = start.astimezone(OSLO if timing == "local" else ZoneInfo(ZONES[code])).date()
        if rule.starts_on <= day <= rule.ends_on and (not countries or code in countries):
            expected |= set(who)
    findings = found(message(10, sent=start, timing=timing), rule, people=range(40), homes=homes)
    assert {person for f in findings for person in f.people} == expected
