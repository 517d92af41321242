"""When messages are due: the wall clock of the company's zone, gap hours, recipients' local time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pyroaring import BitMap

from apps.campaigns.models import Chunk, Run
from apps.campaigns.sending import plan
from apps.campaigns.sending.occurrences import (
    BadRecurrence,
    check_recurrence,
    deadline,
    from_wall,
    is_gap_hour,
    occurrences,
)
from tests.factories.sending import NOW, make_message, make_people, plan_one, send_all, sign

pytestmark = pytest.mark.django_db(transaction=True)
OSLO = ZoneInfo("Europe/Oslo")


def wall(*parts: int) -> datetime:
    """A reading of a wall clock."""
    return datetime(*parts)  # noqa: DTZ001


def weekly(send_at: datetime, **fields):
    return make_message(make_people(2), send_at=send_at, recurrence="FREQ=WEEKLY", recurs_until=date(2027, 12, 31),
                        campaign__ends_on=date(2027, 12, 31), **fields)  # fmt: skip


def test_a_gap_hour_is_taken_after_the_gap_and_a_double_hour_once():
    assert from_wall(wall(2027, 3, 28, 2, 30), OSLO) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert is_gap_hour(wall(2027, 3, 28, 2, 30), OSLO)
    assert from_wall(wall(2026, 10, 25, 2, 30), OSLO) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert not is_gap_hour(wall(2026, 10, 25, 2, 30), OSLO)


def test_a_weekly_message_keeps_its_clock_over_the_change_of_clocks():
    message = weekly(datetime(2027, 3, 21, 8, 0, tzinfo=UTC))
    found = occurrences(message, message.send_at, message.send_at + timedelta(days=15))
    assert [each.at.astimezone(OSLO).hour for each in found] == [9, 9, 9]
    assert [each.key for each in found] == ["20270321T0900", "20270328T0900", "20270404T0900"]


def test_each_occurrence_is_a_run_of_its_own(provider):
    message = weekly(NOW)
    for week in range(3):
        send_all(NOW + timedelta(weeks=week))
    runs = Run.objects.filter(message=message)
    assert len({run.occurrence for run in runs}) == runs.count() == 3
    assert len(provider.posted) == len(set(provider.posted)) == 6


def test_an_occurrence_beyond_the_approved_period_waits_for_a_new_approval():
    message = weekly(NOW)
    message.campaign.approvals.update(valid_until=(NOW + timedelta(days=10)).date())
    assert len(plan.plan_due_runs(now=NOW + timedelta(days=7))) == 1
    assert plan.plan_due_runs(now=NOW + timedelta(days=14)) == []
    message.campaign.approvals.all().delete()
    sign(message.campaign)
    assert len(plan.plan_due_runs(now=NOW + timedelta(days=14))) == 1


def test_an_occurrence_missed_for_longer_than_its_patience_is_left_out():
    weekly(NOW)
    assert len(plan.plan_due_runs(now=NOW + timedelta(days=15))) == 0
    assert len(plan.plan_due_runs(now=NOW + timedelta(days=14, hours=2))) == 1


def test_a_late_worker_still_plans_a_single_message():
    message = make_message(make_people(1))
    assert plan.plan_due_runs(now=NOW + timedelta(hours=20))[0].message == message


@pytest.mark.parametrize("rule", ["nonsense", "FREQ=SECONDLY", "FREQ=WEEKLY;BYDAY=XX", ""])
def test_a_rule_that_cannot_be_read_is_refused(rule):
    with pytest.raises(BadRecurrence):
        check_recurrence(rule)


def test_an_until_in_utc_is_understood():
    check_recurrence("RRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z")


def test_at_local_time_everybody_is_due_by_their_own_clock(provider):
    groups = {
        "Asia/Tokyo": make_people(2, time_zone="Asia/Tokyo", country="JP"),
        "Europe/Oslo": make_people(2),
        "America/New_York": make_people(2, time_zone="America/New_York", country="US"),
    }
    wall_nine = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)  # 09:00 in Oslo
    message = make_message(BitMap.union(*groups.values()), send_at=wall_nine, timing="local")
    run = plan_one(message, now=wall_nine - timedelta(hours=13))
    moments = {chunk.not_before: chunk.people for chunk in Chunk.objects.all()}
    for zone, people in groups.items():
        assert moments[datetime(2026, 11, 20, 9, 0, tzinfo=ZoneInfo(zone)).astimezone(UTC)] == people
    send_all(wall_nine)
    assert {int(reference.split(".")[1]) for reference in provider.posted} == set(groups["Asia/Tokyo"] | groups["Europe/Oslo"])
    send_all(wall_nine + timedelta(hours=6))
    assert len(provider.posted) == 6
    assert run.deadline > wall_nine + timedelta(hours=20)


def test_the_deadline_follows_each_occurrence():
    message = weekly(NOW, send_until=NOW + timedelta(hours=5))
    found = occurrences(message, NOW, NOW + timedelta(days=8))
    assert [deadline(message, each) - each.at for each in found] == [timedelta(hours=5)] * 2
