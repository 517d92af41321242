"""News by e-mail: each person's choice, one mail a day at their hour, in their language, once."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.accounts import mailing, notifications
from apps.accounts.models import Notification, NotificationChoice
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
# noon in Greenwich, 13:00 in Oslo
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def tell(user, code="conflict.found", text="Something", now=NOON - 12 * HOUR, url="/conflicts/1/"):
    return notifications.notify(user=user, code=code, text=text, url=url, now=now)


def test_one_mail_a_day_at_the_readers_hour_however_often_it_is_asked(mailoutbox):
    user = UserFactory(time_zone="Europe/Oslo")
    tell(user, text="In the evening", now=NOON - 14 * HOUR)
    tell(user, code="approval.asked", text="At night", now=NOON - 10 * HOUR, url="/a/")
    assert mailing.mail_news(now=datetime(2026, 11, 18, 5, 59, tzinfo=UTC)) == 0
    assert mailing.mail_news(now=datetime(2026, 11, 18, 6, 0, tzinfo=UTC)) == 1
    tell(user, text="In the morning", now=NOON - 3 * HOUR, url="/b/")
    assert [mailing.mail_news(now=NOON + HOUR * hour) for hour in (0, 1, 8)] == [0, 0, 0]
    assert mailing.mail_news(now=NOON + DAY) == 1
    first, second = mailoutbox
    assert "In the evening" in first.body and "At night" in first.body and "In the morning" not in first.body
    assert "In the morning" in second.body and "In the evening" not in second.body
    assert first.to == [user.email]


def test_the_hour_is_that_of_the_readers_own_zone(mailoutbox):
    user = UserFactory(time_zone="America/New_York")
    tell(user, now=NOON - 12 * HOUR)
    assert mailing.mail_news(now=NOON - timedelta(minutes=1)) == 0  # 06:59 there
    assert mailing.mail_news(now=NOON) == 1


def test_what_was_read_in_the_app_is_not_mailed_and_old_news_neither(mailoutbox):
    user = UserFactory()
    tell(user)
    notifications.mark_read(user=user, now=NOON - 11 * HOUR)
    tell(user, text="old", now=NOON - 4 * DAY, url="/old/")
    assert mailing.mail_news(now=NOON) == 0


def test_at_once_means_with_the_next_tick_and_none_means_never(mailoutbox):
    user = UserFactory()
    notifications.choose(user=user, kind="found", in_app=True, by_email="at_once")
    notifications.choose(user=user, kind="comment", in_app=True, by_email="none")
    tell(user, now=NOON)
    tell(user, code="conflict.comment", now=NOON, url="/c/")
    assert [mailing.mail_news(now=NOON + n * HOUR) for n in range(30)] == [1] + 29 * [0]
    assert mailoutbox[0].subject == "Something"


def test_a_kind_can_be_wanted_by_mail_only_or_not_at_all(mailoutbox):
    user = UserFactory()
    notifications.choose(user=user, kind="found", in_app=False, by_email="daily")
    notifications.choose(user=user, kind="comment", in_app=False, by_email="none")
    tell(user)
    assert tell(user, code="conflict.comment") is None
    assert notifications.unread(user).count() == 0
    assert mailing.mail_news(now=NOON) == 1
    assert Notification.objects.count() == 1


def test_line_and_mail_are_in_the_readers_language_with_links(mailoutbox, settings):
    settings.PUBLIC_URL = "https://concord.example"
    user = UserFactory(language="nb", name="Kari Nordmann")
    tell(user, text="New campaign", url="/conflicts/7/")
    mailing.mail_news(now=NOON)
    mail = mailoutbox[0]
    assert "Ny kampanje" in mail.body
    assert "https://concord.example/conflicts/7/" in mail.body
    assert "https://concord.example/conflicts/7/" in mail.alternatives[0][0]
    assert 'lang="nb"' in mail.alternatives[0][0]


def test_a_relay_that_is_down_keeps_the_news_for_the_next_tick(monkeypatch, mailoutbox):
    user = UserFactory()
    tell(user)

    def refuse(self, fail_silently=False):
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", refuse)
        assert mailing.mail_news(now=NOON) == 0
    assert Notification.objects.get().mailed_at is None
    assert mailing.mail_news(now=NOON) == 1


def test_a_blocked_colleague_gets_none():
    user = UserFactory(is_active=False)
    tell(user)
    assert mailing.mail_news(now=NOON) == 0


def test_the_choices_are_kept_by_the_page(client):
    user = UserFactory()
    client.force_login(user)
    assert client.get("/notifications/choices/").status_code == 200
    client.post("/notifications/choices/", {"found-app": "on", "found-mail": "at_once", "comment-mail": "none", "other-mail": "x"})
    kept = {row.code: (row.in_app, row.by_email) for row in NotificationChoice.objects.filter(user=user)}
    assert kept == {"found": (True, "at_once"), "comment": (False, "none")}
    assert notifications.kind_of("deputy.named") == "other"
