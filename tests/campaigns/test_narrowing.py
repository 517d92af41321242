"""The further rule of a message's audience, edited with the tree of the segments."""

import pytest
from django.urls import reverse

from apps.accounts.models import AuditEvent
from apps.campaigns.models import Message
from apps.core import clock
from tests.factories import campaigns as make
from tests.factories.accounts import UserFactory
from tests.factories.customers import SegmentFactory, person

pytestmark = pytest.mark.django_db
IN_POLAND = {"n-group": "all", "n0-is": "attribute", "n0-field": "country", "n0-op": "is", "n0-value": "PL"}


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: make.NOW)


@pytest.fixture
def message():
    for country in ("NO", "NO", "PL"):
        person(country=country)
    return make.MessageFactory(include=[SegmentFactory(rule={"is": "everyone"})])


@pytest.fixture
def browser(client, message):
    client.force_login(message.campaign.owner)
    return client


def there(message):
    return reverse("campaigns:message-rule", args=[message.campaign_id, message.pk])


def test_the_people_left_are_counted_while_the_rule_changes(browser, message):
    answer = browser.post(there(message), IN_POLAND | {"do": "count", "version": 1}, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert '<strong id="count">1 people</strong>' in page
    assert "<html" not in page
    assert Message.objects.get().audience_rule == {}


def test_a_saved_rule_narrows_the_audience_and_is_audited(browser, message):
    browser.post(there(message), IN_POLAND | {"do": "save", "version": message.version})
    saved = Message.objects.get()
    assert saved.plan_count == 1
    assert AuditEvent.objects.filter(action="message.changed").exists()
    page = browser.get(reverse("campaigns:audience", args=[message.campaign_id])).content.decode()
    assert "Change the rule" in page


def test_the_rule_can_be_taken_away_again(browser, message):
    browser.post(there(message), IN_POLAND | {"do": "save", "version": message.version})
    message.refresh_from_db()
    browser.post(there(message), {"do": "clear", "version": message.version})
    assert Message.objects.get().audience_rule == {}
    assert Message.objects.get().plan_count == 3


def test_a_rule_that_cannot_be_counted_is_not_saved_and_said_in_words(browser, message):
    answer = browser.post(there(message), IN_POLAND | {"n0-value": "", "do": "save", "version": message.version})
    assert answer.status_code == 409
    assert "compared with" in answer.content.decode()
    assert Message.objects.get().audience_rule == {}


def test_somebody_elses_change_is_not_overwritten(browser, message):
    Message.objects.filter(pk=message.pk).update(name="Theirs", version=message.version + 1)
    answer = browser.post(there(message), IN_POLAND | {"do": "save", "version": message.version})
    assert "Somebody changed this" in answer.content.decode()
    assert Message.objects.get().audience_rule == {}


def test_other_departments_cannot_narrow_it(client, message):
    client.force_login(UserFactory())
    assert client.post(there(message), IN_POLAND | {"do": "save", "version": message.version}).status_code == 403
