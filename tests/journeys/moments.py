"""The moments at which a program may be told to stop: each brings a started program there, and says nothing more.

A moment that must last (a swap, a source that hangs) is held by a lock or a silent peer, so that it is met for certain.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from tests.conftest import StartProgram
from tests.program import Program
from tests.waiting import until
from worker.connection import Connection
from worker.job import Guards, Job, StreamSpec, Write
from worker.run import RunState, Trigger
from worker.store import Store
from worker.vault import Vault

KEY = "a key of the journeys"
GRACE = 2
# Promised on top of the grace; and what a machine with too much to do may need besides.
PROMISED, NOISE = 2, 3
# How it runs -> its arguments and its environment.
WAYS: Mapping[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "one process": (("-m", "app"), {"APP_ENV": "production", "AUTH": "none"}),
    "worker alone": (("-m", "worker"), {"APP_ENV": "production"}),
    "development": (("-m", "app"), {"APP_ENV": "development"}),
}
ROWS = 120_000
TINY = 60


@dataclass
class Scene:
    """A store of connections and jobs, and a `way` to start the program on it. `ends` closes what a moment opened."""

    store: Store
    folder: Path
    start: StartProgram
    postgres: str
    env: dict[str, str]
    way: str = "one process"
    runs: list[str] = field(default_factory=list)
    ends: ExitStack = field(default_factory=ExitStack)

    def connect(self, name: str, kind: str, **settings: Any) -> None:
        secret = frozenset({"url"} & settings.keys())
        self.store.connections(Vault([KEY])).insert(Connection(id=name, type=kind, settings=settings), secret)

    def queue(self, source: str, destination: str, stream: str = "items", **spec: Any) -> str:
        """A run of a new job that moves one stream; its id."""
        job = f"job-{len(self.runs)}"
        streams = (StreamSpec(name=stream, **spec),)
        self.store.jobs.insert(
            Job(id=job, source=source, destination=destination, streams=streams, guards=Guards(max_shrink=None))
        )
        run_id: str = self.store.runs.create(job, Trigger.MANUAL)["_id"]
        self.runs.append(run_id)
        return run_id

    def shop(self, rows: int = ROWS) -> None:
        """A SQLite file with a table `items`, as the source `shop`."""
        path = self.folder / "shop.db"
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
            database.executemany("INSERT INTO items VALUES (?, ?)", ((n, f"item {n}" * 4) for n in range(rows)))
        self.connect("shop", "sqlite", path=str(path))

    def lake(self) -> None:
        self.connect("lake", "postgres", url=self.postgres)

    def run(self, run_id: str | None = None) -> dict[str, Any]:
        return self.store.runs.get(run_id or self.runs[0])

    def launch(self, *, ready: bool = False) -> Program:
        arguments, variables = WAYS[self.way]
        return self.start(*arguments, env=variables | self.env, ready=ready and "app" in arguments)

    def begin(self) -> Program:
        """Start the program; return when a worker of it tells that it lives."""
        one = self.launch(ready=True)
        until(self.store.instances.list, "a worker tells that it lives", timeout=60)
        return one

    def running(self) -> None:
        until(lambda: self.run()["state"] == "running", "the run is claimed", timeout=60)

    def rows(self, sql: str) -> Any:
        with psycopg.connect(self.postgres) as connection:
            row = connection.execute(sql).fetchone()
        return row[0] if row else None


Moment = Callable[[Scene], Program]
GONE = "an instance that died"
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)


def written(run: Mapping[str, Any]) -> int:
    return sum(stream.get("written", 0) for stream in run["progress"].values())


def idle(scene: Scene) -> Program:
    one = scene.begin()
    until(lambda: (scene.store.leases.current() or {}).get("holder"), "it leads")
    return one


def claiming(scene: Scene) -> Program:
    """Many tiny runs wait, and some are done."""
    scene.shop(rows=3)
    scene.lake()
    for number in range(TINY):
        scene.queue("shop", "lake", target=f"items_{number}")
    one = scene.begin()
    until(lambda: any(scene.run(each)["finished_at"] for each in scene.runs), "one is done", timeout=60)
    return one


def writing(scene: Scene) -> Program:
    scene.shop()
    scene.lake()
    scene.queue("shop", "lake", write=Write.APPEND)
    one = scene.begin()
    until(lambda: written(scene.run()) > 0, "rows are written", timeout=60)
    return one


def swapping(scene: Scene) -> Program:
    """All rows are staged beside the old table, and the swap waits for a writer of somebody else's."""
    scene.shop(rows=5_000)
    scene.lake()
    with psycopg.connect(scene.postgres) as connection:
        connection.execute("CREATE TABLE items (id bigint PRIMARY KEY, name text)")
        connection.execute("INSERT INTO items VALUES (1, 'old')")
    other = scene.ends.enter_context(psycopg.connect(scene.postgres))
    other.execute("LOCK TABLE items IN SHARE ROW EXCLUSIVE MODE")
    scene.queue("shop", "lake")
    one = scene.begin()
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'items'::regclass"
    until(lambda: scene.rows(waits), "the swap waits", timeout=60)
    return one


