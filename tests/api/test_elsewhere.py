"""Other tools by API: contacts told once, permissions asked, confirmed and given back, each by an action of its own."""

from datetime import timedelta

import pytest

from apps.accounts import api_tokens
from apps.campaigns.models import CatchAll, Chunk, Delivery
from apps.core import clock
from tests.factories.accounts import UserFactory
from tests.factories.sending import NOW, make_message, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    for module in ("apps.campaigns.api_elsewhere.now", "apps.accounts.api_access.now"):
        monkeypatch.setattr(module, lambda: NOW)


@pytest.fixture
def theirs():
    return make_message(make_people(0), kind="elsewhere", send_at=NOW + timedelta(days=9))


@pytest.fixture
def call(client, theirs):
    def called(method, path, data=None, *, actions=("contacts.write", "permissions.write"), **headers):
        maker = UserFactory(role="administrator")
        token = api_tokens.issue(name="x", actions=list(actions), department=theirs.campaign.department, by=maker, now=NOW)[1]
        sent = {"authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(client, method)(f"/api/v1/{path}", data or {}, "application/json", headers=sent)

    return called


def test_contacts_are_told_by_any_name_once_and_bad_ones_are_refused_in_words(call, theirs):
    people = list(make_people(2))
    items = [
        {"id": "1", "person": {"id": people[0]}, "at": NOW.isoformat(), "message": theirs.pk},
        {"id": "2", "person": {"email": f"PERSON{people[1]}@example.no"}, "at": NOW.isoformat(), "channel": "email",
         "purpose": theirs.purpose.code},
        {"id": "3", "person": {"email": "nobody@example.no"}, "at": NOW.isoformat(), "message": theirs.pk},
        {"id": "4", "person": {"email": "a@example.no", "id": 1}, "at": NOW.isoformat(), "message": theirs.pk},
    ]  # fmt: skip
    first, again = (call("post", "contacts/", {"contacts": items}).json()["results"] for _ in range(2))
    assert [row["outcome"] for row in first] == ["recorded", "recorded", "refused", "refused"]
    assert first[2]["problem"] and "exactly one" in first[3]["problem"]
    assert [row["outcome"] for row in again] == ["known", "known", "refused", "refused"]
    assert set(Delivery.objects.values_list("customer_id", "message_id")) == {
        (people[0], theirs.pk), (people[1], CatchAll.objects.get().message_id)
    }  # fmt: skip


def test_a_question_is_answered_person_by_person_and_the_place_confirmed_or_given_back(call, theirs):
    people = list(make_people(2))
    asked = {"people": [{"id": pk} for pk in people] + [{"id": people[0]}, {"id": 999999}], "message": theirs.pk}
    answer = call("post", "permissions/", asked)
    assert answer.status_code == 200, answer.json()
    rows = answer.json()["results"]
    assert [(row["answer"], row["reason"]) for row in rows] == [
        ("allowed", ""), ("allowed", ""), ("refused", "same_person"), ("refused", "unknown_person"),
    ]  # fmt: skip
    told = {"id": "c", "person": {"id": people[0]}, "at": NOW.isoformat(), "message": theirs.pk,
            "permission": rows[0]["permission"]}  # fmt: skip
    assert call("post", "contacts/", {"contacts": [told]}).json()["results"][0]["outcome"] == "recorded"
    assert [call("delete", f"permissions/{rows[1]['permission']}/").status_code for _ in range(2)] == [204, 204]
    assert call("delete", "permissions/nonsense/").status_code == 404
    assert not Chunk.objects.exists()
    assert list(Delivery.objects.values_list("customer_id", flat=True)) == [people[0]]


def test_each_action_needs_its_own_scope_and_a_department(call, theirs):
    asked = {"people": [{"id": 1}], "message": theirs.pk}
    refused = call("post", "permissions/", asked, actions=["contacts.write"])
    assert (refused.status_code, refused["content-type"]) == (403, "application/problem+json")
    assert call("post", "contacts/", {"contacts": []}, actions=["permissions.write"]).status_code == 403


def test_what_cannot_be_asked_is_said_in_words(call, theirs):
    late = {"people": [{"id": 1}], "message": theirs.pk, "at": (NOW + timedelta(hours=1)).isoformat()}
    assert "longer hold_seconds" in str(call("post", "permissions/", late).json()["errors"])
    foreign = make_message(make_people(1), kind="elsewhere")
    other = call("post", "permissions/", {"people": [{"id": 1}], "message": foreign.pk})
    assert other.status_code == 400
    assert "no such message" in str(other.json()["errors"])
    theirs.campaign.status = "draft"
    theirs.campaign.save()
    draft = call("post", "permissions/", {"people": [{"id": 1}], "message": theirs.pk})
    assert draft.status_code == 409
    assert "approved" in draft.json()["detail"]
