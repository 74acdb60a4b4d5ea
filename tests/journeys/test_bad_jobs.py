"""One bad job, whatever it does, delays no other, takes nothing down, and ends failed with the reason."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import StartProgram
from tests.journeys import misbehaving
from tests.program import Program
from tests.waiting import until
from worker.connection import Connection
from worker.job import Job, Retry, Schedule, StreamSpec
from worker.run import Trigger
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault

pytestmark = pytest.mark.journey
KEY = "a key for the journeys"
PLANTED = ("items", "blocks", "exits", "segfaults", "eats", "quits", "is_odd", "floods")
# Generous: what is proved is that nothing waits for a bad job, whose time-outs are far longer or never end.
ON_TIME = timedelta(seconds=5)
# The promise is 2 s; the rest is for a machine on which other tests run.
REACHED = timedelta(seconds=3.5)


class Stage:
    """Jobs from sources of every kind into one SQLite file each, and a program that runs them."""

    def __init__(self, store: Store, start: StartProgram, env: Callable[..., dict[str, str]], folder: Path) -> None:
        self.store = store
        self.folder = folder
        self._start = start
        self._env = env
        self._connections = store.connections(Vault([KEY]))
        self.connection("shop", "sqlite", path=str(folder / "shop.db"))
        with sqlite3.connect(folder / "shop.db") as database:
            for table in PLANTED:
                database.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, name TEXT)")
                database.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(n, f"n{n}") for n in range(50)])
        database.close()

    def connection(self, connection_id: str, kind: str, **settings: Any) -> None:
        secrets = frozenset({"url"} & settings.keys())
        self._connections.insert(Connection(id=connection_id, type=kind, settings=settings), secrets)

    def job(self, job_id: str, source: str = "shop", stream: str | None = None, **more: Any) -> None:
        target = f"{job_id}-out"
        self.connection(target, "sqlite", path=str(self.folder / f"{job_id}.db"))
        retry = Retry(attempts=more.pop("attempts", 2), backoff=1.0, max_backoff=1.0)
        streams = (StreamSpec(name=stream or job_id),)
        self.store.jobs.insert(Job(id=job_id, source=source, destination=target, streams=streams, retry=retry, **more))

    def good_job(self) -> None:
        """Fires every second."""
        self.job("good", stream="items", schedule=Schedule(every=1), next_fire_time=self.store.now())

    def program(self, *arguments: str, ready: bool = True, **more: str) -> Program:
        env = {"APP_ENV": "production", "AUTH": "none", "SECRET_KEY": KEY, "WORKER_CONCURRENCY": "16"} | more
        return self._start(*(arguments or ("-m", "app")), env=self._env(**env), ready=ready)

    def run(self, job_id: str) -> str:
        return str(self.store.runs.create(job_id, Trigger.MANUAL)["_id"])

    def ended(self, run_id: str, timeout: float = 60) -> Document:
        def final() -> Document | None:
            run = self.store.runs.get(run_id)
            return run if run["finished_at"] else None

        return until(final, f"the run of {self.store.runs.get(run_id)['job_id']} ended", timeout=timeout)

    def good_runs_are_on_time(self, since: datetime) -> int:
        """How many fire times of the good job have run since then; each was queued, and started, when it was due."""
        runs = [run for run in self.store.runs.list("good", limit=0) if run["fire_time"] >= since]
        late = [r for r in runs if r["started_at"] and r["started_at"] - r["fire_time"] > ON_TIME]
        late += [r for r in runs if r["queued_at"] - r["fire_time"] > ON_TIME]
        assert late == [] and not any(run["state"] in ("failed", "missed") for run in runs)
        return sum(run["state"] == "succeeded" for run in runs)


@pytest.fixture
def stage(store: Store, program: StartProgram, environment: Callable[..., dict[str, str]], tmp_path: Path) -> Stage:
    return Stage(store, program, environment, tmp_path)


@contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of a server that does `answer` with each connection that it accepts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


VIEWS = """
CREATE VIEW divides AS SELECT n, 1 / (900 - n) AS part FROM generate_series(1, 1000) n;
CREATE VIEW sleeps AS SELECT 1 AS n, pg_sleep(600) IS NULL AS never;
"""
LONG_LINE = 300 * 1024 * 1024


def test_bad_sources_delay_no_other_job(stage: Stage, postgres_database: str) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as database:
        database.execute(VIEWS)
    folder = stage.folder / "files"
    folder.mkdir()
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "garbage.jsonl").write_bytes(os.urandom(200_000))
    with (folder / "long.jsonl").open("wb") as file:
        file.truncate(LONG_LINE)
    stage.connection("pg", "postgres", url=postgres_database)
    stage.connection("files", "files", path=str(folder))
    with listening(lambda connection: None) as silent, listening(socket.socket.close) as rude:
        stage.connection("silent", "postgres", url=f"postgresql://x@127.0.0.1:{silent}/x?connect_timeout=3")
        stage.connection("rude", "postgres", url=f"postgresql://x@127.0.0.1:{rude}/x")
        reasons = {
            "divides": ("pg", "division by zero"),
            "sleeps": ("pg", "the job's timeout of 3 s is used up"),
            "pipe": ("files", "no regular file"),
            "garbage": ("files", "garbage.jsonl"),
            "long": ("files", "long.jsonl, line 1: longer than"),
            "silent": ("silent", "timeout"),
            "rude": ("rude", "server closed the connection"),
            "absent": ("nowhere", "there is no connection 'nowhere'"),
        }
        stage.good_job()
        for job_id, (source, _) in reasons.items():
            attempts = 1 if job_id in ("sleeps", "silent") else 2
            stage.job(job_id, source, attempts=attempts, timeout=3.0 if job_id == "sleeps" else None)
        program = stage.program()
        began = stage.store.now()
        runs = {job_id: stage.run(job_id) for job_id in reasons}
        for job_id, run_id in runs.items():
            run = stage.ended(run_id)
            assert run["state"] == "failed" and reasons[job_id][1] in run["error"]["message"], run
            lasting = run["error"]["type"] in ("BadData", "BadValue", "BadInput", "NotFound")
            assert len(run["attempts"]) == (1 if lasting or job_id in ("sleeps", "silent") else 2), run
            assert program.status("/api/jobs") == program.status("/healthz") == 200
        done = stage.good_runs_are_on_time(began)
        assert done >= 3
        assert most_memory(program.pid) < 400_000_000
        assert program.status("/readyz") == 200


def most_memory(pid: int) -> int:
    """The most bytes that the process ever had in memory."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize("isolation", ["thread", pytest.param("process", marks=pytest.mark.chaos)])
