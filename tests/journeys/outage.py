"""One instance on a MongoDB behind a proxy, with jobs that fire and a long sync, to be watched through an outage.

The observer talks to the real server, past the proxy. What it times is printed, not asserted.
"""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pymongo
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from tests.journeys import checker
from tests.journeys.proxy import Proxy
from tests.program import Program
from tests.servers import Server, free_port, running_mongod
from tests.waiting import until
from worker import store as stores
from worker.connection import Connection
from worker.job import Job, Mode, Retry, Schedule, StreamSpec, Write
from worker.run import FINAL, Trigger
from worker.store import Store
from worker.store.client import server_now
from worker.vault import Vault

KEY = "a key of the journeys"
NAME = "away"
TICKERS = ("tick-1", "tick-2", "tick-3")
EVERY = timedelta(seconds=1)
ROWS = 40_000
# A call ends within 5 s; the rest is for a machine that does other things as well.
ANSWERED = 8.0
# Every route that asks the database, the reading ones first.
READS = ("/api/status", "/api/jobs", "/api/jobs/tick-1", "/api/runs", "/api/instances", "/api/connections")
WRITES = ("/api/jobs/manual/run", "/api/jobs/tick-1/disable", "/api/jobs/tick-1/reset")
ENV = {
    "APP_ENV": "production",
    "AUTH": "none",
    "SECRET_KEY": KEY,
    "MONGO_DATABASE": NAME,
    "LEASE_TTL": "3",
    "CLAIM_TTL": "6",
}


@dataclass(frozen=True)
class Said:
    """An answer of the API: its status (0: none), its JSON or text, and how long it took."""

    status: int
    body: Any
    seconds: float


def ask(one: Program, path: str, method: str = "GET") -> Said:
    began = time.monotonic()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(one.url + path, method=method, headers=headers)
    if method == "POST":
        request.data = b"{}"
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    except OSError:
        status, text = 0, b""
    seconds = time.monotonic() - began
    return Said(status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode(), seconds)


def save_jobs(store: Store, folder: Path, lake: str) -> None:
    """Three jobs that fire every second, from SQLite to SQLite; and a large one, into MongoDB at `lake`."""
    shop = folder / "shop.db"
    with closing(sqlite3.connect(shop)) as database, database:
        database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO items VALUES (?, ?)", ((n, f"item {n}") for n in range(ROWS)))
        database.execute("CREATE TABLE few (id INTEGER PRIMARY KEY)")
        database.executemany("INSERT INTO few VALUES (?)", ((n,) for n in range(10)))
    connections = store.connections(Vault([KEY]))
    connections.insert(Connection(id="shop", type="sqlite", settings={"path": str(shop)}), frozenset())
    connections.insert(Connection(id="lake", type="mongodb", settings={"url": lake, "database": "lake"}), frozenset())
    few = StreamSpec(name="few", write=Write.REPLACE)
    first = store.now().replace(microsecond=0) + timedelta(seconds=2)
    for name in TICKERS:
        path = str(folder / f"{name}.db")
        connections.insert(Connection(id=name, type="sqlite", settings={"path": path}), frozenset())
        schedule = Schedule(every=EVERY.total_seconds())
        store.jobs.insert(
            Job(id=name, source="shop", destination=name, streams=(few,), schedule=schedule, next_fire_time=first)
        )
    store.jobs.insert(Job(id="manual", source="shop", destination="tick-1", streams=(few,), schedule=None))
    large = StreamSpec(name="items", mode=Mode.INCREMENTAL, cursor="id", key=("id",), write=Write.APPEND)
    retry = Retry(attempts=10, backoff=1.0, max_backoff=1.0)
    store.jobs.insert(Job(id="large", source="shop", destination="lake", streams=(large,), schedule=None, retry=retry))


