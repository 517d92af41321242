"""The calendar: what it draws, what a move would do, and that it stays quick."""

import itertools
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.accounts.models import AuditEvent
from apps.campaigns.calendar import figures, layout, period, preview, reading
from apps.campaigns.conflicts import loading, pressure
from apps.campaigns.conflicts.circumstances import PlannedPolicy
from apps.campaigns.models import Campaign, Conflict, Message
from apps.core import clock
from tests.factories.accounts import UserFactory
from tests.factories.campaigns import NOW, ContactPolicyFactory, ProgrammeFactory
from tests.factories.customers import CustomerFactory

from .conflicts.conftest import count, planned, scene  # noqa: F401

OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


def open_as(client, user, address):
    client.force_login(user)
    return client.get(address)


@pytest.mark.django_db
def test_the_timeline_shows_every_departments_bars_people_and_the_weightiest_conflict(client, scene):  # noqa: F811
    page = open_as(client, UserFactory(), "/calendar/").content.decode()
    for words in ("Black Week in store", "Black Week online", "Retail", "Online", "Contradictory offers", "hatched: draft"):
        assert words in page
    assert page.count('class="plate ') == 1
    assert "style=" not in page
    assert "<script>" not in page


@pytest.mark.django_db
def test_the_queries_of_the_calendar_do_not_grow_with_campaigns(client, scene, django_assert_max_num_queries):  # noqa: F811
    user = UserFactory()
    client.force_login(user)
    for day in range(15):
        planned(scene.retail.department, range(200), days=day % 9)
    count()
    with django_assert_max_num_queries(68) as cold:
        client.get("/calendar/")
    with django_assert_max_num_queries(29) as warm:
        client.get("/calendar/")
    for day in range(15):
        planned(scene.online.department, range(200), days=day % 9)
    count()
    with django_assert_max_num_queries(len(cold)):
        client.get("/calendar/")
    with django_assert_max_num_queries(len(warm)):
        client.get("/calendar/")


@pytest.mark.django_db
def test_filters_stand_in_the_address(client, scene):  # noqa: F811
    user = UserFactory()
    page = open_as(client, user, "/calendar/?department=retail").content.decode()
    assert f'data-campaign="{scene.retail.pk}"' in page
    assert f'data-campaign="{scene.online.pk}"' not in page
    page = open_as(client, user, "/calendar/?channel=sms").content.decode()
    assert "data-campaign" not in page
    page = open_as(client, user, "/calendar/?status=draft&conflicts=none&from=nonsense&weeks=99999").content.decode()
    assert "data-campaign" not in page


@pytest.mark.django_db
def test_a_programme_narrows_the_calendar_and_the_list_of_conflicts(client, scene):  # noqa: F811
    umbrella = ProgrammeFactory(name="Winter as one", starts_on=scene.retail.starts_on, ends_on=scene.retail.ends_on)
    page = open_as(client, scene.retail_lead, f"/calendar/?programme={umbrella.pk}").content.decode()
    assert "Winter as one" in page and "Black Week in store" not in page
    assert "Black Week" not in client.get(f"/conflicts/?programme={umbrella.pk}").content.decode()
    Campaign.objects.filter(pk=scene.retail.pk).update(programme=umbrella)
    page = client.get(f"/calendar/?programme={umbrella.pk}").content.decode()
    assert "Black Week in store" in page and f'name="programme" value="{umbrella.pk}" checked' in page
    assert "Black Week online" in client.get(f"/conflicts/?programme={umbrella.pk}").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("address", [
    "/calendar/month/", "/calendar/month/?month=2026-12", "/calendar/month/?month=x", "/calendar/agenda/", "/conflicts/",
    "/conflicts/?state=resolved", "/conflicts/rules/", "/calendar/?from=2026-11-16&weeks=2", "/calendar/?conflict=99999",
])
def test_every_view_answers(client, scene, address):  # noqa: F811
    assert open_as(client, scene.retail_lead, address).status_code == 200


