"""Starting, dying, ending: the real program under real signals, and never a process left behind."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymongo
import pytest

from app.embedded import url_of
from tests.conftest import StartProgram
from tests.program import Program
from tests.servers import free_port, running_mongod
from tests.waiting import until
from worker.store import Store

pytestmark = pytest.mark.journey
PRODUCTION = {"APP_ENV": "production", "SECRET_KEY": "a key of the journeys", "AUTH": "none"}


def pid_of(one: Program, part: str) -> int:
    """The process of `one` whose command line has `part`; 0 where there is none."""
    for pid in one.processes():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if part in command and "/proc/" not in command:
            return pid
    return 0


def test_development_starts_with_its_own_database_and_ends_without_a_trace(program: StartProgram) -> None:
    one = program(env={"SHUTDOWN_GRACE": "10"})
    for name in ("mongod", "api", "worker"):
        one.wait_for(f"{name:<10} | ")
    for part in ("--dbpath", "app api", "-m worker"):
        assert pid_of(one, part)
    assert one.terminate(12) == 0
    assert one.processes() == []


def test_ctrl_c_is_a_clean_end_too(program: StartProgram) -> None:
    one = program(env={"SHUTDOWN_GRACE": "10"})
    one.signal(signal.SIGINT)
    assert one.wait(12) == 0
    assert one.processes() == []


def test_a_second_start_finds_the_same_database(program: StartProgram, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    first = program("-m", "app", "api", env={}, folder=folder)
    url = url_of(folder / "data")
    assert first.terminate() == 0
    program("-m", "app", "api", env={}, folder=folder)
    assert url_of(folder / "data") == url


def test_kill_9_of_the_supervisor_takes_every_child_with_it(program: StartProgram) -> None:
    one = program(env={})
    assert len(one.processes()) >= 5
    one.kill()
    until(lambda: not one.processes(), "no process is left", timeout=10)


def test_kill_9_of_the_one_process_takes_its_database_with_it(program: StartProgram) -> None:
    one = program(env={**PRODUCTION, "EMBEDDED_MONGO": "true"})
    assert len(one.processes()) == 2
    one.kill()
    until(lambda: not one.processes(), "no process is left", timeout=10)


@pytest.mark.parametrize("part", ["app api", "-m worker", "--dbpath"])
def test_a_child_that_dies_is_started_again(part: str, program: StartProgram) -> None:
    one = program(env={})
    before = pid_of(one, part)
    os.kill(before, signal.SIGKILL)
    one.wait_for("starts again in 1 s")
    until(lambda: pid_of(one, part) not in {0, before}, "it runs again")
    one.wait_ready()
    assert one.terminate() == 0
    assert one.processes() == []


def test_the_embedded_database_of_the_one_process_is_started_again(program: StartProgram) -> None:
    one = program(env={**PRODUCTION, "EMBEDDED_MONGO": "true"})
    before = pid_of(one, "--dbpath")
    os.kill(before, signal.SIGKILL)
    until(lambda: pid_of(one, "--dbpath") not in {0, before}, "it runs again")
    one.wait_ready()
    assert one.terminate() == 0
    assert one.processes() == []


def test_five_deaths_within_a_minute_end_all_with_1_and_the_last_lines(
    program: StartProgram, environment: Callable[..., dict[str, str]]
) -> None:
    one = program(env=environment())
    for life in range(1, 6):
        until(lambda life=life: one.output.count("worker started") == life, "the worker runs", timeout=30)  # type: ignore[misc]
        os.kill(pid_of(one, "-m worker"), signal.SIGKILL)
    assert one.wait(20) == 1
    assert "5 times within 60 s" in one.output
    assert "worker started" in one.output.split("Its last lines:")[1]
    assert one.processes() == []


def test_one_process_shares_one_client_the_leases_small_one_apart(
    program: StartProgram, environment: Callable[..., dict[str, str]], mongo_url: str
) -> None:
    one = program(env=environment(**PRODUCTION))
    for path in ("/api/status", "/api/jobs", "/api/runs"):
        assert one.status(path) == 200
    ours = until(lambda: connections(mongo_url, one.pid), "its connections are seen")
    names = [each["appName"] for each in ours]
    assert set(names) == {"syncworker", "syncworker-pulse"}
    assert names.count("syncworker-pulse") <= 3  # its pool of two, and the one that asks whether the server is there
    assert len(ours) <= 12


def connections(mongo_url: str, pid: int) -> list[dict[str, Any]]:
    """What the server says of the connections that the process `pid` has to it."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(entry))
        except OSError:
            continue
    local = set()
    for line in Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if f"socket:[{fields[9]}]" in inodes:
            local.add(f"127.0.0.1:{int(fields[1].split(':')[1], 16)}")
    stage = {"$currentOp": {"allUsers": True, "idleConnections": True}}
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        return [op for op in client.admin.aggregate([stage]) if op.get("client") in local]


