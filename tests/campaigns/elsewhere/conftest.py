"""A provider in memory, plain words, audiences as given: the engine's own tests are not about those."""

import pytest

from apps.campaigns.sending import plan, work
from tests.factories.sending import FakeAdapter, plain_drafts


@pytest.fixture
def provider(monkeypatch) -> FakeAdapter:
    """The one provider of every account."""
    adapter = FakeAdapter()
    monkeypatch.setattr("apps.channels.registry.adapter_for", lambda account: adapter)
    monkeypatch.setattr(work.writing, "prepare", plain_drafts)
    return adapter


@pytest.fixture(autouse=True)
def given_audience(monkeypatch):
    """The audience of a message is what the test stored as its planned audience."""
    monkeypatch.setattr(
        plan.audiences, "compute", lambda message, *, now: type(message).objects.get(pk=message.pk).plan_audience
    )