class Watched:
    """The instance `one` on a database with jobs, and `direct`, the observer's own way to it."""

    one: Program
    direct: pymongo.MongoClient[dict[str, Any]]

    @contextmanager
    def observed(self, url: str, folder: Path, *, lake: str) -> Iterator[None]:
        """Save the jobs, and watch the database at `url`."""
        with pymongo.MongoClient[dict[str, Any]](url, tz_aware=True) as self.direct:
            with closing(stores.open(url, NAME, timeout=60)) as store:
                store.ensure_indexes()
                save_jobs(store, folder, lake)
                store.runs.create("large", Trigger.MANUAL)
            yield

    @property
    def database(self) -> Database[dict[str, Any]]:
        return self.direct[NAME]

    def slow_down(self, seconds: float) -> None:
        """Let each batch of the long sync take longer, where that can be done."""

    # What is seen.

    def lease(self) -> dict[str, Any]:
        return self.database["leases"].find_one({"_id": "scheduler"}) or {}

    def now(self) -> datetime:
        return server_now(self.database)

    def done(self, since: datetime | None = None) -> int:
        """Scheduled runs that succeeded, of those planned since then."""
        query: dict[str, Any] = {"state": "succeeded", "trigger": "schedule"}
        if since:
            query["queued_at"] = {"$gt": since}
        return self.database["runs"].count_documents(query)

    def large(self) -> dict[str, Any]:
        return self.database["runs"].find_one({"job_id": "large"}) or {}

    def large_written(self) -> int:
        return self.direct["lake"]["items"].count_documents({})

    def working(self) -> None:
        """Wait until it leads, runs succeed and the long sync is under way."""
        self.slow_down(0.15)
        until(lambda: self.done() >= 3 and self.large_written() > 0, "runs succeed and the long one writes", timeout=40)

    def told(self, *, reads: int = 503) -> None:
        """Wait until the instance says that the database is away; then it answers every route, and soon."""
        began = time.monotonic()
        until(lambda: ask(self.one, "/readyz").status == 503, "it says that it is not ready")
        figures = {"/readyz says so": time.monotonic() - began}
        assert ask(self.one, "/healthz").status == 200
        wanted = dict.fromkeys(READS, reads) | dict.fromkeys(WRITES, 503) | {"/metrics": 200}
        with ThreadPoolExecutor(len(wanted)) as pool:
            asked = {path: pool.submit(ask, self.one, path, "POST" if path in WRITES else "GET") for path in wanted}
        answers = {path: one.result() for path, one in asked.items()}
        figures |= {path: said.seconds for path, said in answers.items()}
        report(figures)
        assert {path: said.status for path, said in answers.items()} == wanted
        assert max(said.seconds for said in answers.values()) < ANSWERED

    def over(self) -> None:
        """After the outage: wait until everything goes on, and print how long each took."""
        durable = WriteConcern("majority", j=True)
        marks = self.direct["observer"].get_collection("marks", write_concern=durable)
        until(lambda: marks.insert_one({}), "the database takes writes of a majority", timeout=60)
        began, back = time.monotonic(), self.now()
        waits: dict[str, Callable[[], bool]] = {
            "ready": lambda: ask(self.one, "/readyz").status == 200,
            "lease": lambda: self.lease().get("renewed_at", back) > back,
            "a run": lambda: self.done(since=back) > 0,
            "an answer": lambda: ask(self.one, "/api/jobs").status == 200,
        }
        figures: dict[str, float] = {}

        def all_seen() -> bool:
            for name, probe in waits.items():
                if name not in figures and probe():
                    figures[name] = time.monotonic() - began
            return len(figures) == len(waits)

        until(all_seen, "everything goes on", timeout=40)
        report(figures)

    def checked(self, promises: Callable[[Any, timedelta], list[str]] = checker.all_promises) -> None:
        """Let the long sync end and stop the instance; then nothing is lost and nothing twice."""
        self.slow_down(0)
        until(lambda: self.large().get("state") in FINAL, "the long sync ends", timeout=60)
        done = self.done()
        until(lambda: self.done() > done + 2 * len(TICKERS), "scheduling goes on", timeout=40)
        assert self.one.terminate() == 0, self.one.output
        large = self.large()
        print("large:", large["state"], "attempts:", [attempt["outcome"] for attempt in large["attempts"]])
        assert large["state"] == "succeeded", large["error"]
        rows = self.direct["lake"]["items"].distinct("id")
        assert (self.large_written(), len(rows)) == (ROWS, ROWS)
        wrong = promises(self.database, EVERY)
        assert wrong == [], wrong


class Outage(Watched):
    """`server` (restarted with `down` and `up`), `proxy` before it, another before the long sync's destination."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._folder = folder
        self._flags = flags
        self._port = free_port()
        self._running = ExitStack()
        self.proxy = Proxy(self._port)
        self.lake = Proxy(self._port)
        self.server: Server

    @contextmanager
    def prepared(self) -> Iterator[Outage]:
        with self.proxy, self.lake, self._running:
            self.up()
            url = f"mongodb://127.0.0.1:{self._port}/?directConnection=true"
            with self.observed(url, self._folder, lake=f"mongodb://{self.lake.host}/?directConnection=true"):
                yield self

    def slow_down(self, seconds: float) -> None:
        self.lake.delay(seconds)

    def up(self) -> None:
        """Start mongod (again)."""
        data = self._folder / "mongod"
        self.server = self._running.enter_context(
            running_mongod(port=self._port, folder=data, host=self.proxy.host, flags=self._flags)
        )

    def down(self) -> None:
        """Stop mongod."""
        self._running.close()


def report(figures: dict[str, float]) -> None:
    print("  ".join(f"{name} {seconds:.1f} s" for name, seconds in figures.items()))