def test_a_cancel_and_a_timeout_reach_what_hangs(stage: Stage, postgres_database: str, isolation: str) -> None:
    with psycopg.connect(postgres_database, autocommit=True) as database:
        database.execute(VIEWS)
    stage.connection("pg", "postgres", url=postgres_database)
    stage.job("sleeps", "pg")
    stage.job("blocks")
    stage.job("times-out", stream="blocks", timeout=1.0, attempts=1)
    stage.good_job()
    program = stage.program(
        RUN_ISOLATION=isolation, PYTHONPATH=misbehaving.python_path(stage.folder), SHUTDOWN_GRACE="1"
    )
    runs = {job_id: stage.run(job_id) for job_id in ("sleeps", "blocks")}
    until(lambda: all(working(stage, run_id) for run_id in runs.values()), "both sources are read", timeout=40)
    for run_id in runs.values():
        stage.store.runs.cancel(run_id, "ann")
    for run_id in runs.values():
        run = stage.ended(run_id)
        assert (run["state"], run["reason"]) == ("cancelled", "cancelled by ann")
        assert run["finished_at"] - run["cancel"]["at"] < REACHED
    timed_out = stage.ended(stage.run("times-out"))
    assert (timed_out["state"], timed_out["error"]["type"]) == ("failed", "TimedOut")
    assert "running" not in [progress["state"] for progress in timed_out["progress"].values()]
    again = stage.run("blocks")
    until(lambda: working(stage, again), "the cancelled job can be run again", timeout=40)
    assert program.terminate() == 0
    assert stage.store.runs.get(again)["state"] == "queued"
    assert program.processes() == []


def working(stage: Stage, run_id: str) -> bool:
    """Whether the run has said that it began to move its stream."""
    return any("started" in line["message"] for line in stage.store.logs.page(run_id))


@pytest.mark.chaos
def test_a_process_of_its_own_takes_the_blow(stage: Stage) -> None:
    reasons = {
        "exits": "the process of this run ended with exit code 7",
        "segfaults": "the process of this run was killed by signal 11 (Segmentation fault)",
        "eats": "the run needed more memory than it may have",
        "quits": "enough",
        "is_odd": "Odd",
    }
    for job_id in reasons:
        stage.job(job_id)
    stage.job("floods")
    stage.good_job()
    program = stage.program(RUN_ISOLATION="process", PYTHONPATH=misbehaving.python_path(stage.folder))
    began = stage.store.now()
    runs = {job_id: stage.run(job_id) for job_id in reasons}
    flood = stage.run("floods")
    for job_id, run_id in runs.items():
        run = stage.ended(run_id)
        assert (run["state"], run["error"]["message"]) == ("failed", reasons[job_id])
        assert run["attempt"] == 2
    the_flood_was_dammed(stage, flood)
    assert stage.good_runs_are_on_time(began) >= 1
    assert program.status("/readyz") == 200 and "printed" not in program.output


