import pytest

from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def test_choosing_a_language_is_kept_in_the_profile_and_seen_at_once(client):
    user = UserFactory(language="")
    client.force_login(user)
    response = client.post("/language/", {"language": "nb", "next": "/profile/"})
    user.refresh_from_db()
    assert (response.url, user.language) == ("/profile/", "nb")
    assert 'lang="nb"' in client.get("/profile/").content.decode()


def test_a_foreign_address_is_never_gone_to(client):
    assert client.post("/language/", {"language": "nb", "next": "https://elsewhere.example/"}).url == "/"


def test_every_page_names_who_is_signed_in_and_offers_the_ways_out(client):
    user = UserFactory(name="Kari Nordmann")
    client.force_login(user)
    page = client.get("/notifications/").content.decode()
    assert "Kari Nordmann" in page
    assert 'action="/accounts/logout/"' in page
