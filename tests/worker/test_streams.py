"""Several streams of a job: side by side where that may be, and each with its own end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.waiting import until
from tests.worker.real import VAULT, Works
from tests.worker.sync import memory
from tests.worker.sync.memory import MemoryDestination, MemorySource, rows
from worker import connectors
from worker.batch import Batch
from worker.connection import Connection
from worker.connectors.protocol import Capabilities, Stream
from worker.job import Job, StreamSpec, Write
from worker.run import Trigger
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.client import Document


class Meeting(MemorySource):
    """A source of any stream; readers meet in `barrier`, and `most` is how many read at the same time."""

    def __init__(self, parties: int) -> None:
        super().__init__(rows(1, 5))
        self.barrier = threading.Barrier(parties)
        self.reading = self.most = 0
        self.lock = threading.Lock()

    def describe(self, spec: StreamSpec) -> Stream:
        return Stream(name=spec.name, columns=self.columns, key=("id",), rows=5)

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        with self.lock:
            self.reading += 1
            self.most = max(self.most, self.reading)
        self.barrier.wait(30)
        yield Batch(stream=spec.name, rows=self.content, bytes=100)
        with self.lock:
            self.reading -= 1


class OneAtATime(MemoryDestination):
    capabilities: ClassVar[Capabilities] = Capabilities(side_by_side=False)


def go(
    store: Store, folder: Path, source: MemorySource, destination: MemoryDestination, *specs: StreamSpec
) -> Document:
    memory.SOURCES["in"], memory.DESTINATIONS["out"] = source, destination
    for name in ("in", "out"):
        store.connections(VAULT).insert(Connection(id=name, type="memory", settings={"name": name}), frozenset())
    store.jobs.insert(Job(id="j", source="in", destination="out", streams=specs))
    settings = WorkerSettings(production=False, mongo_url=None, mongo_database="", data_dir=folder, claim_ttl=10.0)
    runner = Runner(settings, store, VAULT, store.claims, instance="here")
    run_id = store.runs.create("j", Trigger.MANUAL)["_id"]
    runner.turn()
    until(lambda: not runner.active(), "the attempt ended", timeout=60)
    return store.runs.get(run_id)


@pytest.fixture(autouse=True)
def _memory_connector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectors, "REGISTRY", {**connectors.REGISTRY, "memory": "tests.worker.sync.memory:Memory"})


def specs(*names: str, **more: Any) -> list[StreamSpec]:
    return [StreamSpec(name=name, **more) for name in names]


def test_four_streams_are_moved_at_the_same_time(store: Store, tmp_path: Path) -> None:
    source, destination = Meeting(4), MemoryDestination()
    run = go(store, tmp_path, source, destination, *specs("a", "b", "c", "d", "e", "f", "g", "h"))
    assert run["state"] == "succeeded"
    assert source.most == 4
    assert {name: len(found) for name, found in destination.tables.items()} == dict.fromkeys("abcdefgh", 5)
    assert list(run["progress"]) == list("abcdefgh")


def test_a_destination_of_one_writer_gets_one_stream_after_another(store: Store, tmp_path: Path) -> None:
    source = Meeting(1)
    run = go(store, tmp_path, source, OneAtATime(), *specs("a", "b", "c"))
    assert (run["state"], source.most) == ("succeeded", 1)


def test_streams_into_one_target_go_one_after_another(store: Store, tmp_path: Path) -> None:
    source, destination = Meeting(1), MemoryDestination()
    run = go(store, tmp_path, source, destination, *specs("a", "b", "c", target="all", write=Write.APPEND))
    assert (run["state"], source.most) == ("succeeded", 1)
    assert len(destination.tables["all"]) == 15


@pytest.mark.parametrize("lake", ["sqlite", "postgres", "mongodb", "files"], indirect=True)
def test_one_that_fails_does_not_spoil_the_others(works: Works) -> None:
    for number in range(9):
        works.execute(f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT)")
        works.execute(f"INSERT INTO t{number} VALUES (?, ?)", [(n, f"row {n}") for n in range(50)])
    works.job(*specs(*(f"t{number}" for number in range(9)), "nowhere"))
    run = works.go()
    assert run["state"] == "failed"
    assert run["error"]["message"].startswith("9 of 10 streams succeeded; nowhere: ")
    assert run["error"]["stream"] == "nowhere"
    states = {name: progress["state"] for name, progress in run["progress"].items()}
    assert states == {**{f"t{number}": "succeeded" for number in range(9)}, "nowhere": "failed"}
    assert [len(works.lake.rows(f"t{number}")) for number in range(9)] == [50] * 9
