from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from apps.accounts import notifications
from apps.accounts.models import Notification
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_the_same_waiting_line_is_brought_up_to_date_not_repeated():
    user = UserFactory()
    notifications.notify(user=user, code="approval", text="one campaign waits", url="/c/1/", now=NOW)
    later = NOW + timedelta(hours=1)
    notifications.notify(user=user, code="approval", text="it was changed", url="/c/1/", now=later)
    line = Notification.objects.get()
    assert (line.text, line.created_at) == ("it was changed", later)


def test_a_read_line_stays_and_the_next_one_is_new():
    user = UserFactory()
    notifications.notify(user=user, code="approval", text="first", now=NOW)
    assert notifications.mark_read(user=user, now=NOW) == 1
    notifications.notify(user=user, code="approval", text="second", now=NOW)
    assert Notification.objects.count() == 2
    assert notifications.unread(user).count() == 1


def test_leads_of_the_departments_are_told_and_nobody_else():
    lead = UserFactory(role="lead")
    UserFactory(role="marketer", department=lead.department)
    UserFactory(role="lead")
    notifications.notify_leads(departments=[lead.department_id], code="conflict", text="x" * 500, now=NOW)
    line = Notification.objects.get()
    assert line.user == lead
    assert len(line.text) == 300


def test_nobody_marks_the_lines_of_another(client):
    line = notifications.notify(user=UserFactory(), code="a", text="b", now=NOW)
    client.force_login(UserFactory())
    client.post("/notifications/", {"id": line.pk})
    line.refresh_from_db()
    assert line.read_at is None


def test_the_page_shows_lines_and_marks_them_read(client):
    user = UserFactory()
    line = notifications.notify(user=user, code="a", text="Summer sale waits", url="/campaigns/1/", now=NOW)
    client.force_login(user)
    assert "Summer sale waits" in client.get("/notifications/").content.decode()
    assert client.post("/notifications/", {"id": [line.pk, "rubbish"]}).status_code == 302
    line.refresh_from_db()
    assert line.read_at is not None


def test_a_line_is_said_in_the_readers_language_with_its_numbers_and_names():
    line = notifications.notify(
        user=UserFactory(), code="conflict.found", text="Conflict found: %(campaigns)s (%(people)s people)",
        params={"campaigns": ["Black Week", "Winter"], "people": 12345}, now=NOW,
    )  # fmt: skip
    line.refresh_from_db()
    with translation.override("nb"):
        assert line.words == "Konflikt funnet: Black Week og Winter (12\xa0345 personer)"
    with translation.override("en"):
        assert line.words == "Conflict found: Black Week and Winter (12,345 people)"


@pytest.mark.parametrize(("language", "words"), [("en", "Mark as read"), ("nb", "Merk som lest"), ("pl", "Oznacz jako przeczytane")])
def test_the_button_of_a_line_says_what_it_does_in_every_language(client, language, words):
    user = UserFactory(language=language)
    notifications.notify(user=user, code="approval", text="Summer sale waits", now=NOW)
    client.force_login(user)
    assert f">{words}</button>" in client.get("/notifications/").content.decode()