@pytest.mark.django_db
def test_a_move_is_previewed_without_changing_anything_and_then_done_and_undone(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    shown = client.get(f"/calendar/move/{scene.online.pk}/?days=9").content.decode()
    assert "gone" in shown
    assert Campaign.objects.get(pk=scene.online.pk).starts_on == scene.online.starts_on
    address, version = f"/calendar/move/{scene.online.pk}/", scene.online.version
    done = client.post(address, {"days": "9", "version": version})
    moved = Campaign.objects.get(pk=scene.online.pk)
    assert moved.starts_on == scene.online.starts_on + timedelta(days=9)
    assert moved.messages.get().send_at == NOW + timedelta(days=12)
    assert "Undo" in client.get(done["Location"]).content.decode()
    client.post(address, {"days": "-9", "version": moved.version})
    assert Campaign.objects.get(pk=scene.online.pk).starts_on == scene.online.starts_on


@pytest.mark.django_db
def test_a_second_click_and_a_faster_colleague_move_nothing_twice(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    for _click in range(2):
        client.post(f"/calendar/move/{scene.online.pk}/", {"days": "2", "version": scene.online.version})
    assert Campaign.objects.get(pk=scene.online.pk).starts_on == scene.online.starts_on + timedelta(days=2)


@pytest.mark.django_db
def test_a_move_is_not_offered_to_be_undone_once_somebody_has_moved_on_from_it(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    address = f"/calendar/move/{scene.online.pk}/"
    done = client.post(address, {"days": "9", "version": scene.online.version})
    assert "Undo" in client.get(done["Location"]).content.decode()
    client.post(address, {"days": "2", "version": Campaign.objects.get(pk=scene.online.pk).version})
    assert "Undo" not in client.get(done["Location"]).content.decode()


@pytest.mark.django_db
def test_only_the_own_department_moves_and_nothing_into_the_past(client, scene):  # noqa: F811
    client.force_login(scene.retail_lead)
    address, version = f"/calendar/move/{scene.online.pk}/", scene.online.version
    assert client.post(address, {"days": "1", "version": version}).status_code == 403
    client.force_login(scene.online_lead)
    client.post(address, {"days": "-5", "version": version})
    assert Campaign.objects.get(pk=scene.online.pk).starts_on == scene.online.starts_on
    assert "in the past" in client.get(f"{address}?days=-5").content.decode()


@pytest.mark.django_db
def test_the_preview_counts_people_before_and_after(scene):  # noqa: F811
    shown = preview.of(scene.online, 9, now=NOW)
    assert {(change.title, change.before, change.after) for change in shown.changes} == {
        ("Contradictory offers", 60, None), ("Same people at the same time", 60, None)
    }
    assert (shown.left, preview.of(scene.online, 1, now=NOW).left) == (0, 2)


@pytest.mark.django_db
def test_the_conflict_page_shows_sample_people_masked_and_logs_the_look(client, scene):  # noqa: F811
    person = CustomerFactory(name="Kari Nordmann")
    Conflict.objects.update(people_both=BitMap([person.pk]), people_count=1)
    Message.objects.update(plan_audience=BitMap([person.pk]))
    page = open_as(client, scene.retail_lead, f"/conflicts/{scene.conflict.pk}/people/").content.decode()
    assert "K… N…" in page
    assert "Nordmann" not in page
    assert page.count("Black Week") >= 2
    assert AuditEvent.objects.filter(action="people.opened", actor=scene.retail_lead).exists()


@pytest.mark.django_db
def test_proposing_and_signing_through_the_pages(client, scene):  # noqa: F811
    client.force_login(scene.online_lead)
    client.post(f"/conflicts/{scene.conflict.pk}/propose/", {"way": f"leave_out:{scene.online.pk}"})
    resolution = scene.conflict.resolutions.get()
    page = open_as(client, scene.retail_lead, f"/conflicts/{scene.conflict.pk}/").content.decode()
    assert "Agree and sign" in page
    client.post(f"/conflicts/resolutions/{resolution.pk}/sign/", {"answer": "yes"})
    assert scene.conflict.state == "resolved"
    assert "agreed and applied" in client.get(f"/conflicts/{scene.conflict.pk}/").content.decode()


@pytest.mark.django_db
def test_the_strip_opens_to_the_people_over_the_limit_and_what_put_them_there(client, scene):  # noqa: F811
    ContactPolicyFactory(limit=1)
    day = (NOW + timedelta(days=3)).date()
    page = open_as(client, scene.retail_lead, "/calendar/").content.decode()
    assert f"/calendar/pressure/{day}/" in page
    shown = client.get(f"/calendar/pressure/{day}/").content.decode()
    assert "60 people would" in shown
    assert "Black Week in store" in shown
    assert client.get("/calendar/pressure/someday/").status_code == 404


def test_a_period_reads_its_address_and_places_hours():
    shown = period.chosen("2026-11-19", "2", today=date(2026, 11, 22), zone=OSLO)
    assert (shown.first, shown.length) == (date(2026, 11, 16), 14)
    assert shown.x_of(NOW) == pytest.approx(100 * (2 * 24 + 10) / (14 * 24))
    assert period.chosen("x", "-3", today=date(2026, 11, 22), zone=OSLO).first == date(2026, 11, 9)


contacts = st.lists(st.tuples(st.integers(0, 12 * 24), st.sets(st.integers(0, 6))), max_size=14)


@given(contacts, st.integers(0, 4), st.integers(1, 5))
def test_people_over_a_limit_are_those_a_row_by_row_count_finds(drawn, limit, window):
    """Oracle: for every person and every hour of the day, count the contacts of the hours behind it."""
    start = period.Period(date(2026, 11, 2), 14, OSLO).bounds()[0]
    days = [date(2026, 11, 2) + timedelta(days=place) for place in range(14)]
    events = [
        pressure.Contact(start + timedelta(hours=hour), BitMap(who), "email", "promotion", 1, number)
        for number, (hour, who) in enumerate(drawn)
    ]
    found = pressure.over_by_day(events, PlannedPolicy(1, "", limit, timedelta(days=window)), days=days, zone=OSLO)
    for place, day in enumerate(days):
        expected = {
            person for person in range(7) for moment in range(place * 24, place * 24 + 24)
            if sum(moment - window * 24 < hour <= moment for hour, who in drawn if person in who) > limit
        }
        assert set(found[day]) == expected


@pytest.mark.django_db
def test_what_was_sent_elsewhere_counts_in_the_past_and_planned_only_from_now_on(scene):  # noqa: F811
    Message.objects.filter(campaign=scene.online).update(kind="elsewhere", send_at=NOW - timedelta(days=1))
    Message.objects.filter(campaign=scene.retail).update(send_at=NOW - timedelta(days=1))
    plan = loading.load(now=NOW)
    found = list(pressure.planned_contacts(plan, first=NOW - timedelta(days=9), last=NOW + timedelta(days=9)))
    assert [contact.message_id for contact in found] == [scene.online_message.pk]


@pytest.mark.django_db
def test_plates_of_conflicts_do_not_cover_each_other_and_bars_share_no_place(scene):  # noqa: F811
    for number in range(6):
        planned(scene.retail.department, range(number, 100), days=2 + number % 3)
    count()
    span = period.chosen(None, None, today=NOW.date(), zone=OSLO)
    drawn = layout.lay_out(reading.read(span, reading.Filters(conflicts="all")), figures.of(span.days, now=NOW))
    assert len(drawn.links) == layout.MOST_LINKS
    everything = layout.lay_out(reading.read(span, reading.Filters(conflicts="all")), figures.of(span.days, now=NOW), all_links=True)
    assert (len(everything.links), everything.rest) == (layout.MOST_LINKS + drawn.rest, 0)
    assert drawn.rest > 0
    for place, link in enumerate(drawn.links):
        for other in drawn.links[:place]:
            assert abs(link.x - other.x) > (link.half + other.half) / 10 or abs(link.y - other.y) > 24
    for lane in drawn.lanes:
        for place, bar in enumerate(lane.bars):
            assert all(bar.row != other.row or bar.x >= other.end or other.x >= bar.end for other in lane.bars[:place])


@pytest.mark.django_db
def test_links_beyond_the_first_dozen_are_counted_and_open(client, scene):  # noqa: F811
    for number in range(6):
        planned(scene.retail.department, range(number, 100), days=2 + number % 3)
    count()
    page = open_as(client, scene.retail_lead, "/calendar/?conflicts=all").content.decode()
    rest = int(re.search(r"<b>\+(\d+)</b>", page)[1])
    assert "links=all" in page
    opened = client.get("/calendar/?conflicts=all&links=all").content.decode()
    assert opened.count('class="plate ') == page.count('class="plate ') + rest


@pytest.mark.parametrize(("hours", "width"), [([9, 9], 2.9), ([9, 9, 9, 9], 2.9), ([9, 9, 10], 20.0), (list(range(24)), 8.6)])
def test_marks_at_the_same_hour_of_a_short_bar_stand_apart_and_none_is_lost(hours, width):
    wanted = [(100 * hour / 24, number) for number, hour in enumerate(hours)]
    marks = layout._marks(wanted, width)
    places = [mark.x * width / 100 for mark in marks]
    assert all(after - before >= layout.MARK - 0.001 for before, after in itertools.pairwise(places))
    assert all(0 <= mark.x <= 100 for mark in marks)
    assert [item for mark in marks for item in (mark.occurrence, *mark.more)] == list(range(len(hours)))


@pytest.mark.django_db
def test_the_preview_tells_how_many_of_its_people_pass_the_contact_limit_before_and_after(client, scene):  # noqa: F811
    ContactPolicyFactory(limit=1, hours=7 * 24)
    shown = preview.of(scene.online, 9, now=NOW)
    assert (shown.over.before, shown.over.after, shown.over.change) == (60, 0, -60)
    near = preview.of(scene.online, 1, now=NOW)
    assert (near.over.before, near.over.after) == (60, 60)
    planned(scene.retail.department, range(200, 230), days=12)
    assert preview.of(scene.online, 9, now=NOW).over.after == 30
    client.force_login(scene.online_lead)
    page = client.get(f"/calendar/move/{scene.online.pk}/?days=9").content.decode()
    assert "over the contact limit" in page
    assert "(-30)" in page or "(−30)" in page


@pytest.mark.django_db
def test_the_preview_tells_of_another_campaigns_conflict_with_all_its_people_not_only_with_those_concerned(scene):  # noqa: F811
    ContactPolicyFactory(limit=1, hours=7 * 24)
    third = planned(scene.retail.department, [*range(20), *range(230, 250)], days=4, name="Reminder")
    count()

    def told(days):
        changes = preview.of(scene.online, days, now=NOW).changes
        return next((change.before, change.after, change.kind) for change in changes if change.other == third and change.title[0] == "O")

    assert told(1) == (30, 30, "stays")
    assert told(9) == (30, 20, "stays")
