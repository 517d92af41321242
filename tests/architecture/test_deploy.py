"""The compose file starts what the architecture has, each with a health check, by settings that exist."""

import re

import yaml

from config import settings
from tests.architecture.source import ROOT

DEPLOY = ROOT / "config" / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_every_part_runs_and_says_how_it_is():
    assert set(COMPOSE["services"]) == {"release", "web", "worker", "beat", "postgres", "valkey"}
    for name, service in COMPOSE["services"].items():
        assert "healthcheck" in service, name


def test_only_settings_that_exist_are_set():
    known = settings.env.read | {"POSTGRES_PASSWORD", "PATH", "PYTHONUNBUFFERED"}
    example = re.findall(r"^([A-Z_]+)=", (DEPLOY / "example.env").read_text(), re.MULTILINE)
    containerfile = (DEPLOY / "Containerfile").read_text().partition("ENV PATH")[2]
    assert set(example) | set(re.findall(r"([A-Z_]+)=", "PATH" + containerfile)) <= known
    assert set(COMPOSE["x-concord"]["environment"]) <= known


def test_the_example_holds_no_secret():
    lines = (DEPLOY / "example.env").read_text().splitlines()
    assert {line for line in lines if line.startswith(("SECRET_KEY=", "CREDENTIAL_KEYS=", "POSTGRES_PASSWORD="))} == {
        "SECRET_KEY=", "CREDENTIAL_KEYS=", "POSTGRES_PASSWORD=",
    }  # fmt: skip
