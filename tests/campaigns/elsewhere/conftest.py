"""What the engine's own tests stand on (see sending/conftest.py): a provider in memory, plain words, audiences as given."""

from tests.campaigns.sending.conftest import given_audience, provider  # noqa: F401
