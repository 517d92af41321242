from datetime import UTC, date, datetime

from pyroaring import BitMap

from apps.core import blocks, zones


def test_people_are_parted_by_aligned_block_and_nobody_is_lost():
    people = BitMap([0, 5, 1023, 1024, 5000, 70_000])
    parts = blocks.split(people)
    assert [block for block, _ in parts] == [0, 1, 4, 68]
    assert BitMap.union(*[part for _, part in parts]) == people


def test_no_people_make_no_blocks():
    assert blocks.split(BitMap()) == []


def test_a_stated_zone_is_the_only_plausible_one():
    assert [str(zone) for zone in zones.plausible_zones("US", "America/Denver")] == ["America/Denver"]


def test_an_unknown_zone_may_be_any_of_the_country():
    names = {str(zone) for zone in zones.plausible_zones("US")}
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= names


def test_nonsense_falls_back_to_the_companys_zone(settings):
    settings.COMPANY_TIME_ZONE = "Europe/Oslo"
    zones.plausible_zones.cache_clear()
    assert [str(zone) for zone in zones.plausible_zones("??", "Not/AZone")] == ["Europe/Oslo"]


def test_a_country_of_many_zones_may_have_two_dates():
    assert zones.local_dates("US", "", datetime(2026, 3, 2, 5, 30, tzinfo=UTC)) == {date(2026, 3, 1), date(2026, 3, 2)}
