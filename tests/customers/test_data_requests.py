"""A person asks what is held of them, and a colleague who handles personal data answers."""

import pytest
from django.core import mail
from django.urls import reverse

from apps.accounts.models import AuditEvent, Notification
from apps.consent import links
from apps.core import clock
from apps.customers.models import DataRequest
from tests.factories.accounts import UserFactory
from tests.factories.customers import person

pytestmark = pytest.mark.django_db


def page_of(customer):
    return "/p/" + links.preference_url(customer.pk).split("/p/")[1]


@pytest.fixture
def privacy():
    return UserFactory(handles_personal_data=True)


def test_asking_on_the_preference_page_makes_one_request_and_says_until_when(
    client, privacy, django_capture_on_commit_callbacks
):
    customer = person(email="kari@example.no", language="en")
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(page_of(customer) + "data/")
        client.post(page_of(customer) + "data/")
    asked = DataRequest.objects.get()
    assert "We received your question" in answer.content.decode()
    assert asked.due_on > clock.company_day(clock.now())
    assert [m.to for m in mail.outbox] == [["kari@example.no"]]
    assert AuditEvent.objects.filter(action="customer.access_asked").count() == 1
    assert Notification.objects.get().user == privacy


def test_opening_the_page_asks_nothing(client):
    customer = person()
    client.get(page_of(customer) + "data/")
    client.head(page_of(customer) + "data/")
    assert not DataRequest.objects.exists()


def test_the_request_is_answered_once_from_the_list_by_the_privacy_role(client, privacy):
    customer = person(name="Kari Hansen")
    client.post(page_of(customer) + "data/")
    asked = DataRequest.objects.get()
    client.force_login(privacy)
    listed = client.get(reverse("customers:data_requests")).content.decode()
    assert reverse("customers:export", args=[customer.pk]) in listed
    for note in ("by letter", "again"):
        client.post(reverse("customers:data_request_answer", args=[asked.pk]), {"note": note})
    asked.refresh_from_db()
    assert (asked.answered_by, asked.note) == (privacy, "by letter")
    assert AuditEvent.objects.filter(action="customer.access_answered").count() == 1


def test_others_neither_see_nor_answer_requests(client):
    client.post(page_of(person()) + "data/")
    client.force_login(UserFactory())
    assert client.get(reverse("customers:data_requests")).status_code == 403
    assert client.post(reverse("customers:data_request_answer", args=[DataRequest.objects.get().pk])).status_code == 403
    assert DataRequest.objects.filter(answered_at=None).exists()