def the_flood_was_dammed(stage: Stage, run_id: str) -> None:
    run = stage.ended(run_id)
    assert run["state"] == "succeeded" and run["progress"]["floods"]["written"] == 50
    lines = stage.store.logs.page(run_id, limit=20_000)
    flooded = [line for line in lines if misbehaving.FLOOD_LINE[:30] in line["message"]]
    assert 1_000 < len(flooded) <= 10_000 and max(len(line["message"]) for line in flooded) < 4_100
    assert flooded[0]["message"].startswith("0 all work")
    dropped = misbehaving.FLOOD_LINES - len(flooded)
    assert any(f"{dropped:,} more lines were not kept" in line["message"] for line in lines[-5:])
    assert any(line["message"] == "succeeded" for line in lines), "how it ended is never lost in a flood"


def test_bad_manners_in_a_thread_harm_no_other(stage: Stage) -> None:
    for job_id in ("quits", "is_odd", "floods"):
        stage.job(job_id)
    stage.good_job()
    program = stage.program(PYTHONPATH=misbehaving.python_path(stage.folder), CLAIM_TTL="5")
    began = stage.store.now()
    runs = {job_id: stage.run(job_id) for job_id in ("quits", "is_odd", "floods")}
    for job_id, words in (("quits", "enough"), ("is_odd", "Odd")):
        run = stage.ended(runs[job_id])
        assert (run["state"], run["error"]["message"]) == ("failed", words)
    the_flood_was_dammed(stage, runs["floods"])
    assert stage.good_runs_are_on_time(began) >= 1
    assert most_memory(program.pid) < 400_000_000


def test_a_job_that_kills_its_process_is_failed_after_its_attempts(stage: Stage) -> None:
    stage.job("exits")
    stage.job("items")
    env = {"PYTHONPATH": misbehaving.python_path(stage.folder), "LEASE_TTL": "1", "CLAIM_TTL": "1"}
    poisoned = stage.run("exits")
    deaths = 0
    while stage.store.runs.get(poisoned)["state"] != "failed":  # as whatever supervises it would
        assert deaths < 6, "it dies for ever"
        program = stage.program("-m", "worker", ready=False, **env)
        until(
            partial(_over, stage, program, poisoned),
            "the process died of its run, or the run is over",
            timeout=40,
        )
        deaths += program.process.poll() == 7
    run = stage.store.runs.get(poisoned)
    assert deaths == run["attempt"] == 2
    assert run["error"]["message"] == "its instance died, or froze, during attempt 2"
    assert stage.ended(stage.run("items"))["state"] == "succeeded", "the last one lives, and works"


def _over(stage: Stage, program: Program, run_id: str) -> bool:
    return program.process.poll() == 7 or stage.store.runs.get(run_id)["finished_at"] is not None


def test_a_frozen_worker_shows_in_the_warnings_of_a_process_that_has_none(stage: Stage) -> None:
    stage.job("blocks")
    stage.good_job()
    api = stage.program("-m", "app", "api", ENABLE_SYNC_WORKER="false")
    env = {"PYTHONPATH": misbehaving.python_path(stage.folder), "LEASE_TTL": "1", "CLAIM_TTL": "1"}
    env["SHUTDOWN_GRACE"] = "1"
    frozen = stage.program("-m", "worker", ready=False, **env)
    run_id = stage.run("blocks")
    until(lambda: working(stage, run_id) and kinds(api) == set(), "all is well", timeout=40)
    stage.store.database["instances"].update_many(
        {}, [{"$set": {"started_at": {"$subtract": ["$started_at", 60_000]}}}]
    )  # it has been up for a while
    frozen.signal(signal.SIGSTOP)
    until(lambda: kinds(api) >= {"no_leader", "unclaimed_run"}, "the warnings are there")
    metrics = api.text("/metrics")
    assert 'syncworker_warnings{kind="no_leader"} 1.0' in metrics
    assert re.search(r'syncworker_warnings\{kind="unclaimed_run"\} [12]\.0', metrics)  # the good job may be at work too
    assert 'syncworker_warnings{kind="unreadable_job"} 0.0' in metrics
    frozen.signal(signal.SIGCONT)
    until(lambda: kinds(api) == set(), "the warnings are gone")


def kinds(program: Program) -> set[str]:
    return {warning["kind"] for warning in json.loads(program.text("/api/status"))["warnings"]}
