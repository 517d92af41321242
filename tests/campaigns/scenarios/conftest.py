"""Two departments that collide (see conflicts/conftest.py), and what-ifs of their leads."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from apps.campaigns.scenarios import drafting
from apps.core import clock
from tests.campaigns.conflicts.conftest import count, planned, scene  # noqa: F401
from tests.factories.campaigns import NOW

FIRST, LAST = NOW.date(), (NOW + timedelta(days=40)).date()


@pytest.fixture(autouse=True)
def _at_now(monkeypatch):
    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)


def what_if(actor, **values):
    return drafting.create(actor=actor, name="Try", first=FIRST, last=LAST, now=NOW, **values)


def move(actor, scenario, campaign, days, now=NOW):
    return drafting.put(actor=actor, scenario=scenario, kind="move", campaign=campaign, parameters={"days": days}, now=now)


def leave_out(actor, scenario, yielding, keeping):
    sides = {"yielding": yielding.pk, "keeping": keeping.pk, "yielding_message": None, "keeping_message": None}
    return drafting.put(actor=actor, scenario=scenario, kind="leave_out", campaign=yielding, parameters=sides, now=NOW)
