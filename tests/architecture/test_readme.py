"""The README names every setting and every command, and none that does not exist."""

import re

from django.core.management import get_commands

from config import settings
from tests.architecture.source import ROOT

README = (ROOT / "README.md").read_text()
# Set by the test run for itself.
OF_TESTS = {"CONCORD_REQUIRE_BROWSER"}


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title}"
    return found.group(1)


def test_every_setting_stands_in_the_configuration_table():
    documented = set(re.findall(r"^\| `([A-Z_]+)`", section("Configuration"), re.MULTILINE))
    read = {name for name in settings.env.read if not name.endswith("_FILE")} | OF_TESTS
    assert documented == read


def test_every_command_stands_in_the_command_table():
    documented = set(re.findall(r"^\| `manage.py ([a-z_]+)", section("Commands"), re.MULTILINE))
    own = {name for name, app in get_commands().items() if app.startswith("apps.")}
    assert documented == own


def test_the_two_commands_are_the_first_that_one_reads():
    assert "pip install uv && uv run manage.py demo" in README
    assert "uv run pytest" in README
