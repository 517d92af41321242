"""Settings are read in a process of their own, as at start: a wrong one is refused with its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "CONCORD_MODE": "production",
    "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz",
    "CREDENTIAL_KEYS": "new,old",
    "ADDRESS_HASH_KEY": "abcdefghijklmnopqrstuvwxyz-0123456789",
    "ALLOWED_HOSTS": "concord.example.com",
    "PUBLIC_URL": "https://concord.example.com/",
}
SHOW = "from config import settings as s; print(({}))"


def read(expression="s.MODE", **environment):
    """What a fresh process prints for the expression, or the refusal it ends with."""
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        [sys.executable, "-c", SHOW.format(expression)], cwd=ROOT, env=plain | environment, capture_output=True, text=True
    )
    return result.stdout.strip() or result.stderr.strip().splitlines()[-1]


def test_nothing_has_to_be_set_to_begin():
    assert read("s.MODE, s.DATABASES['default']['ENGINE']") == "('development', 'config.database')"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONCORD_MODE", "prod"),
        ("DATABASE_URL", "mysql://localhost/concord"),
        ("DATABASE_CONNECTION_SECONDS", "a minute"),
        ("PUBLIC_URL", "concord.example.com"),
        ("COMPANY_TIME_ZONE", "Oslo"),
        ("TASKS_IN_PROCESS", "maybe"),
        ("SECRET_KEY", "short"),
        ("LOG_LEVEL", "loud"),
        ("CACHE_URL", "somewhere"),
        ("CLOCK_OFFSET", "tomorrow"),
        ("OIDC_SERVER_URL", "https://login.example.com"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(name, value):
    assert f"ImproperlyConfigured: {name}" in read(**{"CONCORD_MODE": "development", name: value})


@pytest.mark.parametrize("name", ["SECRET_KEY", "CREDENTIAL_KEYS", "ADDRESS_HASH_KEY", "ALLOWED_HOSTS", "PUBLIC_URL"])
def test_production_starts_only_with_its_secrets_and_addresses(name):
    missing = {key: value for key, value in PRODUCTION.items() if key != name}
    assert f"{name} is not set" in read(**missing)


def test_production_refuses_a_moved_clock():
    assert "CLOCK_OFFSET" in read(**PRODUCTION, CLOCK_OFFSET="3600")
    assert read("s.CLOCK_OFFSET", CONCORD_MODE="demo", CLOCK_OFFSET="3600") == "3600"


def test_production_is_strict():
    shown = read("s.DEBUG, s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE, s.PUBLIC_URL, s.CREDENTIAL_KEYS", **PRODUCTION)
    assert shown == "(False, True, True, 'https://concord.example.com', ['new', 'old'])"


def test_a_database_of_ones_own_means_production():
    assert "is not set" in read(DATABASE_URL="postgres://me@db.example.com/concord")


@pytest.mark.parametrize(
    ("environment", "backend"),
    [
        ({}, "RedisCache"),
        ({"BROKER_URL": "redis://broker:6379/0"}, "RedisCache"),
        ({"BROKER_URL": "amqp://guest@broker//"}, "DatabaseCache"),
        ({"BROKER_URL": "amqp://guest@broker//", "CACHE_URL": "redis://cache:6379/1"}, "RedisCache"),
    ],
)
def test_the_cache_is_where_there_is_one(environment, backend):
    assert read("s.CACHES['default']['BACKEND']", **environment).endswith(backend)


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("x" * 40 + "\n")
    assert read("s.SECRET_KEY", SECRET_KEY_FILE=str(tmp_path / "key")) == "x" * 40


def test_a_company_login_is_set_up_by_four_variables():
    shown = read(
        "s.SOCIALACCOUNT_PROVIDERS['openid_connect']['APPS'][0]['settings']",
        OIDC_SERVER_URL="https://login.example.com/", OIDC_CLIENT_ID="concord", OIDC_CLIENT_SECRET="secret",
    )  # fmt: skip
    assert shown == "{'server_url': 'https://login.example.com'}"
