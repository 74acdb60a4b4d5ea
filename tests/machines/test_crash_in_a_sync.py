"""One attempt broken off at every call in turn, to the coordination database and to the destination; another ends it.

Whatever was lost, and wherever the process died: the rows are exact, each attempt has a larger token, nothing is left
running, and the next incremental run goes on from the right place. Woken up after another finished, it changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pymongo import MongoClient

from tests.machines.scene import Scene, at_every_call
from tests.machines.wire import Fault, Fuse, FusedDestination, fused_store
from tests.waiting import until
from worker import attempt, connectors
from worker.attempt import Attempt
from worker.clock import EPOCH
from worker.connection import Connection
from worker.connectors import row_batches
from worker.errors import DestinationUnavailable, Stopped, StoreUnavailable
from worker.job import Job, Mode, Retry, StreamSpec, Write
from worker.rescuer import Rescuer
from worker.run import Trigger
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.signals import Signals
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault

TTL = 30.0
ATTEMPTS = 4
BATCH = 3
FIRST, LATER = 8, 12
Rows = list[tuple[Any, ...]]


class Place:
    """A destination to look into: where it is, and what a target there holds."""

    def __init__(self, kind: str, settings: dict[str, Any], read: Callable[[str], Rows]) -> None:
        self.kind = kind
        self.settings = settings
        self.read = read


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    path = tmp_path / "lake.db"

    def read(target: str) -> Rows:
        with closing(sqlite3.connect(path)) as database:
            return sorted(database.execute(f"SELECT id, name FROM {target}").fetchall())

    return Place("sqlite", {"path": str(path)}, read)


@pytest.fixture
def postgres_place(postgres_database: str) -> Iterator[Place]:
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        query = "SELECT id, name FROM {}"
        yield Place(
            "postgres",
            {"url": postgres_database},
            lambda target: sorted(connection.execute(query.format(target).encode()).fetchall()),
        )


@pytest.fixture
def mongodb_place(mongo_url: str, mongo_database: str) -> Iterator[Place]:
    lake = f"{mongo_database}_lake"
    with MongoClient[Document](mongo_url) as client:
        settings = {"url": mongo_url, "database": lake}
        yield Place("mongodb", settings, lambda to: sorted((d["id"], d["name"]) for d in client[lake][to].find()))
        client.drop_database(lake)


class Sync:
    """A job from a small SQLite table to `place`; for each N a job made anew, with a target of its own."""

    def __init__(self, scene: Scene, place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scene = scene
        self.place = place
        self.vault = Vault(["a key for the tests"])
        self.source = folder / "shop.db"
        self.spec = StreamSpec(name="items")
        self.after_first_write: Callable[[Signals], None] = lambda signals: None
        self._targets = (f"items_{number}" for number in count())
        self._fuse: Any = None
        self._signals = Signals(0)
        self._left: tuple[Document, list[Document], Rows] | None = None
        monkeypatch.setattr(attempt, "STORE_PATIENCE", 0)
        monkeypatch.setattr(row_batches, "TARGET_ROWS", BATCH)
        self._open_end = connectors.open_end
        monkeypatch.setattr(connectors, "open_end", self._open)
        connections = scene.store.connections(self.vault)
        connections.insert(Connection(id="shop", type="sqlite", settings={"path": str(self.source)}), frozenset())
        connections.insert(Connection(id="lake", type=place.kind, settings=place.settings), frozenset())

    def _open(self, name: str, settings: Any, end: Any) -> Any:
        opened = self._open_end(name, settings, end)
        if end == "source" or self._fuse is None:
            return opened
        return FusedDestination(opened, self._fuse, lambda: self.after_first_write(self._signals))

    def begin(self, *, mode: Mode, write: Write) -> None:
        self.fill(FIRST)
        cursor = "id" if mode is Mode.INCREMENTAL else None
        self.spec = StreamSpec(
            name="items", mode=mode, write=write, key=("id",), cursor=cursor, target=next(self._targets)
        )
        retry = Retry(attempts=ATTEMPTS, backoff=0.001)
        store = self.scene.store
        store.jobs.insert(Job(id="j", source="shop", destination="lake", streams=(self.spec,), retry=retry))
        store.runs.create("j", Trigger.MANUAL)
        self._left = None

    def fill(self, rows: int) -> None:
        with closing(sqlite3.connect(self.source)) as database, database:
            database.execute("DROP TABLE IF EXISTS items")
            database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
            database.executemany("INSERT INTO items VALUES (?, ?)", expected(rows))

    def act(self, store: Store, fuse: Any) -> None:
        """Claim the run and work on it once."""
        self._fuse = fuse
        try:
            run = store.claims.claim("first", TTL)
            if run is not None:
                self._signals = Signals(self.scene.clock + TTL * 0.8)
                Attempt(run, store, self.vault, self._signals).execute()
        except StoreUnavailable:
            pass

    def finish(self) -> None:
        """Another instance rescues what is left, and works on it until it ends."""
        self._fuse, store = None, self.scene.store
        self.scene.clock += 10 * TTL
        runs = self.scene.database["runs"]
        for _ in range(ATTEMPTS + 1):
            expired = {"claim.renewed_at": EPOCH, "claim.expires_at": EPOCH}
            runs.update_many({"state": "running"}, {"$set": expired})
            Rescuer(store).turn()
            runs.update_many({}, {"$set": {"not_before": None}})
            run = store.claims.claim("other", TTL)
            if run is None:
                return
            Attempt(run, store, self.vault, Signals(self.scene.clock + TTL)).execute()

    def finish_meanwhile(self) -> None:
        """Another does all of it while this one is frozen; what it leaves must stay."""
        self.finish()
        self._left = self._everything()

    def _everything(self) -> tuple[Document, list[Document], Rows]:
        (run,) = self.scene.database["runs"].find()
        kept = list(self.scene.database["checkpoints"].find())
        return run, kept, self.place.read(self.spec.destination_name)

    def check(self) -> list[str]:
        self.finish()
        run, _, rows = everything = self._everything()
        wrong = []
        if self._left is not None and everything != self._left:
            wrong.append(f"the one that woke up changed {self._left} to {everything}")
        if run["state"] != "succeeded":
            wrong.append(f"the run is {run['state']}: {run['reason'] or run['error']}")
        tokens = [one["token"] for one in run["attempts"]]
        if any(later <= earlier for earlier, later in pairwise([*tokens, run["claim"]["token"] + 1])):
            wrong.append(f"tokens {tokens}, then {run['claim']['token']}")
        outcomes = [one["outcome"] for one in run["attempts"]]
        if run["attempt"] != len(outcomes) - outcomes.count("interrupted"):
            wrong.append(f"attempt {run['attempt']} after {outcomes}")
        if rows != expected(FIRST):
            wrong.append(f"rows {rows}")
        return wrong + (self._next_run() if self.spec.mode is Mode.INCREMENTAL else [])

    def outcomes(self) -> list[str]:
        (run,) = self.scene.database["runs"].find()
        return [one["outcome"] for one in run["attempts"]]

    def _next_run(self) -> list[str]:
        self.fill(LATER)
        run = self.scene.store.runs.create("j", Trigger.MANUAL)
        self.finish()
        rows = self.place.read(self.spec.destination_name)
        wrong = [] if rows == expected(LATER) else [f"after the next run: rows {rows}"]
        again = 1 if self.spec.write is Write.UPSERT else 0  # which reads its last cursor value again
        read = self.scene.store.runs.get(run["_id"])["progress"]["items"]["read"]
        return wrong + ([] if read == LATER - FIRST + again else [f"the next run read {read} rows"])


def expected(rows: int) -> Rows:
    return [(number, f"item {number}") for number in range(1, rows + 1)]


@pytest.fixture
def sync(
    request: pytest.FixtureRequest, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Sync]:
    return lambda kind: Sync(scene, request.getfixturevalue(f"{kind}_place"), tmp_path, monkeypatch)


WAYS = {
    "replace": (Mode.FULL, Write.REPLACE),
    "append": (Mode.FULL, Write.APPEND),
    "upsert": (Mode.FULL, Write.UPSERT),
    "more appended": (Mode.INCREMENTAL, Write.APPEND),
    "more upserted": (Mode.INCREMENTAL, Write.UPSERT),
}
FAULTS = {"request": Fault.REQUEST, "reply": Fault.REPLY, "death": Fault.DEATH, "frozen": Fault.MEANWHILE}
# All of them are `make chaos`; these are the quick proof.
ALWAYS = {
    ("sqlite", "replace", "death"),
    ("sqlite", "append", "frozen"),
    ("postgres", "append", "death"),
    ("mongodb", "replace", "frozen"),
    ("mongodb", "more appended", "reply"),
}


def cases() -> Iterator[Any]:
    for kind in ("sqlite", "postgres", "mongodb"):
        for way in WAYS:
            for fault in FAULTS:
                marks = () if (kind, way, fault) in ALWAYS else (pytest.mark.chaos,)
                yield pytest.param(kind, way, fault, marks=marks)


@pytest.mark.parametrize(("kind", "way", "fault"), list(cases()))
def test_an_attempt_broken_off_anywhere_loses_and_doubles_nothing(
    sync: Callable[[str], Sync], kind: str, way: str, fault: str
) -> None:
    one = sync(kind)
    mode, write = WAYS[way]
    calls = at_every_call(
        one.scene,
        FAULTS[fault],
        one.act,
        one.check,
        begin=lambda: one.begin(mode=mode, write=write),
        meanwhile=one.finish_meanwhile,
    )
    assert calls >= 12


@pytest.mark.parametrize("fault", [pytest.param("request", marks=pytest.mark.chaos), "reply", "death"])
def test_told_to_stop_it_hands_the_run_back_whatever_is_lost(sync: Callable[[str], Sync], fault: str) -> None:
    one = sync("sqlite")
    one.after_first_write = lambda signals: signals.ask(Stopped("this instance is shutting down"))

    calls = at_every_call(
        one.scene, FAULTS[fault], one.act, one.check, begin=lambda: one.begin(mode=Mode.FULL, write=Write.APPEND)
    )
    assert calls >= 8
    assert one.outcomes() == ["interrupted", "succeeded"]  # the last time, when nothing was lost


@pytest.mark.parametrize("fault", ["request", pytest.param("reply", marks=pytest.mark.chaos), "death"])
def test_a_failed_attempt_is_tried_again_whatever_else_is_lost(sync: Callable[[str], Sync], fault: str) -> None:
    one = sync("sqlite")

    def break_off(signals: Signals) -> None:
        raise DestinationUnavailable("the disk is gone")

    one.after_first_write = break_off
    calls = at_every_call(
        one.scene, FAULTS[fault], one.act, one.check, begin=lambda: one.begin(mode=Mode.FULL, write=Write.REPLACE)
    )
    assert calls >= 8
    assert one.outcomes() == ["failed", "succeeded"]


def test_a_claim_whose_answer_was_lost_is_given_back_at_once(sync: Callable[[str], Sync], tmp_path: Path) -> None:
    one = sync("sqlite")
    one.begin(mode=Mode.FULL, write=Write.REPLACE)
    store = fused_store(one.scene.client, one.scene.name, Fuse(1, Fault.REPLY))
    plain = WorkerSettings(production=False, mongo_url=None, mongo_database="", data_dir=tmp_path, concurrency=2)
    runner = Runner(plain, store, one.vault, one.scene.store.claims, instance="first")
    with pytest.raises(StoreUnavailable):
        runner.turn()
    runner.turn()
    until(lambda: not runner.active(), "the attempt ended")
    assert one.outcomes() == ["interrupted", "succeeded"]
    assert one.check() == []
