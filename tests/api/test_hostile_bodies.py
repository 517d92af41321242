"""Programs that send what nobody meant: an answer in problem details each time, never a crash, nothing kept."""

import json
from datetime import UTC, datetime

import pytest

from apps.accounts import api_tokens
from apps.accounts.models import User
from apps.campaigns.models import Campaign, ContentVersion
from apps.consent.models import ConsentEvent
from apps.customers.models import Segment
from tests.factories import campaigns as make
from tests.factories.accounts import DepartmentFactory
from tests.factories.customers import CustomerFactory, SegmentFactory, SourceFactory

NOW = datetime(2026, 11, 18, 14, tzinfo=UTC)
pytestmark = pytest.mark.django_db

HOSTILE = [
    "\0", "\ud800", "x" * 100_000, 10**30, -(10**30), "1e400", True, None, [], {}, [[]], {"a": "\0"}, {"a": "\udfff"},
    "<script>alert(1)</script>", "=cmd()", "x\r\nBcc: all@example.com", "9" * 5000, "9999-12-31T23:59:59Z", "0001-01-01",
]  # fmt: skip


@pytest.fixture
def program(client):
    department = DepartmentFactory()
    maker = User.objects.create_user("maker@example.com", "x", name="Maker", role="administrator", department=department)
    secret = api_tokens.issue(name="p", actions=list(api_tokens.ACTIONS), department=department, by=maker, now=NOW)[1]

    def call(method, path, body=None, raw=None, **headers):
        sent = raw if raw is not None else json.dumps(body)
        return client.generic(
            method, f"/api/v1/{path}", sent, content_type="application/json",
            headers={"authorization": f"Bearer {secret}", **headers},
        )  # fmt: skip

    call.department, call.maker = department, maker
    return call


def assert_answered(answer):
    assert answer.status_code < 500, answer.content[:300]
    if answer.status_code >= 400:
        assert answer["content-type"].startswith("application/problem+json"), answer.content[:300]
        assert answer.json()["detail"]


def drafts(program):
    """A good body for every address that writes."""
    campaign = make.CampaignFactory(department=program.department, owner=program.maker)
    message = make.MessageFactory(campaign=campaign)
    person, source = CustomerFactory(), SourceFactory()
    return {
        "campaigns/": {"name": "Winter", "starts_on": "2026-12-01", "ends_on": "2026-12-09", "goal": "", "budget": "10.00"},
        "messages/": {"campaign": campaign.pk, "name": "First", "channel": "email", "send_at": "2026-12-01T10:00:00Z",
                      "purpose": make.OffersPurposeFactory().code, "include": [SegmentFactory().pk], "exclude": [],
                      "audience_rule": {"is": "everyone"}, "variants_share": {"A": 50}, "needs_fields": [],
                      "recurrence": "", "priority": 50},
        "contents/": {"message": message.pk, "language": "nb", "variant": "A", "subject": "Hei", "format": "blocks",
                      "blocks": [{"kind": "product", "product": 3}], "body": "", "preheader": ""},
        "offers/": {"name": "Ten", "kind": "percent", "value": "10", "first_day": "2026-12-01", "last_day": "2026-12-05",
                    "code": "TEN", "prices": [{"country": "NO", "amount": "9", "currency": "NOK"}]},
        "segments/": {"name": "All", "description": "", "rule": {"any": [{"is": "everyone"}]}},
        "consent/": {"customer": person.pk, "channel": "email", "purpose": "offers", "action": "grant",
                     "at": "2026-11-01T10:00:00Z", "source": "web", "method": "form", "by_person": True,
                     "address": "", "evidence": {"ip": "1.2.3.4"}},
        "interactions/batch/": {"source": source.code, "interactions": [
            {"id": "1", "person": {"email": "kari@example.com"}, "kind": "purchase", "at": "2026-11-01T10:00:00Z",
             "value": "10", "currency": "NOK", "sku": "A1", "quantity": 1, "detail": {"a": "b"}}]},
    }  # fmt: skip


