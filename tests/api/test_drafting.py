"""Programs draft plans: for their own department, drafts only, nothing twice, nobody's change lost."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.accounts import api_tokens
from apps.accounts.models import ApiAnswer, ApiToken, AuditEvent
from apps.campaigns.models import Campaign, ContentVersion, Message, Offer
from apps.customers.models import Segment
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import (
    CampaignFactory,
    MailAccountFactory,
    MessageFactory,
    OfferFactory,
    OffersPurposeFactory,
)
from tests.factories.customers import CustomerFactory

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
FIRST = NOW.date() + timedelta(days=10)
CAMPAIGN = {"name": "Spring", "starts_on": str(FIRST), "ends_on": str(FIRST + timedelta(days=20))}
EVERYBODY = {"is": "everyone"}


@pytest.fixture
def maker():
    return UserFactory(role="administrator", department=DepartmentFactory(slug="service"))


@pytest.fixture
def ours():
    return DepartmentFactory(slug="online")


@pytest.fixture
def call(client, maker, ours):
    secret = api_tokens.issue(name="planner", actions=["campaigns.write", "campaigns.read", "segments.write", "segments.read"],
                              department=ours, by=maker, now=NOW)[1]  # fmt: skip

    def called(method, path, data=None, *, secret=secret, **headers):
        headers = {"authorization": f"Bearer {secret}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(client, method)(f"/api/v1/{path}", data or {}, "application/json", headers=headers)

    return called


def test_a_whole_plan_is_drafted_and_waits_for_people(call, maker, ours):
    CustomerFactory()
    MailAccountFactory()
    OffersPurposeFactory()
    campaign = call("post", "campaigns/", CAMPAIGN).json()
    segment = call("post", "segments/", {"name": "All", "rule": EVERYBODY}).json()
    offer = call("post", "offers/", {
        "name": "Boots", "kind": "price", "first_day": str(FIRST), "last_day": str(FIRST),
        "prices": [{"country": "NO", "amount": "999", "currency": "NOK"}],
    }).json()  # fmt: skip
    made = call("post", "messages/", {
        "campaign": campaign["id"], "name": "Mail", "channel": "email", "purpose": "offers", "offer": offer["id"],
        "include": [segment["id"]], "send_at": f"{FIRST}T09:00:00Z", "needs_fields": True,
    })  # fmt: skip
    message = made.json()
    words = call("post", "contents/", {
        "message": message["id"], "language": "nb", "subject": "Hei", "blocks": [{"kind": "text", "text": "Hei"}],
    })  # fmt: skip

    assert (made.status_code, words.status_code) == (201, 201), (message, words.json())
    stored = Message.objects.get()
    assert (stored.plan_count, stored.needs_fields, stored.offer.prices.get().country) == (1, True, "NO")
    assert ContentVersion.objects.get().blocks[0]["text"] == "Hei"
    assert ContentVersion.objects.get().is_fallback
    campaign = Campaign.objects.get()
    assert (campaign.status, campaign.department, campaign.owner) == ("draft", ours, maker)
    line = AuditEvent.objects.get(action="campaign.created")
    assert line.actor == maker and line.after["api_token"] == ApiToken.objects.get().pk


def test_a_draft_is_changed_by_whoever_knows_its_state(call):
    made = call("post", "campaigns/", CAMPAIGN)
    path, version = f"campaigns/{made.json()['id']}/", made.json()["version"]

    assert call("patch", path, {"name": "Summer"}).status_code == 428
    assert call("patch", path, {"name": "Summer", "version": version}).json()["name"] == "Summer"
    late = call("patch", path, {"name": "Autumn", "version": version})
    assert (late.status_code, late.json()["version"]) == (409, version + 1)
    assert late["content-type"].startswith("application/problem+json")
    assert call("patch", path, {"name": "Autumn"}, If_Match=made["etag"]).status_code == 412
    assert Campaign.objects.get().name == "Summer"
    fresh = call("get", path)["etag"]
    assert call("patch", path, {"name": "Autumn"}, If_Match=fresh).status_code == 200


@pytest.mark.parametrize("kind", ["segments", "offers", "contents", "messages"])
def test_nobody_overwrites_what_they_have_not_seen(call, ours, kind):
    offer = OfferFactory(department=ours)
    message = MessageFactory(campaign=CampaignFactory(department=ours, starts_on=FIRST, ends_on=FIRST + timedelta(days=9)),
                             send_at=datetime.combine(FIRST, NOW.timetz()))  # fmt: skip
    words = message.versions.create(language="nb", subject="A", updated_at=NOW)
    segment = Segment.objects.create(name="S", rule=EVERYBODY, department=ours, created_at=NOW)
    pk, change, counter = {
        "segments": (segment.pk, {"name": "new"}, "version"), "offers": (offer.pk, {"name": "new"}, "version"),
        "contents": (words.pk, {"subject": "new"}, "revision"), "messages": (message.pk, {"name": "new"}, "version"),
    }[kind]  # fmt: skip
    path = f"{kind}/{pk}/"
    assert call("patch", path, change | {counter: 7}).status_code == 409
    first = call("patch", path, change | {counter: 1})
    assert (first.status_code, first.json()[counter]) == (200, 2)
    assert call("patch", path, {next(iter(change)): "newer", counter: 1}).status_code == 409
    assert "new" in call("get", path).json().values()


def test_the_same_key_makes_one_campaign_and_gives_one_answer(call):
    first, second = (call("post", "campaigns/", CAMPAIGN, Idempotency_Key="k1") for _ in range(2))
    Campaign.objects.update(created_at=NOW - timedelta(days=1))
    third = call("post", "campaigns/", CAMPAIGN, Idempotency_Key="k1")

    assert first.json() == second.json() == third.json()
    assert (first.status_code, third.status_code, third["idempotent-replayed"]) == (201, 201, "true")
    assert Campaign.objects.count() == 1
    assert call("post", "campaigns/", CAMPAIGN | {"name": "Else"}, Idempotency_Key="k1").status_code == 422
    assert call("post", "campaigns/", CAMPAIGN, Idempotency_Key="k2").status_code == 201
    assert Campaign.objects.count() == 2


def test_a_refusal_is_not_remembered_and_leaves_nothing(call):
    bad = call("post", "campaigns/", CAMPAIGN | {"ends_on": "2026-01-01"}, Idempotency_Key="k1")
    assert bad.status_code == 400 and "ends_on" in bad.json()["errors"]
    assert not ApiAnswer.objects.exists() and not Campaign.objects.exists()
    assert call("post", "campaigns/", CAMPAIGN, Idempotency_Key="k1").status_code == 201


def test_keys_of_two_programs_have_nothing_to_do_with_each_other(call, ours, maker):
    other = api_tokens.issue(name="b", actions=["campaigns.write"], department=ours, by=maker, now=NOW)[1]
    call("post", "campaigns/", CAMPAIGN, Idempotency_Key="k")
    call("post", "campaigns/", CAMPAIGN | {"name": "B"}, Idempotency_Key="k", secret=other)
    assert set(Campaign.objects.values_list("name", flat=True)) == {"Spring", "B"}


def test_another_departments_plan_cannot_be_touched(call):
    theirs, offer = CampaignFactory(), OfferFactory()
    message = MessageFactory()
    words = message.versions.create(language="nb", updated_at=NOW)
    segment = Segment.objects.create(name="S", rule=EVERYBODY, department=theirs.department, created_at=NOW)
    common = Segment.objects.create(name="C", rule=EVERYBODY, created_at=NOW)
    new = {"campaign": theirs.pk, "name": "M", "channel": "sms", "purpose": "offers", "send_at": f"{FIRST}T09:00:00Z"}
    answers = [
        call("patch", f"campaigns/{theirs.pk}/", {"name": "x", "version": 1}),
        call("patch", f"messages/{message.pk}/", {"name": "x", "version": 1}),
        call("patch", f"contents/{words.pk}/", {"subject": "x", "revision": 1}),
        call("patch", f"offers/{offer.pk}/", {"name": "x", "version": 1}),
        call("patch", f"segments/{segment.pk}/", {"name": "x", "version": 1}),
        call("patch", f"segments/{common.pk}/", {"name": "x", "version": 1}),
        call("post", "messages/", new),
        call("post", "contents/", {"message": message.pk, "language": "pl"}),
    ]
    assert [answer.status_code for answer in answers] == [403] * 8
    assert all("department" in answer.json()["detail"] or "role" in answer.json()["detail"] for answer in answers)


@pytest.mark.parametrize("status", ["in_review", "approved", "scheduled", "live", "done"])
def test_what_people_decide_about_no_program_changes(call, ours, status):
    campaign = CampaignFactory(department=ours, status=status)
    message = MessageFactory(campaign=campaign, offer=OfferFactory(department=ours))
    answers = [
        call("patch", f"campaigns/{campaign.pk}/", {"name": "x", "version": 1}),
        call("patch", f"messages/{message.pk}/", {"name": "x", "version": 1}),
    ]
    assert [(answer.status_code, answer.json()["campaign_status"]) for answer in answers] == [(409, status)] * 2
    if status != "done":
        assert call("patch", f"offers/{message.offer_id}/", {"name": "x", "version": 1}).status_code == 409


def test_without_a_department_or_the_action_or_the_colleague_nothing_is_drafted(call, client, maker, ours):
    everywhere = api_tokens.issue(name="a", actions=["campaigns.write"], department=None, by=maker, now=NOW)[1]
    reader = api_tokens.issue(name="b", actions=["campaigns.read"], department=ours, by=maker, now=NOW)[1]
    refused = call("post", "campaigns/", CAMPAIGN, secret=everywhere)
    assert refused.status_code == 403 and "department" in refused.json()["detail"]
    assert call("post", "campaigns/", CAMPAIGN, secret=reader).status_code == 403
    maker.is_active = False
    maker.save()
    assert call("post", "campaigns/", CAMPAIGN).status_code == 403
    client.force_login(UserFactory(department=ours))
    assert client.post("/api/v1/campaigns/", CAMPAIGN, "application/json").status_code == 403


@pytest.mark.parametrize(
    ("path", "data", "field"),
    [
        ("segments/", {"name": "S", "rule": {"is": "nonsense"}}, "rule"),
        ("offers/", {"name": "O", "kind": "percent", "value": "130", "first_day": "2027-01-01", "last_day": "2027-01-02"}, "value"),
        ("offers/", {"name": "O", "kind": "price", "first_day": "2027-01-01", "last_day": "2027-01-02"}, "prices"),
        ("campaigns/", CAMPAIGN | {"starts_on": "0001-01-01"}, "starts_on"),
        ("campaigns/", CAMPAIGN | {"owner": "nobody@example.com"}, "owner"),
        ("contents/", {"message": 0, "language": "klingon"}, "language"),
        ("messages/", {"campaign": 0, "name": "By pigeon", "channel": "pigeon"}, "channel"),
    ],
)
def test_what_cannot_be_used_is_named(call, path, data, field):
    answer = call("post", path, data)
    assert answer.status_code == 400
    assert field in answer.json()["errors"], answer.json()


def test_a_message_in_the_past_and_a_version_twice_are_refused_in_words(call, ours):
    campaign = CampaignFactory(department=ours, starts_on=date(2026, 1, 1), ends_on=date(2026, 1, 31))
    past = call("post", "messages/", {"campaign": campaign.pk, "name": "M", "channel": "sms", "send_at": "2026-01-03T09:00:00Z",
                                      "kind": "unaddressed"})  # fmt: skip
    assert past.status_code == 400 and "send_at" in past.json()["errors"]
    message = MessageFactory(campaign=campaign)
    data = {"message": message.pk, "language": "nb", "subject": "A"}
    assert call("post", "contents/", data).status_code == 201
    again = call("post", "contents/", data)
    assert (again.status_code, again.json()["id"]) == (409, ContentVersion.objects.get().pk)


def test_the_days_of_a_locked_draft_are_changed_by_no_program(call, ours):
    campaign = call("post", "campaigns/", CAMPAIGN).json()
    Campaign.objects.update(lock="booked", lock_reason="Radio slots")
    row = MessageFactory(campaign_id=campaign["id"], send_at=NOW + timedelta(days=12), channel="email")
    later = str(NOW + timedelta(days=13))
    refused = call("patch", f"messages/{row.pk}/", {"version": 1, "send_at": later})
    assert refused.status_code == 400 and "is locked (booked: Radio slots)" in str(refused.json()), refused.json()
    refused = call("patch", f"campaigns/{campaign['id']}/", {"version": 1, "ends_on": str(FIRST)})
    assert refused.status_code == 400 and "is locked" in str(refused.json())
    assert call("patch", f"messages/{row.pk}/", {"version": 1, "name": "New name"}).status_code == 200
    assert Message.objects.get().send_at == row.send_at


def test_changing_prices_keeps_the_days_and_days_keep_the_prices(call, ours):
    offer = OfferFactory(department=ours)
    before = (offer.valid_from, offer.valid_until)
    price = {"prices": [{"country": "PL", "amount": "9.50", "currency": "PLN"}], "version": 1}
    first = call("patch", f"offers/{offer.pk}/", price).json()
    second = call("patch", f"offers/{offer.pk}/", {"first_day": "2026-11-01", "version": 2}).json()
    assert first["prices"] == second["prices"] == [{"country": "PL", "amount": "9.50", "currency": "PLN"}]
    assert Offer.objects.get().valid_until >= before[1]
    assert second["valid_from"].startswith("2026-10-31T23:00") or second["valid_from"].startswith("2026-11-01T00:00")
