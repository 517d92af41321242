import pytest
from allauth.socialaccount.adapter import get_adapter as social_adapter
from django.core.cache import cache

from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


def sign_in(client, email, password=PASSWORD):
    return client.post("/accounts/login/", {"login": email, "password": password})


def test_a_colleague_signs_in_by_e_mail_in_any_letter_case(client):
    user = UserFactory(email="kari@example.com")
    response = sign_in(client, "Kari@Example.com")
    assert (response.status_code, response.url) == (302, "/")
    assert client.session["_auth_user_id"] == str(user.pk)


def test_guessing_is_stopped_after_five_tries_even_with_the_right_password(client):
    UserFactory(email="kari@example.com")
    for _attempt in range(5):
        sign_in(client, "kari@example.com", "wrong password")
    assert "_auth_user_id" not in client.session
    sign_in(client, "kari@example.com")
    assert "_auth_user_id" not in client.session


def test_a_person_who_left_cannot_sign_in(client):
    UserFactory(email="gone@example.com", is_active=False)
    sign_in(client, "gone@example.com")
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up_by_themselves(client, rf):
    client.post("/accounts/signup/", {"email": "new@example.com", "password1": PASSWORD})
    assert "_auth_user_id" not in client.session
    assert not social_adapter().is_open_for_signup(rf.get("/"), None)


def test_the_administration_has_no_login_of_its_own(client):
    response = client.get("/admin/login/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")


def test_sessions_are_listed(client):
    UserFactory(email="kari@example.com")
    sign_in(client, "kari@example.com")
    assert client.get("/accounts/sessions/").status_code == 200


def test_passwords_are_kept_by_argon2():
    from config import settings as declared

    assert declared.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
