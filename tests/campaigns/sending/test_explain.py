"""What the customer's page tells of one person's messages."""

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.campaigns.models import ChannelWeight, ContactPolicy, Delivery
from apps.campaigns.sending import explain
from apps.consent.models import Purpose
from tests.campaigns.sending.test_agreements import agreement
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, make_message, make_people, send_all

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_message_is_told_with_its_reason_and_rule(provider):
    ContactPolicy.objects.create(name="One a week", limit=1, hours=168, created_at=NOW)
    people = make_people(1)
    make_message(people)
    send_all()
    make_message(people)
    send_all(NOW + timedelta(hours=1))
    told = explain.of_customer(people.min())
    assert [(each.was_contacted, each.rule) for each in told] == [(False, "One a week"), (True, "")]
    assert told[0].words == "has had as many messages as the contact policy allows"
    assert explain.pressure(people.min(), now=NOW + timedelta(hours=2)).contacts == 1


def test_an_agreement_names_the_campaign_the_person_was_left_to(provider, client):
    people = make_people(1)
    keeping = make_message(people, send_at=NOW + timedelta(days=2))
    yielding = make_message(people)
    agreement(yielding, keeping)
    send_all()
    assert explain.of_customer(people.min())[0].rule == str(keeping.campaign)
    row = Delivery.objects.get()
    client.force_login(UserFactory())
    page = client.get(reverse("campaigns:delivery", args=[row.run_id, row.customer_id])).content.decode()
    assert str(keeping.campaign) in page


def test_upcoming_contacts_are_those_still_to_come(provider):
    people = make_people(1)
    make_message(people)
    later = make_message(people, send_at=NOW + timedelta(days=3))
    draft = make_message(people, send_at=NOW + timedelta(days=1), status="draft")
    send_all()
    found = explain.upcoming(people.min(), now=NOW)
    assert [(each.message, each.is_agreed) for each in found] == [(draft, False), (later, True)]


def test_pressure_weighs_contacts_as_the_policy_does(provider, client):
    """An e-mail that counts twice and one to come: four of five; a service message does not count."""
    service = Purpose.objects.create(code="delivery", name="Delivery", purpose_class="service", needs_consent=False)
    policy = ContactPolicy.objects.create(name="Five a week", limit=5, hours=168, created_at=NOW)
    ContactPolicy.objects.create(name="Texts", limit=1, hours=168, channels=["sms"], created_at=NOW)
    ChannelWeight.objects.create(policy=policy, channel="email", weight=2)
    people = make_people(1)
    make_message(people)
    make_message(people, purpose=service)
    send_all()
    make_message(people, send_at=NOW + timedelta(days=2))
    found = explain.pressure(people.min(), now=NOW + timedelta(hours=1))
    assert (found.contacts, found.limit, found.weights) == (4, 5, (("E-mail", 2),))
    client.force_login(UserFactory(language="en"))
    assert "counts as 2" in client.get(reverse("customers:customer", args=[people.min()])).content.decode()