def waiting_for_a_file(scene: Scene) -> Program:
    """The destination is a SQLite file that somebody else writes to, for ever."""
    scene.shop(rows=5_000)
    path = scene.folder / "lake.db"
    other = scene.ends.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
    other.execute("BEGIN IMMEDIATE")
    scene.connect("lake", "sqlite", path=str(path))
    scene.queue("shop", "lake")
    one = scene.begin()
    until(lambda: _opened(one, path), "the file is opened", timeout=60)
    return one


def _opened(one: Program, path: Path) -> bool:
    links = (entry for pid in one.processes() for entry in Path(f"/proc/{pid}/fd").iterdir())
    return any(os.readlink(link) == str(path) for link in links)


def unswapped(scene: Scene, moment: Moment) -> bool:
    """Whether the target of `swapping` or `waiting_for_a_file` is as it was before."""
    if moment is swapping:
        until(lambda: scene.rows("SELECT count(*) FROM pg_stat_activity WHERE state = 'active'") == 1, "no other works")
        return bool(scene.rows("SELECT string_agg(name, '') FROM items") == "old")
    with closing(sqlite3.connect(scene.folder / "lake.db")) as lake:
        return not lake.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'items'").fetchone()[0]


def querying(scene: Scene) -> Program:
    """The source is a query that takes for ever, inside a C call of its driver."""
    with psycopg.connect(scene.postgres) as connection:
        connection.execute("CREATE VIEW slow AS SELECT n, pg_sleep(600)::text AS name FROM generate_series(1, 9) n")
    scene.lake()
    scene.connect("target", "sqlite", path=str(scene.folder / "target.db"))
    scene.queue("lake", "target", "slow")
    one = scene.begin()
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    until(lambda: scene.rows(asleep), "it sleeps", timeout=60)
    return one


def connecting(scene: Scene) -> Program:
    """The source takes the connection and never says a word."""
    silent = scene.ends.enter_context(socket.create_server(("127.0.0.1", 0)))
    silent.settimeout(60)
    port = silent.getsockname()[1]
    scene.connect("silent", "postgres", url=f"postgresql://nobody@127.0.0.1:{port}/none?connect_timeout=600")
    scene.lake()
    scene.queue("silent", "lake")
    one = scene.begin()
    scene.ends.enter_context(silent.accept()[0])
    return one


def rescuing(scene: Scene) -> Program:
    """Runs of an instance that died long ago are found and queued again."""
    scene.shop(rows=3)
    scene.lake()
    for number in range(TINY):
        scene.queue("shop", "lake", target=f"items_{number}")
        claim = {"instance": GONE, "token": 1, "renewed_at": LONG_AGO, "expires_at": LONG_AGO}
        change = {"state": str(RunState.RUNNING), "attempt": 1, "attempt_started_at": LONG_AGO, "claim": claim}
        scene.store.database["runs"].update_one({"_id": scene.runs[-1]}, {"$set": change})
    one = scene.begin()
    until(lambda: any(scene.run(each)["attempts"] for each in scene.runs), "one is rescued", timeout=60)
    return one


def listening(scene: Scene) -> Program:
    """Three event streams are open; the last listener takes not one byte."""
    one = scene.begin()
    for window in (None, None, 1):
        listener = scene.ends.enter_context(closing(socket.socket()))
        if window:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        listener.connect(("127.0.0.1", one.port))
        listener.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if not window:
            assert b" 200 " in listener.recv(100)
    return one


def asked(scene: Scene) -> Program:
    """The API tries a connection to a server that never says a word, and a body never comes whole."""
    silent = scene.ends.enter_context(socket.create_server(("127.0.0.1", 0)))
    silent.settimeout(60)
    url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none?connect_timeout=600"
    scene.connect("silent", "postgres", url=url)
    one = scene.begin()
    for route, length in (("connections/silent/test", 0), ("jobs", 1000)):
        asking = scene.ends.enter_context(socket.create_connection(("127.0.0.1", one.port)))
        head = f"POST /api/{route} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        asking.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + b"{" * (length // 2))
    scene.ends.enter_context(silent.accept()[0])
    return one
