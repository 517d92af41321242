"""The embedded servers outlive nobody: whatever happens to those attached, nothing is left running."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from config.embedded import Cluster, ServicesFailed
from config.watcher import LINGER_SECONDS, LOOK_SECONDS

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import signal, sys
from pathlib import Path
from config.embedded import Cluster
# a run started in the background hands down that SIGINT is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
cluster = Cluster(Path(sys.argv[1]), "trial")
cluster.attach()
print("attached", flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the wheels are for Linux and macOS")


@pytest.fixture
def cluster(tmp_path):
    found = Cluster(tmp_path, "trial")
    yield found
    found.detach()
    assert wait_until(lambda: not server_processes(found)), "the servers were left behind"


@pytest.fixture
def holder(cluster):
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(cluster.state_dir)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "attached\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def server_processes(cluster):
    """Ids of every process that names this cluster's directory or sockets, the holders themselves excepted."""
    marks = (str(cluster.directory), str(cluster.socket_directory))
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if any(mark in words for mark in marks) and state != "Z":
                found.append(int(entry.name))
    return found


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def query(cluster, statement):
    with psycopg.connect(
        host=str(cluster.socket_directory), user="postgres", dbname="concord", autocommit=True
    ) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def watcher_looks(cluster, times=int(LINGER_SECONDS / LOOK_SECONDS) + 2):
    """Returns when the watcher has slept and looked so often since: oftener than it lingers when nobody is left."""
    status = Path("/proc", (cluster.directory / "ready").read_text().strip(), "status")

    def sleeps():
        return int(status.read_text().partition("\nvoluntary_ctxt_switches:")[2].split()[0])

    before = sleeps()
    assert wait_until(lambda: sleeps() >= before + times)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_servers_end_with_their_last_holder_however_it_ends(cluster, holder, number):
    first, second = holder(), holder()
    first.send_signal(number)
    first.wait()
    watcher_looks(cluster)
    assert query(cluster, "SELECT 1") == [(1,)], "one holder is left, so they run"
    second.send_signal(number)
    second.wait()
    assert wait_until(lambda: not server_processes(cluster))
    assert not (cluster.directory / "ready").exists()


def test_data_is_kept_between_runs(cluster, holder):
    first = holder()
    query(cluster, "CREATE TABLE kept (id int)")
    first.terminate()
    first.wait()
    assert wait_until(lambda: not server_processes(cluster))
    cluster.attach()
    assert query(cluster, "SELECT count(*) FROM kept") == [(0,)]


def test_servers_end_with_their_watcher_and_start_again(cluster, holder):
    holder()
    os.kill(int((cluster.directory / "ready").read_text()), signal.SIGKILL)
    assert wait_until(lambda: len(server_processes(cluster)) <= 1), "only the holder is left"
    cluster.attach()
    assert query(cluster, "SELECT 1") == [(1,)]


def test_a_crashed_postgres_is_started_again_for_those_who_are_attached(cluster):
    cluster.attach()
    query(cluster, "CREATE TABLE kept (id int)")
    os.kill(int((cluster.directory / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert wait_until(lambda: not (cluster.directory / "ready").exists())
    cluster.attach(again=True)
    assert query(cluster, "SELECT count(*) FROM kept") == [(0,)]


def test_many_who_come_at_once_share_one_pair_of_servers(cluster, holder):
    commands = [[sys.executable, "-c", HOLD, str(cluster.state_dir)] for _ in range(4)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for command in commands]
    try:
        assert [process.stdout.readline() for process in processes] == ["attached\n"] * 4
        watchers = [number for number in server_processes(cluster) if "watcher" in words_of(number)]
        assert len(watchers) == 1
    finally:
        for process in processes:
            process.kill()
            process.wait()


def words_of(number):
    return (Path("/proc") / str(number) / "cmdline").read_text(errors="replace")


def test_both_servers_speak_and_names_have_no_language(cluster):
    cluster.attach()
    assert query(cluster, "SELECT datcollate, datlocale FROM pg_database WHERE datname = 'concord'") == [
        ("C", "C.UTF-8")
    ]
    assert query(cluster, "SELECT lower('ŁÆ'), current_setting('server_version_num')::int / 10000") == [("łæ", 18)]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(cluster.socket_directory / "valkey.sock"))
        connection.sendall(b"PING\r\n")
        assert connection.recv(20) == b"+PONG\r\n"


def test_sockets_are_private_and_their_path_is_short(cluster):
    cluster.attach()
    assert (cluster.socket_directory.stat().st_mode & 0o777) == 0o700
    assert len(str(cluster.socket_directory / ".s.PGSQL.5432")) < 100


def test_a_directory_that_somebody_else_has_put_there_is_refused(cluster):
    cluster.socket_directory.symlink_to("/tmp")
    try:
        with pytest.raises(ServicesFailed, match="belongs to somebody else"):
            cluster.attach()
    finally:
        cluster.socket_directory.unlink()