def test_a_server_without_its_database_stays_up_says_so_and_goes_on_when_it_comes(program: StartProgram) -> None:
    port = free_port()
    url = f"mongodb://127.0.0.1:{port}/?replicaSet=tests"
    for env in ({"APP_ENV": "development"}, PRODUCTION):
        one = program("-m", "app", "api", env={**env, "MONGO_URL": url}, ready=False)
        until(lambda one=one: one.status("/healthz") == 200, "it answers")  # type: ignore[misc]
        assert one.status("/readyz") == 503
        one.wait_for("MongoDB does not answer")
    with running_mongod(port=port):
        one.wait_ready()
        assert one.terminate(20) == 0


def test_without_a_database_it_ends_at_once_too(program: StartProgram) -> None:
    url = f"mongodb://127.0.0.1:{free_port()}/"
    for command in (("-m", "app"), ("-m", "worker")):
        one = program(*command, env={**PRODUCTION, "MONGO_URL": url, "SHUTDOWN_GRACE": "10"}, ready=False)
        one.wait_for("MongoDB does not answer")
        assert one.terminate(20) == 0


def test_open_event_streams_end_with_the_process(
    program: StartProgram, environment: Callable[..., dict[str, str]]
) -> None:
    one = program(env=environment(**PRODUCTION))
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=20)
    connection.request("GET", "/api/events")
    stream = connection.getresponse()
    assert stream.status == 200
    rest: list[bytes] = []
    reader = threading.Thread(target=lambda: rest.append(stream.read()), daemon=True)
    reader.start()
    assert one.terminate(20) == 0  # well within the grace of 25 s
    reader.join(5)
    assert not reader.is_alive()
    connection.close()


def test_a_second_signal_while_it_ends_is_still_a_clean_end(
    program: StartProgram, environment: Callable[..., dict[str, str]]
) -> None:
    for env in (environment(), environment(**PRODUCTION)):
        one = program(env=env)
        one.signal(signal.SIGTERM)
        one.signal(signal.SIGINT)
        assert one.wait(15) == 0, one.output  # well within the grace of 25 s
        assert one.processes() == []


def test_systemd_is_told_when_it_is_up_that_it_lives_and_when_it_ends(
    program: StartProgram, environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        path = tmp_path / "notify"
        systemd.bind(str(path))
        systemd.settimeout(10)
        one = program(env=environment(**PRODUCTION, NOTIFY_SOCKET=str(path), WATCHDOG_USEC="400000"))
        assert systemd.recv(100) == b"READY=1"
        assert systemd.recv(100) == b"WATCHDOG=1"
        assert systemd.recv(100) == b"WATCHDOG=1"
        one.signal(signal.SIGTERM)
        while (told := systemd.recv(100)) == b"WATCHDOG=1":
            pass
        assert told == b"STOPPING=1"
        assert one.wait() == 0


def test_a_worker_alone_answers_for_its_health_where_asked(
    program: StartProgram, environment: Callable[..., dict[str, str]], store: Store
) -> None:
    port = str(free_port())
    one = program("-m", "worker", env=environment(WORKER_HEALTH_PORT=port, PORT=port))
    assert one.status("/healthz") == 200
    assert one.status("/anything") == 404
    until(store.instances.list, "it tells that it lives")
    second = program("-m", "worker", env=environment(WORKER_HEALTH_PORT=port), ready=False)
    assert second.wait() == 2
    assert f"WORKER_HEALTH_PORT is {port}" in second.output
    assert one.terminate() == 0
    assert store.instances.list() == []


def test_the_health_of_a_worker_without_its_database_is_bad(program: StartProgram) -> None:
    port = str(free_port())
    env = {**PRODUCTION, "MONGO_URL": f"mongodb://127.0.0.1:{free_port()}/", "WORKER_HEALTH_PORT": port, "PORT": port}
    one = program("-m", "worker", env=env, ready=False)
    until(lambda: one.status("/healthz") == 200, "it lives")
    assert one.status("/readyz") == 503
    assert one.terminate(5) == 0
