"""kill -9 of a worker in every stage, over real SMTP: nobody twice, nobody lost, and the proof says what happened."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from apps.campaigns.models import Burst, Chunk, Run
from apps.campaigns.sending import chunks, plan, proof, sweep, work
from apps.channels.counterparts import inbox
from apps.channels.counterparts.process import running
from tests.factories.sending import NOW, fast_account, mail_drafts, make_message, make_people, plan_one

ROOT = Path(__file__).resolve().parents[2]
PEOPLE, RATE = 120, 30

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(settings, tmp_path):
    settings.SANDBOX_DIR = tmp_path / "sandbox"
    with running(settings.SANDBOX_DIR):
        yield settings.SANDBOX_DIR


@pytest.fixture
def run(sandbox, monkeypatch) -> Run:
    monkeypatch.setattr(
        plan.audiences, "compute", lambda message, *, now: type(message).objects.get(pk=message.pk).plan_audience
    )
    monkeypatch.setattr(work.writing, "prepare", mail_drafts)
    account = fast_account(name="Sandbox mail", adapter="sandbox_email")
    account.rate = RATE
    account.save()
    return plan_one(make_message(make_people(PEOPLE), account=account))


def worker(stage: str, sandbox: Path) -> int:
    """Runs a worker process until it is dead, or done."""
    environment = dict(os.environ)
    command = [sys.executable, "-m", "tests.faults.dying_worker", stage, str(connection.settings_dict["NAME"]),
               str(sandbox), NOW.isoformat()]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=120).returncode


def time_passes() -> None:
    """Leases run out: a minute of silence, without waiting for it."""
    Chunk.objects.filter(state="leased").update(leased_until=chunks.database_now() - timedelta(seconds=1))


@pytest.mark.parametrize("stage", ["claimed", "burst begun", "half posted", "posted before settle", "settled"])
def test_a_killed_worker_doubles_nobody_and_loses_nobody(run, sandbox, stage):
    assert worker(stage, sandbox) == -9
    time_passes()
    later = NOW + timedelta(minutes=10)
    sweep.sweep(now=later)
    work.work_runs(now=later, budget=60)
    sweep.sweep(now=later + timedelta(minutes=10))

    got = inbox.references("email")
    shown = proof.run_proof(run)
    assert set(got.values()) <= {1}, "somebody got it twice"
    assert proof.adds_up(shown)
    assert shown["waiting"] == shown["failed"] == 0
    sent = {f"{run.pk}.{one}" for one in proof.people(run, "sent")}
    unknown = {f"{run.pk}.{one}" for one in proof.people(run, "unknown")}
    assert sent <= set(got) <= sent | unknown
    assert len(unknown) <= RATE, "at most one burst can be in doubt"
    assert len(sent) + len(unknown) == PEOPLE
    if stage in ("claimed", "settled"):
        assert not unknown
    run.refresh_from_db()
    assert run.state == "done"
    assert not Burst.objects.filter(settled_at=None).exists()


def test_a_killed_workers_unknown_people_are_sent_when_the_provider_tells_of_them(run, sandbox):
    from apps.channels.models import ContactEvent

    assert worker("posted before settle", sandbox) == -9
    burst = Burst.objects.get(settled_at=None)
    told = list(burst.people)[:4]
    ContactEvent.objects.bulk_create(
        ContactEvent(run_id=run.pk, customer_id=one, channel="email", kind="delivered", at=NOW, recorded_at=NOW,
                     dedupe_key=f"told{one}")
        for one in told
    )  # fmt: skip
    time_passes()
    sweep.sweep(now=NOW + timedelta(minutes=10))
    assert proof.run_proof(run)["unknown"] == len(burst.people) - 4
    late = list(burst.people)[4]
    ContactEvent.objects.create(
        run_id=run.pk, customer_id=late, channel="email", kind="opened", at=NOW, recorded_at=NOW, dedupe_key="late"
    )
    assert proof.run_proof(run)["unknown"] == len(burst.people) - 5
    assert late in proof.people(run, "sent")
