"""Programs make and change programmes with an action of their own, and read the plan programme by programme."""

from datetime import timedelta

import pytest

from apps.accounts import api_tokens
from apps.accounts.models import AuditEvent, Notification
from apps.campaigns.models import Campaign, Conflict, Programme
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import NOW, CampaignFactory, ProgrammeFactory
from tests.factories.campaigns import OfferFactory as Offers

pytestmark = pytest.mark.django_db
FIRST = NOW.date() + timedelta(days=20)
BODY = {
    "name": "Black Week", "key_message": "Warm and dry", "starts_on": str(FIRST), "ends_on": str(FIRST + timedelta(days=6)),
    "budget": "50000.00", "currency": "NOK",
}


@pytest.fixture
def token():
    ours, maker = DepartmentFactory(slug="online"), UserFactory(role="administrator")

    def issued(*actions):
        return api_tokens.issue(name="planner", actions=["campaigns.read", *actions], department=ours, by=maker, now=NOW)[1]

    return issued


@pytest.fixture
def call(client, token):
    usual = token("programmes.write")

    def called(method, path, data=None, *, secret=usual, **headers):
        headers = {"authorization": f"Bearer {secret}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(client, method)(f"/api/v1/{path}", data or {}, "application/json", headers=headers)

    def read(path):
        return client.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {usual}"}).json()["results"]

    called.read = read
    return called


def test_a_programme_is_made_and_changed_with_its_own_action_and_written_down(call):
    offer = Offers()
    made = call("post", "programmes/", BODY | {"offer": offer.pk})
    assert made.status_code == 201, made.json()
    stored = Programme.objects.get()
    assert (stored.name, stored.offer, stored.currency, int(stored.budget)) == ("Black Week", offer, "NOK", 50000)
    changed = call("patch", f"programmes/{stored.pk}/", {"key_message": "Dry", "version": 1})
    assert (changed.status_code, changed.json()["version"], changed["ETag"]) == (200, 2, '"2"')
    lines = {line.action: line for line in AuditEvent.objects.filter(action__startswith="programme.")}
    assert (lines["programme.changed"].before, lines["programme.changed"].after["key_message"]) == ({"key_message": "Warm and dry"}, "Dry")
    assert all("api_token" in line.after for line in lines.values())


@pytest.mark.parametrize(("changes", "field"), [
    ({"name": "  "}, "name"), ({"ends_on": str(FIRST - timedelta(days=1))}, "ends_on"), ({"currency": "XXQ"}, "currency"),
    ({"starts_on": "0026-11-01"}, "starts_on"), ({"offer": 999999}, "offer"),
])
def test_what_its_form_refuses_is_refused_field_by_field(call, changes, field):
    answer = call("post", "programmes/", BODY | changes)
    assert (answer.status_code, Programme.objects.count()) == (400, 0)
    assert field in str(answer.json())


def test_drafting_campaigns_alone_makes_no_programmes(call, token):
    assert call("post", "programmes/", BODY, secret=token("campaigns.write")).status_code == 403
    assert call("patch", f"programmes/{ProgrammeFactory().pk}/", {"name": "x", "version": 1}, secret=token()).status_code == 403


def test_nobody_overwrites_a_programme_they_have_not_seen(call):
    current = ProgrammeFactory(name="Seen", version=3)
    assert call("patch", f"programmes/{current.pk}/", {"name": "Mine", "version": 2}).status_code == 409
    assert call("patch", f"programmes/{current.pk}/", {"name": "Mine"}, if_match='"2"').status_code == 412
    assert Programme.objects.get().name == "Seen"


def test_a_change_that_reaches_into_campaigns_is_made_only_when_that_is_known(call):
    current = ProgrammeFactory(starts_on=FIRST, ends_on=FIRST + timedelta(days=6))
    theirs = CampaignFactory(programme=current, takes_dates=True, starts_on=FIRST, ends_on=FIRST + timedelta(days=6))
    lead = UserFactory(role="lead", department=theirs.department)
    later = {"ends_on": str(FIRST + timedelta(days=9)), "version": 1}
    asked = call("patch", f"programmes/{current.pk}/", later)
    assert (asked.status_code, asked.json()["campaigns"]) == (409, [theirs.pk])
    assert Campaign.objects.get().ends_on == theirs.ends_on
    assert call("patch", f"programmes/{current.pk}/", later | {"confirmed": True}).status_code == 200
    assert Campaign.objects.get().ends_on == FIRST + timedelta(days=9)
    assert Notification.objects.filter(user=lead, code="programme.changed").exists()


def test_campaigns_and_conflicts_are_read_by_programme(call):
    umbrella = ProgrammeFactory()
    inside, outside, third = CampaignFactory(programme=umbrella), CampaignFactory(), CampaignFactory(programme=ProgrammeFactory())
    shared = {"severity": 2, "facts": {}, "digest": "x", "found_at": NOW, "updated_at": NOW}
    wanted = Conflict.objects.create(rule="overlap", identity="a", first_campaign=outside, second_campaign=inside, **shared)
    Conflict.objects.create(rule="overlap", identity="b", first_campaign=outside, second_campaign=third, **shared)
    assert [row["id"] for row in call.read(f"campaigns/?programme={umbrella.pk}")] == [inside.pk]
    assert [row["id"] for row in call.read(f"conflicts/?programme={umbrella.pk}")] == [wanted.pk]
