"""Programs at the API: tokens scoped to actions, errors as problem details."""

from datetime import UTC, datetime, timedelta

import pytest
from drf_spectacular.checks import schema_check

from apps.accounts import api_tokens
from apps.accounts.models import ApiToken, AuditEvent, Department, User
from tests.factories.customers import CustomerFactory

NOW = datetime(2026, 11, 18, 14, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague():
    department = Department.objects.create(name="Online", slug="online")
    return User.objects.create_user("admin@example.com", "x", name="Admin", role="administrator", department=department)


def token(colleague, *actions, **more):
    return api_tokens.issue(name="till", actions=list(actions), department=None, by=colleague, now=NOW, **more)[1]


def get(client, path, secret):
    return client.get(path, headers={"authorization": f"Bearer {secret}"})


def test_a_call_without_a_token_is_refused_in_problem_details(client):
    answer = client.get("/api/v1/customers/")
    assert answer.status_code == 401
    assert answer["content-type"].startswith("application/problem+json")
    assert answer.json()["title"] == "Unauthorized"
    assert answer["www-authenticate"].startswith("Bearer")


def test_a_token_may_do_only_what_it_was_made_for(client, colleague):
    secret = token(colleague, "segments.read")
    assert get(client, "/api/v1/segments/", secret).status_code == 200
    assert get(client, "/api/v1/customers/", secret).status_code == 403


def test_names_are_masked_unless_the_token_may_read_people(client, colleague):
    CustomerFactory(name="Kari Hansen")
    masked = get(client, "/api/v1/customers/", token(colleague, "customers.read")).json()
    clear = get(client, "/api/v1/customers/", token(colleague, "customers.read", "people.read")).json()
    assert masked["results"][0]["name"] == "K… H…"
    assert clear["results"][0]["name"] == "Kari Hansen"


def test_a_revoked_or_expired_token_opens_nothing(client, colleague):
    secret = token(colleague, "segments.read")
    api_tokens.revoke(ApiToken.objects.get(), by=colleague, now=NOW)
    assert get(client, "/api/v1/segments/", secret).status_code == 401
    old = token(colleague, "segments.read", expires_at=NOW - timedelta(days=400))
    assert get(client, "/api/v1/segments/", old).status_code == 401


def test_the_secret_is_not_kept_and_its_issue_is_on_the_trail(colleague):
    secret = token(colleague, "segments.read")
    assert secret not in str(ApiToken.objects.values())
    assert AuditEvent.objects.filter(action="api_token.issued").exists()


def test_an_action_that_does_not_exist_is_refused(colleague):
    with pytest.raises(api_tokens.UnknownAction):
        token(colleague, "everything.write")


def test_deliveries_ask_for_a_run_or_a_customer_in_words(client, colleague):
    answer = get(client, "/api/v1/deliveries/", token(colleague, "deliveries.read"))
    assert answer.status_code == 400
    assert "run" in answer.json()["errors"]


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer \xff\xfe", "Basic eDp5", "bearer " + "x" * 5000])
def test_a_torn_authorization_header_is_an_answer_not_a_crash(client, header):
    assert client.get("/api/v1/segments/", headers={"authorization": header}).status_code == 401


def test_the_description_of_the_api_is_complete_and_can_be_tried(client, colleague):
    client.force_login(colleague)
    schema = client.get("/api/v1/schema/?format=json").json()
    for part in ("customers", "interactions", "segments", "campaigns", "messages", "deliveries", "conflicts", "consent"):
        assert f"/api/v1/{part}/" in schema["paths"]
    assert client.get("/api/v1/try/").status_code == 200


def test_the_described_interface_has_no_two_things_of_one_name():
    """The check as in production fails on any doubt of the generator."""
    assert [str(warning) for warning in schema_check(None)] == []
