"""The doors: forged posts, guessed and borrowed tokens, tried addresses, a database that is gone."""

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.urls import get_resolver, reverse

from apps.accounts import api_access
from apps.accounts.models import Role
from apps.consent import links
from apps.consent.models import ConsentEvent, Suppression
from apps.core import tokens
from tests.architecture.test_access_rules import routes
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.campaigns import MessageFactory
from tests.factories.customers import person

pytestmark = pytest.mark.django_db
# A seal in the address, a provider's signature or a bearer token stands for the sender there, and no cookie is read.
WITHOUT_CSRF = ("hooks/", "p/", "u/", "api/v1/")


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


def test_only_sealed_signed_and_bearer_addresses_take_posts_without_our_form():
    open_doors = {route for route, view in routes(get_resolver().url_patterns) if getattr(view, "csrf_exempt", False)}
    assert open_doors
    assert not [route for route in open_doors if not route.startswith(WITHOUT_CSRF)]


def test_a_forged_post_of_a_signed_in_colleague_does_nothing():
    message = MessageFactory()
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(UserFactory(role=Role.LEAD, department=message.campaign.department))
    for name, args in (("cancel", [message.campaign_id]), ("message-remove", [message.campaign_id, message.pk])):
        assert forged.post(reverse(f"campaigns:{name}", args=args)).status_code == 403
    assert forged.post("/api/v1/campaigns/", "{}", content_type="application/json").status_code in (401, 403)
    message.campaign.refresh_from_db()
    assert message.campaign.status == "draft"


def test_signing_in_changes_the_session_so_that_nobody_waits_in_it(client):
    user = UserFactory()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = 1
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.session.session_key != before


def test_asking_for_a_new_password_does_not_tell_who_works_here(client, mailoutbox):
    UserFactory(email="kari@example.com")
    known = client.post("/accounts/password/reset/", {"email": "kari@example.com"})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


def test_a_borrowed_or_torn_unsubscribe_link_changes_nothing_for_anybody(client):
    kari = person(email="kari@example.com")
    url = links.unsubscribe_url(kari.pk, channel="email")
    token = url.rstrip("/").rpartition("/")[2]
    torn = [token[:cut] for cut in range(0, len(token), 7)] + [token + "A", token[::-1], token.swapcase(), "A" * 2000]
    foreign = [tokens.seal(kind, (kari.pk, 0, 0, "email")) for kind in ("preferences", "confirm", "click", "open")]
    wrong = [tokens.seal("unsubscribe", payload) for payload in ((), ("x",), (1,), (kari.pk, "0", 0, "email"), (1, 2, 3, 4, 5))]
    for guessed in [*torn, *foreign, *wrong]:
        if guessed:
            for call in (client.get, client.post):
                assert call(f"/u/{guessed}/").status_code == 404, guessed
    for call in (client.get, client.head):
        assert call(f"/u/{token}/").status_code == 200
    for call in (client.put, client.delete, client.patch):
        assert call(f"/u/{token}/").status_code == 405
    assert not ConsentEvent.objects.exists()
    assert not Suppression.objects.exists()


def test_an_unsubscribe_link_of_nobody_is_answered(client):
    token = tokens.seal("unsubscribe", (999_999, 999_999, 0, "no channel"))
    for call in (client.get, client.post):
        assert call(f"/u/{token}/").status_code < 500
    assert not ConsentEvent.objects.exists()


def test_when_the_database_is_gone_pages_and_programs_are_told_so_and_nothing_leaks(settings, monkeypatch):
    settings.DEBUG = False
    visitor = Client(raise_request_exception=False)
    visitor.force_login(UserFactory())

    def gone(*args, **kwargs):
        raise OperationalError("connection to server at 10.0.0.7 failed: secret")

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", gone)
    page = visitor.get("/campaigns/")
    assert page.status_code == 500
    assert "Something broke" in page.content.decode()
    monkeypatch.setattr(api_access, "find", gone)
    told = Client(raise_request_exception=False).get("/api/v1/campaigns/", headers={"authorization": "Bearer x"})
    assert (told.status_code, told["content-type"]) == (503, "application/problem+json")
    for answer in (page, told):
        assert b"10.0.0.7" not in answer.content
        assert b"secret" not in answer.content


def test_error_pages_do_not_tell_how_concord_is_made(client, settings):
    settings.DEBUG = False
    client.raise_request_exception = False
    client.force_login(UserFactory(role=Role.AGENT))
    for address in ("/no/such/page", "/admin/", "/campaigns/999999/", "/campaigns/new/", "/?q=%00"):
        page = client.get(address, follow=True).content.decode()
        assert "Traceback" not in page
        assert "apps/" not in page
        assert "SECRET_KEY" not in page
