"""Runs from claim to record, on a real MongoDB with ends in memory: how each ends, and what is left for the next."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from tests.worker.sync import memory
from tests.worker.sync.memory import MemoryDestination, MemorySource, rows
from worker import connectors
from worker.connection import Connection
from worker.errors import BadData, SourceUnavailable
from worker.job import Job, Mode, Retry, StreamSpec, Write
from worker.rescuer import Rescuer
from worker.run import Trigger
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault

pytestmark = pytest.mark.own_database


class Bench:
    """One instance's runner over a source and a destination in memory."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.vault = Vault(["a key for the tests"])
        self.settings = WorkerSettings(
            production=False, mongo_url=None, mongo_database="", data_dir=folder, concurrency=2, claim_ttl=10.0
        )
        self.runner = self.instance("here")
        self.source, self.destination = MemorySource(rows(1, 25)), MemoryDestination()
        memory.SOURCES["in"], memory.DESTINATIONS["out"] = self.source, self.destination
        saved = store.connections(self.vault)
        for name in ("in", "out"):
            saved.insert(Connection(id=name, type="memory", settings={"name": name}), frozenset())

    def instance(self, name: str) -> Runner:
        return Runner(self.settings, self.store, self.vault, self.store.claims, instance=name)

    def job(self, *streams: StreamSpec, **more: Any) -> Job:
        streams = streams or (StreamSpec(name="people", key=("id",)),)
        return self.store.jobs.insert(Job(id="j", source="in", destination="out", streams=streams, **more))

    def go(self, run_id: str | None = None) -> Document:
        """Queue a run (or take `run_id`), work on it to the end of one attempt, and return it."""
        run_id = run_id or self.store.runs.create("j", Trigger.MANUAL)["_id"]
        self.runner.turn()
        until(lambda: not self.runner.active(), "the attempt ended")
        return self.store.runs.get(run_id)

    def log(self, run: Document) -> list[str]:
        return [line["message"] for line in self.store.logs.page(run["_id"])]