def spoilt(body, bad):
    """The body once for every field in it, that field replaced."""
    for name, value in body.items():
        yield body | {name: bad}
        inner = value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value
        if isinstance(inner, dict):
            for changed in spoilt(inner, bad):
                yield body | {name: [changed] if isinstance(value, list) else changed}


def test_every_field_of_every_draft_answers_bad_values_in_problem_details(program):
    for path, body in drafts(program).items():
        for bad in HOSTILE:
            for sent in spoilt(body, bad):
                assert_answered(program("POST", path, sent))


@pytest.mark.parametrize("raw", [
    "[" * 100_000, '{"a":' * 50_000, '{"name": 1e400}', '{"evidence": {"a": 1e999}}', '{"a": NaN}', "", "null", "[]", '"x"',
    b"\xff\xfe", '{"name": "\\u0000"}', '{"name": "\\ud800"}', "7" * 10_000, '{"a"', '{"rule": {"not": {"not": ' * 400,
])  # fmt: skip
def test_a_body_that_is_no_good_json_is_answered_in_problem_details(program, raw):
    for path in ("segments/", "campaigns/", "interactions/batch/", "consent/"):
        answer = program("POST", path, raw=raw)
        assert answer.status_code == 400
        assert_answered(answer)
    assert not Segment.objects.exists()
    assert not Campaign.objects.exists()
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("value", ["-1", "0", "x", "99999999999999999999", "²", "%00", "9" * 3900, "%ff", "[]", "٣"])
def test_every_filter_answers_bad_values(program, value):
    names = ("page", "page_size", "cursor", "customer", "run", "campaign", "message", "status", "department", "from", "to", "email",
             "country", "kind", "state", "rule", "outcome")  # fmt: skip
    for part in ("customers", "interactions", "segments", "campaigns", "messages", "contents", "offers", "deliveries", "conflicts",
                 "consent"):  # fmt: skip
        for name in names:
            answer = program("GET", f"{part}/?{name}={value}")
            assert answer.status_code < 500
        assert program("GET", f"{part}/{value[:40]}/").status_code in (400, 404, 405)


def test_a_huge_page_is_cut_to_size(program):
    for number in range(3):
        SegmentFactory(name=f"S{number}")
    for part in ("customers", "segments", "campaigns", "consent"):
        assert program("GET", f"{part}/?page_size=1000000000").status_code == 200


def test_an_idempotency_key_of_signs_nobody_can_read_is_refused_in_words(program):
    for key in ("x" * 5000, "\t", "é" * 10):
        assert_answered(program("POST", "campaigns/", {"name": "x"}, **{"idempotency-key": key}))


@pytest.mark.parametrize("match", ['"999999999999999999999"', "W/", '"', "*", "x" * 3000, '"-1"', "²"])
def test_a_torn_if_match_is_answered(program, match):
    campaign = make.CampaignFactory(department=program.department, owner=program.maker)
    answer = program("PATCH", f"campaigns/{campaign.pk}/", {"name": "Mine"}, **{"if-match": match})
    assert_answered(answer)
    campaign.refresh_from_db()
    assert campaign.name != "Mine"


def test_a_change_without_a_version_is_refused(program):
    campaign = make.CampaignFactory(department=program.department, owner=program.maker)
    assert program("PATCH", f"campaigns/{campaign.pk}/", {"name": "Mine"}).status_code == 428


def test_programs_of_another_department_change_nothing(program):
    message = make.MessageFactory()
    words, offer = make.ContentVersionFactory(message=message), make.OfferFactory()
    segment = SegmentFactory(department=message.campaign.department)
    for path, body in {
        f"campaigns/{message.campaign_id}/": {"name": "Mine", "version": 1},
        f"messages/{message.pk}/": {"name": "Mine", "version": 1},
        f"contents/{words.pk}/": {"subject": "Mine", "revision": 1},
        f"offers/{offer.pk}/": {"name": "Mine", "version": 1},
        f"segments/{segment.pk}/": {"name": "Mine", "version": 1},
    }.items():  # fmt: skip
        assert program("PATCH", path, body).status_code == 403, path
    assert not ContentVersion.objects.filter(subject="Mine").exists()
    assert not Segment.objects.filter(name="Mine").exists()
