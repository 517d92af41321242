"""Who lost which people to whom, and why: in sums on the campaign's report, and person by person."""

from datetime import timedelta

import pytest
from django.urls import reverse
from pyroaring import BitMap

from apps.accounts.models import ApiToken
from apps.campaigns.elsewhere import permissions
from apps.campaigns.models import ContactPolicy, RefusedPermission
from apps.campaigns.sending import explain, plan, work
from apps.customers.models import Customer
from apps.reporting import losses
from tests.campaigns.sending.test_agreements import agreement
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, FakeAdapter, agree, make_message, make_people, plain_drafts, send_all

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def provider(monkeypatch) -> FakeAdapter:
    adapter = FakeAdapter()
    monkeypatch.setattr("apps.channels.registry.adapter_for", lambda account: adapter)
    monkeypatch.setattr(work.writing, "prepare", plain_drafts)
    monkeypatch.setattr(plan.audiences, "compute", lambda message, *, now: type(message).objects.get(pk=message.pk).plan_audience)
    return adapter


def ask(people, *, at=NOW, token=None):
    theirs = make_message(BitMap(), kind="elsewhere", send_at=NOW + timedelta(days=20))
    return theirs, permissions.ask(message=theirs, people=BitMap(people), at=at, until=at + HOUR, now=NOW, token=token)


def test_a_refused_permission_is_kept_with_who_asked_whom_what_when_and_why():
    policy = ContactPolicy.objects.create(name="One a week", limit=1, hours=168, created_at=NOW)
    people = list(make_people(3))
    make_message(BitMap(people[:1]))
    send_all()
    agree(BitMap(people[1:2]), granted=False)
    token = ApiToken.objects.create(name="Their tool", prefix="x", digest="d", created_at=NOW)
    theirs, _answers = ask(people, at=NOW + HOUR, token=token)
    rows = {row.customer_id: row for row in RefusedPermission.objects.all()}
    assert {pk: (row.reason, row.rule) for pk, row in rows.items()} == {
        people[0]: ("over_limit", f"policy.{policy.pk}"), people[1]: ("withdrawn", "consent"),
    }  # fmt: skip
    one = rows[people[0]]
    assert (one.department, one.token, one.message, one.channel, one.purpose) == (
        theirs.campaign.department, token, theirs, "email", theirs.purpose,
    )  # fmt: skip
    assert (one.at, one.asked_at, one.until) == (NOW + HOUR, NOW, None)


def test_the_persons_page_tells_it_under_all_their_ids(client):
    first, second = make_people(2)
    agree(BitMap([second]), granted=False)
    ask([second])
    Customer.objects.filter(pk=second).update(merged_into=first)
    assert [each.words for each in explain.asked_elsewhere(first)] == ["said no to this kind of message on this channel"]
    client.force_login(UserFactory(language="en"))
    page = client.get(reverse("customers:customer", args=[first])).content.decode()
    assert "Another tool asked and may not:" in page


def test_the_report_says_who_lost_people_to_whom_and_opens_to_each_person(client):
    people = make_people(6)
    shared = BitMap(list(people)[:2])
    keeping = make_message(shared, send_at=NOW + timedelta(days=2))
    yielding = make_message(people)
    agreement(yielding, keeping)
    send_all()
    found = losses.of_campaign(yielding.campaign_id)
    assert [(each.behind, each.people, each.is_agreement) for each in found] == [(str(keeping.campaign), 2, True)]
    client.force_login(UserFactory(language="en"))
    report = client.get(reverse("reporting:campaign", args=[yielding.campaign_id])).content.decode()
    assert "Lost to whom, and why" in report
    assert keeping.campaign.name in report
    behind = client.get(found[0].url)
    assert behind.context["count"] == 2
    assert behind.content.decode().count(f"({keeping.campaign})") == 2


def test_what_another_tool_was_told_stands_in_the_report_too(client):
    people = make_people(3)
    agree(BitMap(list(people)[:2]), granted=False)
    theirs, _answers = ask(people)
    found = losses.of_campaign(theirs.campaign_id)
    assert [(each.words, each.people) for each in found] == [("said no to this kind of message on this channel", 2)]
    client.force_login(UserFactory(language="en"))
    assert "Lost to whom, and why" in client.get(reverse("reporting:campaign", args=[theirs.campaign_id])).content.decode()
    page = client.get(found[0].url)
    assert (len(page.context["shown"]), page.status_code) == (2, 200)
    assert "Said no to this kind of message on this channel" in page.content.decode()
