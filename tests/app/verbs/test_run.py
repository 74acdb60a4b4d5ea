"""`syncworker run`: one run in the foreground, whatever is there already, and however it is ended."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.app.command_line import FILE, Cli, rows
from tests.conftest import StartProgram
from tests.waiting import until
from worker.run import RunState, Trigger
from worker.store import Store

pytestmark = pytest.mark.own_database


def test_run_brings_the_rows_and_is_recorded(run: Cli, folder: Path, store: Store) -> None:
    assert run("run", "customers", "--file", "jobs.yaml") == 0
    assert "customers succeeded: 102 rows read, 102 written" in run.out
    assert (rows(folder, "customers"), rows(folder, "lands")) == (100, 2)
    (recorded,) = store.runs.list()
    assert (recorded["state"], recorded["trigger"]) == (RunState.SUCCEEDED, Trigger.MANUAL)
    assert [job.id for job in store.jobs.list()] == ["customers"]
    assert run("run", "customers", "--json") == 0
    assert run.json["state"] == "succeeded"


def test_a_failed_run_exits_1_and_says_why(run: Cli) -> None:
    assert run("run", "broken", "--file", "jobs.yaml") == 1
    assert "nowhere" in run.err
    assert "syncworker logs" in run.err


def test_a_queued_run_that_nobody_takes_is_taken(run: Cli, store: Store) -> None:
    run("apply", "jobs.yaml")
    queued = store.runs.create("customers", Trigger.MANUAL)
    assert run("run", "customers") == 0
    assert "nobody takes it; going on with it here" in run.out
    assert store.runs.get(queued["_id"])["state"] == RunState.SUCCEEDED


def test_a_queued_run_that_somebody_will_take_is_left_alone(run: Cli, store: Store) -> None:
    run("apply", "jobs.yaml")
    store.instances.beat("another", {"host": "elsewhere", "pid": 1, "version": "0", "mode": "worker"}, [])
    queued = store.runs.create("customers", Trigger.MANUAL)
    assert run("run", "customers") == 1
    assert f"already has a queued or running run (run {queued['_id']})" in run.err


def test_a_held_run_exits_4_until_a_person_says_yes(run: Cli, folder: Path, store: Store) -> None:
    assert run("run", "customers", "--file", "jobs.yaml") == 0
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.execute("DELETE FROM customers WHERE id > 40")
    assert run("run", "customers") == 4
    held = store.runs.list()[0]
    assert (held["state"], rows(folder, "customers")) == (RunState.HELD, 100)
    assert f"syncworker approve {held['_id']}" in run.err
    assert run("run", "customers") == 4
    assert run("approve", held["_id"]) == 0
    assert run("run", "customers") == 0
    assert (store.runs.get(held["_id"])["state"], rows(folder, "customers")) == (RunState.SUCCEEDED, 40)


def test_references_find_what_stands_in_the_environment_file(
    run: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    (folder / ".env").write_text("SHOP=shop.db\n")
    (folder / "jobs.yaml").write_text(FILE.replace("path: shop.db", 'path: "${SHOP}"'))
    assert run("run", "customers", "--file", "jobs.yaml") == 0
    (folder / ".env").unlink()
    del os.environ["SHOP"]
    assert run("run", "customers") == 1
    assert "connections.shop.path: refers to ${SHOP}, which is not set in the environment" in run.err


# The real program.

Environment = Callable[..., dict[str, str]]


@pytest.fixture
def endless(run: Cli, folder: Path, program: StartProgram, environment: Environment) -> Callable[[], Any]:
    """Start `run endless` as a process of its own and wait until it moves rows."""
    run("apply", "jobs.yaml")

    def start() -> Any:
        env = environment(CLAIM_TTL="2")
        one = program("-m", "app", "run", "endless", env=env, ready=False, folder=folder)
        until(lambda: "written" in one.output, "it tells its progress")
        return one

    return start


def test_ctrl_c_cancels_cleanly(endless: Callable[[], Any], store: Store) -> None:
    one = endless()
    one.signal(signal.SIGINT)
    assert one.wait() == 1
    assert "cancelled by the terminal" in one.output
    assert "Traceback" not in one.output
    assert store.runs.list()[0]["state"] == RunState.CANCELLED


def test_a_live_run_elsewhere_is_left_alone(endless: Callable[[], Any], run: Cli, store: Store) -> None:
    one = endless()
    assert run("run", "endless") == 1
    assert "already has a queued or running run" in run.err
    assert store.runs.list()[0]["state"] == RunState.RUNNING
    one.signal(signal.SIGTERM)
    assert one.wait() == 1


def test_the_run_of_a_dead_instance_is_taken_over(
    endless: Callable[[], Any], run: Cli, folder: Path, store: Store
) -> None:
    endless().kill()
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.execute("DROP VIEW endless")
        shop.execute("CREATE VIEW endless AS SELECT id FROM customers")
    assert run("run", "endless") == 0
    assert "its claim expires in" in run.out
    (only,) = store.runs.list()
    assert (only["state"], only["attempt"]) == (RunState.SUCCEEDED, 2)
    assert rows(folder, "endless") == 100
