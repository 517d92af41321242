"""Every column is declared personal or not, with purpose and retention, in config/retention.toml."""

import tomllib

import pytest
from django.apps import apps

from tests.architecture.source import ROOT

DECLARED = tomllib.loads((ROOT / "config" / "retention.toml").read_text())
MODELS = {model._meta.label_lower: model for model in apps.get_models(include_auto_created=True)}
# What is kept as evidence or history holds ids and codes only.
IDS_ONLY = [
    "accounts.auditevent",
    "campaigns.delivery",
    "campaigns.burst",
    "campaigns.chunk",
    "channels.contactevent",
    "reporting.credit",
]


def test_every_table_is_declared_and_nothing_else():
    assert set(DECLARED) == set(MODELS)


@pytest.mark.parametrize("label", sorted(DECLARED))
def test_every_column_is_declared_once(label):
    entry = DECLARED[label]
    listed = entry.get("personal", []) + entry.get("pseudonym", []) + entry.get("plain", [])
    assert sorted(listed) == sorted(field.name for field in MODELS[label]._meta.concrete_fields)


@pytest.mark.parametrize("label", sorted(DECLARED))
def test_every_table_has_a_purpose_a_time_and_what_an_erasure_does(label):
    assert all(DECLARED[label].get(key, "").strip() for key in ("purpose", "keep", "erasure"))


@pytest.mark.parametrize("label", IDS_ONLY)
def test_ledger_events_and_history_hold_ids_and_codes_only(label):
    assert not DECLARED[label].get("personal")
