"""A re-plan whose worker was killed, whose message is lost, or that was told to stop when nobody was there any more."""

import time
from datetime import timedelta

import pytest
from django.urls import reverse

from apps.campaigns.models import Scenario
from apps.campaigns.replan import job, tasks
from tests.campaigns.conflicts.conftest import scene  # noqa: F401
from tests.factories.campaigns import NOW

pytestmark = pytest.mark.django_db
LONG_AGO = int(time.time()) - job.LOST_AFTER_SECONDS - 60


@pytest.fixture
def asked(scene):  # noqa: F811
    return job.start(
        actor=scene.online_lead, first=NOW.date(), last=(NOW + timedelta(days=20)).date(), locked=[], moves_agreed=False,
        fair_percent=25, now=NOW,
    )


@pytest.fixture
def sent(monkeypatch):
    told = []
    monkeypatch.setattr(tasks.replan, "delay", told.append)
    return told


def state(asked, **notes):
    row = Scenario.objects.get(pk=asked.pk)
    if notes:
        Scenario.objects.filter(pk=asked.pk).update(settings=row.settings | notes)
    return row.settings["state"]


@pytest.mark.parametrize("before", ["waiting", "running"])
def test_what_a_killed_worker_left_is_taken_up_again_once_and_finished(asked, sent, before):
    state(asked, state=before, seen=LONG_AGO)
    assert (tasks.lost_replans(), tasks.lost_replans(), sent) == (1, 0, [asked.pk])
    assert job.run(scenario_id=asked.pk, now=NOW) == job.DONE


def test_what_is_being_worked_on_or_over_is_left_alone(asked, sent):
    state(asked, state="running")
    assert (tasks.lost_replans(), sent) == (0, [])
    for over in ("done", "failed", "stopped"):
        state(asked, state=over, seen=LONG_AGO)
        assert (tasks.lost_replans(), sent) == (0, [])


def test_whoever_stops_what_no_worker_has_any_more_is_not_kept_waiting_for_ever(asked, sent, scene, client):  # noqa: F811
    state(asked, state="running", seen=LONG_AGO)
    client.force_login(scene.online_lead)
    client.post(reverse("campaigns:replan-stop", args=[asked.pk]))
    state(asked, seen=LONG_AGO)
    assert tasks.lost_replans() == 1
    job.run(scenario_id=asked.pk, now=NOW)
    assert state(asked) == job.STOPPED


def test_what_kills_every_worker_fails_instead_of_killing_the_next(asked):
    state(asked, state="running", attempts=job.MOST_ATTEMPTS)
    assert job.run(scenario_id=asked.pk, now=NOW) == ""
    assert state(asked) == job.FAILED
