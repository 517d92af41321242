"""Whole stories, told with a small demo company, a real browser and the real sandbox counterparts.

All of it happens on one Wednesday afternoon in the company's zone.
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.cache import cache

from apps.accounts.models import User
from apps.campaigns.sending import plan, sweep, work
from apps.channels.counterparts import inbox, place, process
from apps.core import clock
from apps.reporting.demo.load import load

AFTERNOON = datetime(2026, 11, 18, 13, 30, tzinfo=UTC)


class Company(SimpleNamespace):
    """The demo company at a moment that the story moves on."""

    now: datetime

    def colleague(self, start: str) -> User:
        return User.objects.get(email=f"{start}@fjellfjord.example")

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def send(self) -> None:
        """What beat and the workers do, without waiting for them."""
        plan.plan_due_runs(now=self.now)
        work.work_runs(now=self.now, budget=60)
        sweep.sweep(now=self.now)

    def mails(self, address: str) -> list[inbox.Got]:
        """What the mail counterpart holds for an address, with bodies, oldest first."""
        place.settle(settings.SANDBOX_DIR)
        return [inbox.message(got.id) for got in reversed(inbox.messages(channel="email", search=address).messages)]


@pytest.fixture
def company(transactional_db, settings, tmp_path, monkeypatch):
    settings.SANDBOX_DIR = tmp_path / "sandbox"
    cache.clear()
    told = Company(now=AFTERNOON)
    monkeypatch.setattr(clock, "now", lambda: told.now)
    load(customers_wanted=300, seed=7, now=AFTERNOON, progress=lambda *_: None)
    with process.running(settings.SANDBOX_DIR):
        yield told
