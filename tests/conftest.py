"""The test run's environment: a database cluster of its own, tasks run in place, no waiting."""

import os

os.environ["CONCORD_MODE"] = "development"
# A cluster whose name begins with "tests" does not wait for the disk (config/watcher.py).
_CLUSTER = os.environ.get("CONCORD_CLUSTER", "tests")
os.environ["CONCORD_CLUSTER"] = _CLUSTER if _CLUSTER.startswith("tests") else f"tests-{_CLUSTER}"
os.environ.setdefault("TASKS_IN_PROCESS", "true")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Playwright's own event loop runs in the test's thread; Django would refuse the ORM there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import django
import hypothesis
import pytest

django.setup()

# a busy machine is slow, not wrong
hypothesis.settings.register_profile("concord", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("concord")

pytest_plugins = ["tests.chromium", "tests.database", "tests.spread"]


@pytest.fixture(autouse=True)
def _quick_and_quiet(settings, tmp_path):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.SANDBOX_DIR = tmp_path / "sandbox"


@pytest.fixture
def lead(client, db):
    """A lead who reads English, signed in."""
    from tests.factories.accounts import UserFactory

    user = UserFactory(role="lead", language="en")
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def _numbers_can_be_contacted(monkeypatch):
    """Many plans of tests are for people who are numbers only: the keeping side of an agreement can contact those. Whoever is in
    the database is asked about as always.
    """
    from apps.campaigns.conflicts.keepers import Keepers
    from apps.core import bitmaps

    asked = Keepers._refused

    def refused(self, way, people):
        known = bitmaps.from_sql("SELECT id FROM customers_customer WHERE id = ANY(%s)", [list(people)]) if people else people
        return asked(self, way, known)

    monkeypatch.setattr(Keepers, "_refused", refused)
