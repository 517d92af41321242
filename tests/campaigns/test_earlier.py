"""The plan beside that of last week: what moved, came, went, by walking the audit trail back."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.campaigns import launch, moving, planning
from apps.campaigns.calendar import earlier, period, reading
from apps.campaigns.models import Campaign
from apps.core import clock
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import CampaignFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SPAN = period.Period(date(2026, 11, 16), 35, ZoneInfo("Europe/Oslo"))
DAY = timedelta(days=1)


def campaign(name, start, **fields):
    first = date(2026, 12, start)
    return CampaignFactory(name=name, starts_on=first, ends_on=first + 4 * DAY, created_at=NOW - 30 * DAY, updated_at=NOW, **fields)


def move(row, days, at):
    row.refresh_from_db()
    moving.move_campaign(actor=row.owner, campaign=row, days=days, expected_version=row.version, now=at)


def told(since=NOW - 7 * DAY, span=SPAN, filters=None):
    found = earlier.changes(span, filters or reading.Filters(), since=since)
    return {change.campaign.name: (change.kind, change.days, change.before and change.before.starts_on.day) for change in found}


def test_what_moved_several_times_stood_where_it_was_before_the_first_of_them():
    twice, older, there_and_back = campaign("twice", 1), campaign("older", 1), campaign("back", 1)
    move(older, 3, NOW - 9 * DAY)
    move(twice, 3, NOW - 8 * DAY)
    move(twice, 2, NOW - 5 * DAY)
    move(twice, 4, NOW - 2 * DAY)
    move(there_and_back, 2, NOW - 3 * DAY)
    move(there_and_back, -2, NOW - 2 * DAY)
    assert told() == {"twice": ("moved", 6, 4)}
    assert told(since=NOW - 20 * DAY) == {"twice": ("moved", 9, 1), "older": ("moved", 3, 1)}


def test_what_is_new_cancelled_or_of_another_length_is_told_as_that():
    gone, longer = campaign("gone", 1, status="approved"), campaign("longer", 2)
    launch.cancel(actor=gone.owner, campaign=gone, now=NOW - DAY)
    planning.change_campaign(
        actor=longer.owner, campaign=longer, values={"ends_on": date(2026, 12, 19)}, expected_version=longer.version, now=NOW - DAY
    )
    owner = UserFactory(department=DepartmentFactory())
    planning.create_campaign(
        actor=owner, department=owner.department, now=NOW - DAY,
        values={"name": "new", "starts_on": date(2026, 12, 1), "ends_on": date(2026, 12, 2), "owner": owner},
    )
    assert told() == {"gone": ("cancelled", 0, 1), "longer": ("resized", 0, 2), "new": ("new", 0, None)}


def test_what_was_moved_out_of_sight_is_still_told_on_its_old_days_and_only_there():
    away = campaign("away", 1)
    move(away, 60, NOW - DAY)
    assert told() == {"away": ("moved", 60, 1)}
    assert told(span=period.Period(date(2027, 3, 1), 7, SPAN.zone)) == {}
    assert told(filters=reading.Filters(departments=frozenset(["none"]))) == {}


def test_it_asks_a_fixed_number_of_queries(django_assert_num_queries):
    for number in range(6):
        move(campaign(f"c{number}", 1), 2, NOW - DAY)
    with django_assert_num_queries(3):
        told()


def test_the_timeline_draws_where_they_stood_and_says_so(client):
    now = clock.now()
    start = clock.company_day(now) + 3 * DAY
    user = UserFactory(role="lead", language="en")
    row = CampaignFactory(
        name="Winter", department=user.department, owner=user, starts_on=start, ends_on=start + 2 * DAY, created_at=now - 30 * DAY
    )
    move(row, 2, now - DAY)
    client.force_login(user)
    page = client.get("/calendar/?then=week").content.decode()
    assert "bar ghost" in page and "moved 2 days later" in page
    plain = client.get("/calendar/").content.decode()
    assert "bar ghost" not in plain and "then=week" in plain
    assert Campaign.objects.count() == 1
