import pytest
from django.urls import reverse

from config import health
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def test_a_profile_sets_language_and_zone_and_refuses_what_does_not_exist(client):
    user = UserFactory()
    client.force_login(user)
    address = reverse("accounts:profile")
    assert client.post(address, {"name": "Kari", "language": "nb", "time_zone": "Europe/Warsaw"}).status_code == 302
    user.refresh_from_db()
    assert (user.name, user.language, user.time_zone) == ("Kari", "nb", "Europe/Warsaw")
    assert client.post(address, {"name": "Kari", "time_zone": "Mars/Olympus"}).status_code == 200
    user.refresh_from_db()
    assert user.time_zone == "Europe/Warsaw"


def test_the_viewers_language_goes_before_the_browsers(client):
    client.force_login(UserFactory(language="pl"))
    response = client.get(reverse("accounts:profile"), headers={"Accept-Language": "nb"})
    assert response.headers["Content-Language"] == "pl"


def test_the_history_of_a_thing_is_open_to_colleagues_and_of_nothing_is_not_found(client):
    user = UserFactory()
    client.force_login(user)
    found = reverse("accounts:history", args=["accounts.department", user.department_id])
    assert client.get(found).status_code == 200
    for kind, key in (("no.such", "1"), ("accounts.department", "x"), ("accounts.department", "999999")):
        assert client.get(reverse("accounts:history", args=[kind, key])).status_code == 404


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_health_is_told_without_a_login(client, address):
    assert client.get(address).status_code == 200


def test_a_part_that_does_not_answer_is_named(client, monkeypatch):
    def broken():
        raise ConnectionError("secret address")

    monkeypatch.setitem(health.CHECKS, "broker", broken)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": "ok", "broker": "unreachable", "cache": "ok"}