@pytest.fixture
def bench(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    registry = {**connectors.REGISTRY, "memory": "tests.worker.sync.memory:Memory"}
    monkeypatch.setattr(connectors, "REGISTRY", registry)
    bench = Bench(store, tmp_path)
    yield bench
    if bench.source.gate:
        bench.source.gate.set()
    bench.runner.drain()
    bench.runner.wait_idle(10, threading.Event())


def test_a_run_moves_its_rows_and_is_recorded(bench: Bench) -> None:
    bench.job()
    run = bench.go()
    assert run["state"] == "succeeded"
    assert bench.destination.tables["people"] == rows(1, 25)
    assert run["progress"]["people"]["written"] == 25
    assert run["claim"] == {"instance": None, "token": 1, "renewed_at": None, "expires_at": None}
    assert [(a["attempt"], a["instance"], a["outcome"]) for a in run["attempts"]] == [(1, "here", "succeeded")]
    assert run["queued_at"] <= run["started_at"] <= run["finished_at"]
    assert bench.log(run) == ["started (full, replace)", "succeeded: 25 rows written", "succeeded"]


def test_a_source_that_does_not_answer_is_tried_again_later(bench: Bench) -> None:
    bench.job(retry=Retry(attempts=2, backoff=3600, max_backoff=3600))
    bench.source.fails_after, bench.source.error = 10, SourceUnavailable("connection reset")
    run = bench.go()
    assert (run["state"], run["attempt"], run["error"]["type"]) == ("queued", 1, "SourceUnavailable")
    assert run["error"] == {"type": "SourceUnavailable", "message": "connection reset", "stream": "people"}
    assert run["not_before"] > run["queued_at"]
    assert "attempt 1 of 2 failed; the next in" in run["reason"]


def test_the_last_attempt_fails_the_run_with_its_reason(bench: Bench) -> None:
    bench.job(retry=Retry(attempts=2, backoff=0))
    bench.source.fails_after, bench.source.error = 10, SourceUnavailable("connection reset")
    first = bench.go()
    run = bench.go(first["_id"])
    assert (run["state"], run["attempt"]) == ("failed", 2)
    assert run["error"]["message"] == "connection reset"
    assert "failed after attempt 2 of 2: connection reset" in bench.log(run)


def test_the_second_attempt_goes_on_where_the_first_broke_off(bench: Bench) -> None:
    bench.job(StreamSpec(name="people", write=Write.APPEND, key=("id",)), retry=Retry(attempts=2, backoff=0))
    bench.source.fails_after, bench.source.error = 20, SourceUnavailable("connection reset")
    first = bench.go()
    bench.source.fails_after = None
    run = bench.go(first["_id"])
    assert run["state"] == "succeeded"
    assert bench.source.asked_from == [None, 20]
    assert bench.destination.tables["people"] == rows(1, 25)
    assert run["progress"]["people"]["read"] == 25


def test_bad_data_fails_at_once(bench: Bench) -> None:
    bench.job()
    bench.source.fails_after, bench.source.error = 10, BadData("line 11 has 3 fields, the header has 2")
    run = bench.go()
    assert (run["state"], run["attempt"], run["error"]["type"]) == ("failed", 1, "BadData")


def test_an_error_nobody_foresaw_is_tried_again_and_told(bench: Bench) -> None:
    bench.job()
    bench.source.fails_after, bench.source.error = 10, ZeroDivisionError("division by zero")
    run = bench.go()
    assert run["state"] == "queued"
    assert "ZeroDivisionError: division by zero" in bench.log(run)


def test_one_stream_that_fails_does_not_spoil_the_others(bench: Bench) -> None:
    bench.job(StreamSpec(name="nothing"), StreamSpec(name="people", key=("id",)))
    run = bench.go()
    assert run["state"] == "failed"
    assert run["progress"]["nothing"]["state"] == "failed"
    assert run["progress"]["people"]["state"] == "succeeded"
    assert run["error"]["stream"] == "nothing"
    assert bench.destination.tables["people"] == rows(1, 25)


def test_a_cancel_ends_a_running_sync(bench: Bench) -> None:
    bench.job()
    bench.source.gate = threading.Event()
    run = bench.store.runs.create("j", Trigger.MANUAL)
    bench.runner.turn()
    until(lambda: bench.source.asked_from, "the source is read")
    bench.store.runs.cancel(run["_id"], "ann")
    bench.runner.beat()
    until(lambda: not bench.runner.active(), "the attempt ended")
    after = bench.store.runs.get(run["_id"])
    assert (after["state"], after["reason"]) == ("cancelled", "cancelled by ann")
    assert after["progress"]["people"]["state"] == "cancelled"
    assert "people" not in bench.destination.tables


def test_a_stop_hands_the_run_back_with_its_attempt(bench: Bench) -> None:
    bench.job(StreamSpec(name="people", write=Write.APPEND, key=("id",)))
    bench.source.gate = threading.Event()
    run = bench.store.runs.create("j", Trigger.MANUAL)
    bench.runner.turn()
    until(lambda: bench.destination.tables.get("people"), "the first batch is written")
    bench.runner.drain()
    assert bench.runner.wait_idle(10, threading.Event())
    after = bench.store.runs.get(run["_id"])
    assert (after["state"], after["attempt"], after["claim"]["token"]) == ("queued", 0, 1)
    assert after["attempts"][0]["outcome"] == "interrupted"
    bench.source.gate.set()
    other = bench.instance("there")
    other.turn()
    until(lambda: not other.active(), "the other instance finished it")
    assert bench.store.runs.get(run["_id"])["state"] == "succeeded"
    assert bench.destination.tables["people"] == rows(1, 25)


def test_what_does_not_stop_in_time_is_handed_back_and_fenced(bench: Bench) -> None:
    bench.job()
    bench.source.gate = threading.Event()
    run = bench.store.runs.create("j", Trigger.MANUAL)
    bench.runner.turn()
    until(lambda: bench.source.asked_from, "the source is read")
    bench.runner.hand_back()
    after = bench.store.runs.get(run["_id"])
    assert (after["state"], after["attempt"]) == ("queued", 0)
    until(lambda: not bench.runner.active(), "the attempt ended")
    assert bench.store.runs.get(run["_id"])["attempts"] == after["attempts"]


def test_a_lost_claim_writes_nothing_more(bench: Bench) -> None:
    bench.job()
    bench.source.gate = threading.Event()
    run = bench.store.runs.create("j", Trigger.MANUAL)
    bench.runner.turn()
    until(lambda: bench.source.asked_from, "the source is read")
    past = {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": 60}}
    change = {"claim.renewed_at": past, "claim.expires_at": past}
    bench.store.database["runs"].update_one({"_id": run["_id"]}, [{"$set": change}])
    Rescuer(bench.store).turn()
    assert bench.store.runs.get(run["_id"])["state"] == "queued"
    bench.runner.beat()
    until(lambda: not bench.runner.active(), "the attempt ended")
    assert bench.store.runs.get(run["_id"])["state"] == "queued"
    assert "people" not in bench.destination.tables


def test_the_dead_are_rescued_until_their_attempts_are_spent(bench: Bench) -> None:
    bench.job(retry=Retry(attempts=2, backoff=0))
    run = bench.store.runs.create("j", Trigger.MANUAL)
    past = {"$dateSubtract": {"startDate": "$$NOW", "unit": "second", "amount": 60}}
    for expected in ("queued", "failed"):
        bench.store.claims.claim("dead", 10)
        change = {"claim.renewed_at": past, "claim.expires_at": past}
        bench.store.database["runs"].update_one({"_id": run["_id"]}, [{"$set": change}])
        Rescuer(bench.store).turn()
        after = bench.store.runs.get(run["_id"])
        assert after["state"] == expected
    assert after["reason"] == "its instance died, or froze, during attempt 2 of 2"


def test_the_timeout_ends_a_run_that_hangs(bench: Bench) -> None:
    bench.job(timeout=0.001, retry=Retry(attempts=1))
    bench.source.gate = threading.Event()
    run = bench.store.runs.create("j", Trigger.MANUAL)
    bench.runner.turn()
    until(lambda: bench.source.asked_from, "the source is read")
    bench.runner.beat()
    until(lambda: not bench.runner.active(), "the attempt ended")
    after = bench.store.runs.get(run["_id"])
    assert (after["state"], after["error"]["type"]) == ("failed", "TimedOut")


def test_a_job_disabled_meanwhile_does_not_start_by_its_schedule(bench: Bench) -> None:
    bench.job(enabled=False)
    run = bench.store.runs.create("j", Trigger.SCHEDULE)
    after = bench.go(run["_id"])
    assert (after["state"], after["reason"]) == ("cancelled", "the job was disabled")


def test_a_held_run_waits_and_goes_on_when_approved(bench: Bench) -> None:
    bench.job()
    bench.destination.tables["people"] = rows(1, 100)
    run = bench.go()
    assert (run["state"], run["held"]["removes"]) == ("held", 75)
    assert run["progress"]["people"]["state"] == "held"
    assert len(bench.destination.tables["people"]) == 100
    bench.store.runs.approve(run["_id"], "ann")
    after = bench.go(run["_id"])
    assert after["state"] == "succeeded"
    assert len(bench.destination.tables["people"]) == 25


def test_an_incremental_job_reads_on_from_its_checkpoint(bench: Bench) -> None:
    spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="id", key=("id",))
    bench.job(spec)
    assert bench.go()["state"] == "succeeded"
    bench.source.content += rows(26, 30)
    second = bench.go()
    assert second["progress"]["people"]["read"] == 5
    assert bench.destination.tables["people"] == rows(1, 30)
    (kept,) = bench.store.checkpoints.list("j")
    assert (kept["value"], kept["sequence"]) == (30, second["sequence"])


def test_a_reset_reads_from_the_beginning(bench: Bench) -> None:
    spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="id", key=("id",))
    bench.job(spec)
    bench.go()
    assert bench.store.checkpoints.reset("j") == ["people"]
    assert bench.store.checkpoints.list("j") == []
    assert bench.go()["progress"]["people"]["read"] == 25


