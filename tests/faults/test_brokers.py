"""Tasks over real brokers: one that redelivers what is still being done, and RabbitMQ. Nobody gets a message twice."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection

from apps.campaigns.models import Run
from apps.campaigns.sending import plan, proof
from apps.channels.counterparts import inbox
from apps.channels.counterparts.process import running
from config.launcher import free_port
from tests.factories.sending import NOW, fast_account, make_message, make_people, plan_one

ROOT = Path(__file__).resolve().parents[2]
RABBIT = next((path for path in ("/usr/lib/rabbitmq/bin/rabbitmq-server",) if Path(path).exists()), None)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sandbox(settings, tmp_path) -> Iterator[Path]:
    settings.SANDBOX_DIR = tmp_path / "sandbox"
    with running(settings.SANDBOX_DIR):
        yield settings.SANDBOX_DIR


def planned(monkeypatch, people: int, rate: int) -> Run:
    monkeypatch.setattr(
        plan.audiences, "compute", lambda message, *, now: type(message).objects.get(pk=message.pk).plan_audience
    )
    account = fast_account(name="Sandbox mail", adapter="sandbox_email")
    account.rate = rate
    account.save()
    return plan_one(make_message(make_people(people), account=account))


@contextmanager
def workers(broker: str, sandbox: Path, diary: Path, **options: float) -> Iterator[Callable[[], None]]:
    """Starts a worker each time it is called; all end with the block."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, "BROKER_URL": broker, "TASKS_IN_PROCESS": "false"}
    command = [sys.executable, "-m", "tests.faults.broker_worker", str(connection.settings_dict["NAME"]), str(sandbox),
               NOW.isoformat(), str(diary), json.dumps(options)]  # fmt: skip
    try:
        yield lambda: started.append(subprocess.Popen(command, cwd=ROOT, env=environment))
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


def ask(broker: str) -> None:
    """Puts one piece of work into the queue of e-mail, as the engine does."""
    app = Celery(broker=broker, set_as_current=False)
    app.conf.task_queues = settings.CELERY_TASK_QUEUES
    app.send_task("campaigns.work_runs", args=["email"], queue="email")
    app.close()


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def everybody_once(run: Run, people: int) -> None:
    until(lambda: proof.run_proof(run)["sent"] == people, 240, "not all was sent")
    got = inbox.references("email")
    assert (len(got), set(got.values())) == (people, {1})
    shown = proof.run_proof(run)
    assert proof.adds_up(shown) and shown["unknown"] == shown["failed"] == shown["waiting"] == 0


def test_a_task_redelivered_while_it_runs_doubles_nobody(sandbox, tmp_path, monkeypatch):
    broker = settings.CLUSTER.broker_url.replace("virtual_host=0", "virtual_host=9")
    diary = tmp_path / "diary"
    diary.touch()
    run = planned(monkeypatch, 160, 60)
    with workers(broker, sandbox, diary, visibility_timeout=1, unacked_restore_throttle=1, together=2) as start:
        start()
        ask(broker)
        until(lambda: "begin" in diary.read_text(), 120, "no worker began")
        start()  # a worker takes what has been invisible for longer than the timeout; the first does not end before
        until(lambda: diary.read_text().count("begin") >= 2, 180, "nothing was redelivered")
        lines = diary.read_text().splitlines()
        assert [line.split()[0] for line in lines[:2]] == ["begin", "begin"], "the second came while the first still ran"
        assert lines[0] != lines[1]
        everybody_once(run, 160)


@pytest.fixture
def rabbit(tmp_path) -> Iterator[str]:
    """A RabbitMQ of our own, in a folder of its own, on ports of its own."""
    if RABBIT is None:
        pytest.skip("rabbitmq-server is not installed")
    port, distribution, mapper = free_port(), free_port(), free_port()
    plugins = tmp_path / "enabled_plugins"
    plugins.write_text("[].")
    environment = {
        **os.environ, "HOME": str(tmp_path), "RABBITMQ_NODENAME": "concord@localhost", "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution), "ERL_EPMD_PORT": str(mapper), "RABBITMQ_MNESIA_BASE": str(tmp_path / "data"),
        "RABBITMQ_LOG_BASE": str(tmp_path / "log"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "ERL_EPMD_ADDRESS": "127.0.0.1",
    }  # fmt: skip
    process = subprocess.Popen([str(RABBIT)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or answers(port), 300, "RabbitMQ did not start")
        assert process.poll() is None, "RabbitMQ ended"
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        process.terminate()
        process.wait(60)
        if epmd := shutil.which("epmd"):
            subprocess.run([epmd, "-port", str(mapper), "-kill"], env=environment, capture_output=True)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            probe.sendall(b"AMQP\x00\x00\x09\x01")
            return probe.recv(1) == b"\x01"
    except OSError:
        return False


def test_a_campaign_goes_out_over_rabbitmq(rabbit, sandbox, tmp_path, monkeypatch):
    diary = tmp_path / "diary"
    diary.touch()
    run = planned(monkeypatch, 120, 60)
    with workers(rabbit, sandbox, diary) as start:
        ask(rabbit)
        start()
        start()
        everybody_once(run, 120)
    # the task asked for itself again, over RabbitMQ, until nothing was left
    until(lambda: diary.read_text().count("end") >= 2, 120, "the task did not come back")
