"""Calendars to subscribe to: read back by icalendar and compared with the plan, kept by programs, revoked by people."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from icalendar import Calendar

from apps.campaigns import feeds, schedule
from apps.campaigns.models import CalendarFeed, Campaign, Message
from apps.core import clock
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import CampaignFactory, MessageFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture
def plan():
    retail = DepartmentFactory(name="Retail", slug="retail")
    user = UserFactory(department=retail)
    mine = CampaignFactory(
        name="Winter, “coats”; 30 % off: ørret\\ł ", department=retail, owner=user, status="scheduled", version=4,
        starts_on=date(2026, 11, 20), ends_on=date(2026, 11, 29),
    )
    MessageFactory(campaign=mine, name="Mail", send_at=datetime(2026, 11, 21, 8, tzinfo=UTC))
    MessageFactory(campaign=mine, name="Text", channel="sms", send_at=datetime(2026, 11, 22, 8, tzinfo=UTC))
    other = CampaignFactory(name="Draft", status="draft", starts_on=date(2026, 12, 1), ends_on=date(2026, 12, 1))
    CampaignFactory(name="Off", status="cancelled", starts_on=date(2026, 12, 2), ends_on=date(2026, 12, 3))
    CampaignFactory(name="Long ago", starts_on=date(2025, 1, 1), ends_on=date(2025, 1, 2))
    return user, mine, other


def read(user, **scope):
    feed, _secret = feeds.make(user=user, now=NOW, **scope)
    body = feeds.written(feed, now=NOW)
    return body, {str(event["uid"]): event for event in Calendar.from_ical(body).walk("VEVENT")}


def names(events):
    return {str(event["summary"]) for event in events.values()}


def test_days_hours_and_states_are_those_of_the_plan(plan):
    user, mine, _other = plan
    _body, events = read(user)
    event = events[f"campaign-{mine.pk}@localhost"]
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (mine.starts_on, mine.ends_on + timedelta(days=1))
    assert str(event["summary"]) == f"{mine.name} (Retail)"
    assert (str(event["status"]), event["sequence"]) == ("CONFIRMED", 3)
    timed = {str(each["summary"]).split(" · ")[0]: each.decoded("dtstart") for uid, each in events.items() if "message" in uid}
    assert timed == dict(Message.objects.values_list("name", "send_at"))
    states = {str(each["summary"]).split(" (")[0]: str(each["status"]) for each in events.values()}
    assert (states["Draft"], states["Off"]) == ("TENTATIVE", "CANCELLED")
    assert "Long ago" not in " ".join(states)


def test_every_event_has_what_the_standard_demands_and_lines_are_folded(plan):
    body, events = read(plan[0])
    assert body.startswith(b"BEGIN:VCALENDAR\r\n") and body.endswith(b"END:VCALENDAR\r\n")
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 75 and b"\n" not in b"".join(lines)
    for event in events.values():
        assert all(name in event for name in ("uid", "dtstamp", "dtstart", "last-modified", "sequence", "status"))
        assert event.decoded("dtstamp").utcoffset() == timedelta(0)
        assert not event.errors
    assert len(events) == len({*events})


def test_scopes_narrow_by_department_programme_channel_and_person(plan):
    user, mine, other = plan
    assert names(read(user, department=user.department)[1]) == {f"{mine.name} (Retail)", f"Mail · {mine.name}", f"Text · {mine.name}"}
    assert names(read(user, channel="sms")[1]) == {f"{mine.name} (Retail)", f"Text · {mine.name}"}
    assert names(read(UserFactory(), is_mine=True)[1]) == set()
    umbrella = ProgrammeFactory()
    Campaign.objects.filter(pk=other.pk).update(programme=umbrella)
    assert names(read(user, programme=umbrella)[1]) == {"Draft (" + other.department.name + ")"}
    assert names(read(user, is_mine=True)[1]) == names(read(user, department=user.department)[1])


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=DAILY;COUNT=4", "FREQ=DAILY;UNTIL=20261026T090000"])
def test_a_repetition_falls_on_the_same_moments_as_the_sending_over_a_change_of_clocks(rule):
    campaign = CampaignFactory(starts_on=date(2026, 10, 20), ends_on=date(2026, 11, 3))
    message = MessageFactory(campaign=campaign, send_at=datetime(2026, 10, 22, 7, tzinfo=UTC), recurrence=rule)
    wanted = list(schedule.occurrences(message, first=NOW - timedelta(days=60), last=NOW, zone=OSLO))
    body, events = read(UserFactory())
    event = events[f"message-{message.pk}@localhost"]
    start = event.decoded("dtstart")
    told = rrulestr(event["rrule"].to_ical().decode(), dtstart=start)
    assert [moment.astimezone(UTC) for moment in told] == wanted
    assert b"BEGIN:VTIMEZONE" in body
    assert {(moment - start.replace(tzinfo=OSLO)).days < 20 for moment in told} == {True}


def test_the_same_plan_is_the_same_file_and_a_move_is_a_new_version_of_the_same_event(plan):
    user, mine, _other = plan
    feed, _secret = feeds.make(user=user, now=NOW)
    before = feeds.written(feed, now=NOW)
    assert feeds.written(feed, now=NOW + timedelta(hours=3)) == before
    mine.starts_on, mine.version, mine.updated_at = date(2026, 11, 19), 5, NOW + timedelta(hours=4)
    mine.save()
    events = {str(each["uid"]): each for each in Calendar.from_ical(feeds.written(feed, now=NOW)).walk("VEVENT")}
    moved = events[f"campaign-{mine.pk}@localhost"]
    assert (moved.decoded("dtstart"), moved["sequence"]) == (date(2026, 11, 19), 4)


def test_the_address_is_shown_once_read_without_a_login_and_dead_when_revoked(client, plan):
    user = plan[0]
    client.force_login(user)
    page = client.post("/calendar/subscribe/", {"department": "retail"})
    secret = page.context["made"].rpartition("/")[2].removesuffix(".ics")
    assert secret in page.content.decode()
    assert secret not in client.get("/calendar/subscribe/").content.decode()
    feed = CalendarFeed.objects.get()
    assert secret not in (feed.digest, feed.prefix)
    client.logout()
    answer = client.get(f"/feeds/{secret}.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert client.get(f"/feeds/{secret}.ics", headers={"if-none-match": answer["ETag"]}).status_code == 304
    assert client.get("/feeds/cal_guess.ics").status_code == 404
    client.force_login(UserFactory())
    assert client.post(f"/calendar/subscribe/{feed.pk}/revoke/").status_code == 404
    client.force_login(user)
    client.post(f"/calendar/subscribe/{feed.pk}/revoke/")
    assert client.get(f"/feeds/{secret}.ics").status_code == 404


def test_a_feed_dies_with_its_makers_account_and_asking_too_often_is_refused(client, monkeypatch):
    user = UserFactory()
    _feed, secret = feeds.make(user=user, now=clock.now())
    monkeypatch.setattr(feeds, "MOST_PER_HOUR", 2)
    assert [client.get(f"/feeds/{secret}.ics").status_code for _ in range(3)] == [200, 200, 429]
    user.is_active = False
    user.save()
    assert client.get(f"/feeds/{secret}.ics").status_code == 404
