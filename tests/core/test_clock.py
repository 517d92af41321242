from datetime import UTC, date, datetime, timedelta

from apps.core import clock


def test_the_clock_is_utc_and_moves_by_its_offset(settings):
    settings.CLOCK_OFFSET = 86400
    assert timedelta(hours=23) < clock.now() - datetime.now(UTC) < timedelta(hours=25)
    assert clock.now().tzinfo is UTC


def test_the_company_has_its_own_day(settings):
    settings.COMPANY_TIME_ZONE = "Europe/Oslo"
    assert clock.company_day(datetime(2026, 6, 1, 22, 30, tzinfo=UTC)) == date(2026, 6, 2)
