"""Jobs run for real, one attempt at a time: a SQLite file as the source, any of the real destinations behind it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pymongo

from tests.waiting import until
from worker import connectors
from worker.connection import Connection
from worker.job import Job, StreamSpec
from worker.run import Trigger
from worker.runner import Runner
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault

VAULT = Vault(["a key for the tests"])


class Lake(Protocol):
    """A destination, and a look into it."""

    type: str
    settings: dict[str, str]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Its rows in the order of `id`, without what nobody asked for."""


class SqliteLake:
    type = "sqlite"

    def __init__(self, path: Path) -> None:
        self.settings = {"path": str(path)}

    def execute(self, sql: str) -> None:
        with closing(sqlite3.connect(self.settings["path"])) as database, database:
            database.execute(sql)

    def rows(self, name: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.settings["path"])) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(f"SELECT * FROM {name} ORDER BY id")]


class PostgresLake:
    type = "postgres"

    def __init__(self, url: str) -> None:
        self.settings = {"url": url}

    def execute(self, sql: str) -> None:
        with psycopg.connect(self.settings["url"]) as connection:
            connection.execute(sql)

    def rows(self, name: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.settings["url"], row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(f"SELECT * FROM {name} ORDER BY id").fetchall()


class MongodbLake:
    type = "mongodb"

    def __init__(self, url: str, database: str) -> None:
        self.settings = {"url": url, "database": database}

    def rows(self, name: str) -> list[dict[str, Any]]:
        with pymongo.MongoClient[dict[str, Any]](self.settings["url"]) as client:
            found = client[self.settings["database"]][name].find({}, {"_id": 0}).sort("id", 1)
            return list(found)


class FilesLake:
    type = "files"

    def __init__(self, path: Path) -> None:
        self.settings = {"path": str(path)}

    def rows(self, name: str) -> list[dict[str, Any]]:
        source = connectors.connector("files").source(connectors.settings_of("files", self.settings))
        with source:
            found = [row for batch in source.read(StreamSpec(name=name), None) for row in batch.rows]
        return sorted(found, key=lambda row: row["id"])


class Works:
    """A job `j` from `shop` (a SQLite file) to `lake`; `go` runs it once and gives the run."""

    def __init__(self, store: Store, folder: Path, lake: Lake) -> None:
        self.store = store
        self.lake = lake
        self.shop = folder / "shop.db"
        self._settings = WorkerSettings(
            production=False, mongo_url=None, mongo_database="", data_dir=folder, claim_ttl=10.0
        )
        saved = store.connections(VAULT)
        saved.insert(Connection(id="shop", type="sqlite", settings={"path": str(self.shop)}), frozenset())
        saved.insert(Connection(id="lake", type=lake.type, settings=dict(lake.settings)), frozenset())

    def execute(self, sql: str, rows: Sequence[Sequence[Any]] = ()) -> None:
        """Change the shop."""
        with closing(sqlite3.connect(self.shop)) as database, database:
            if rows:
                database.executemany(sql, rows)
            else:
                database.execute(sql)

    def job(self, *streams: StreamSpec, **more: Any) -> Job:
        """Save the job, or change it."""
        job = Job(id="j", source="shop", destination="lake", streams=streams, **more)
        before = self.store.jobs.find("j")
        return self.store.jobs.replace(job, before.revision) if before else self.store.jobs.insert(job)

    def go(self, run_id: str | None = None) -> Document:
        """One attempt of a new run, or of `run_id`, to its end."""
        runner = Runner(self._settings, self.store, VAULT, self.store.claims, instance="here")
        run_id = run_id or self.store.runs.create("j", Trigger.MANUAL)["_id"]
        runner.turn()
        until(lambda: not runner.active(), "the attempt ended", timeout=60)
        return self.store.runs.get(run_id)

    def done(self) -> Document:
        """As `go`, of a run that succeeds."""
        run = self.go()
        assert run["state"] == "succeeded", run["error"] or run["reason"]
        return run

    def log(self, run: Document) -> list[str]:
        return [line["message"] for line in self.store.logs.page(run["_id"])]