def test_a_job_made_anew_under_the_same_id_begins_anew(bench: Bench) -> None:
    spec = StreamSpec(name="people", mode=Mode.INCREMENTAL, write=Write.APPEND, cursor="id", key=("id",))
    bench.job(spec)
    for _ in range(3):
        bench.go()
    bench.store.jobs.delete("j")
    bench.store.database["runs"].delete_many({"sequence": {"$gt": 1}})  # as the pruner might
    bench.job(spec)
    run = bench.go()
    assert (run["state"], run["sequence"], run["progress"]["people"]["read"]) == ("succeeded", 2, 25)


def test_a_missing_connection_fails_the_run_with_its_name(bench: Bench) -> None:
    bench.job()
    bench.store.database["connections"].delete_one({"_id": "out"})
    run = bench.go()
    assert (run["state"], run["error"]["message"]) == ("failed", "there is no connection 'out'")


def test_no_more_runs_than_slots(bench: Bench) -> None:
    bench.source.gate = threading.Event()
    for name in ("a", "b", "c"):
        streams = (StreamSpec(name="people", target=name, key=("id",)),)
        bench.store.jobs.insert(Job(id=name, source="in", destination="out", streams=streams))
        bench.store.runs.create(name, Trigger.MANUAL)
    bench.runner.turn()
    assert len(bench.runner.active()) == 2
    assert bench.store.runs.counts() == {"queued": 1, "running": 2, "held": 0}
