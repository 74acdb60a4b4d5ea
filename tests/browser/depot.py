"""A place with runs of every fate: some succeed, some try again, are held, take long; instances come and are killed."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymongo
from playwright.sync_api import BrowserContext

from tests.browser.conftest import PASSWORD, make_heap
from tests.program import Program
from tests.waiting import until

TOKEN = "the token of the depot's own questions"
BOOKS = 500
# Short, so that a killed instance is missed soon; long enough for a machine with much to do.
TTL = "6"
JOBS = """\
version: 1
connections:
  heap: {type: sqlite, path: heap.db}
  shelf: {type: sqlite, path: shelf.db}
  away: {type: postgres, url: "postgresql://nobody@127.0.0.1:9/nothing"}
  store: {type: sqlite, path: store.db}
jobs:
  books:
    source: shelf
    destination: store
    streams:
      - {name: books, mode: full, write: replace}
      - {name: authors, mode: full, write: replace}
  grains:
    source: heap
    destination: store
    retry: {attempts: 3, backoff: 1s}
    streams:
      - {name: grains, mode: full, write: upsert, key: [id]}
  flaky:
    source: away
    destination: store
    retry: {attempts: 2, backoff: 15s}
    streams:
      - {name: things, mode: full, write: replace}
  misnamed:
    source: shelf
    destination: store
    streams:
      - {name: boks, mode: full, write: replace}
"""


@dataclass
class Depot:
    """`main` answers; more instances may work beside it. Questions of the tests go with a token of their own."""

    folder: Path
    mongo_url: str
    database: str
    programs: list[Program] = field(default_factory=list)
    cookies: list[Any] = field(default_factory=list)

    @classmethod
    def opened(cls, folder: Path, mongo_url: str, database: str) -> Depot:
        make_heap(folder / "heap.db")
        with closing(sqlite3.connect(folder / "shelf.db")) as shelf, shelf:
            shelf.execute("CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT)")
            shelf.execute("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT)")
            shelf.execute("INSERT INTO authors VALUES (1, 'Borges')")
        (folder / "jobs.yaml").write_text(JOBS)
        depot = cls(folder, mongo_url, database)
        depot.fill_shelf(BOOKS)
        depot.start()
        until(lambda: len(depot.ask("/api/jobs")["items"]) == JOBS.count("source:"), "its jobs are there", timeout=60)
        return depot

    @property
    def main(self) -> Program:
        return self.programs[0]

    def env(self) -> dict[str, str]:
        return {
            "APP_ENV": "production",
            "MONGO_URL": self.mongo_url,
            "MONGO_DATABASE": self.database,
            "SECRET_KEY": "a secret key for the tests",
            "ADMIN_PASSWORD": PASSWORD,
            "AUTH_TOKEN": TOKEN,
            "JOBS_FILE": str(self.folder / "jobs.yaml"),
            "ALLOW_NETWORKS": "127.0.0.0/8",
            "LEASE_TTL": TTL,
            "CLAIM_TTL": TTL,
        }

    def start(self, *arguments: str, port: int | None = None, env: Mapping[str, str] | None = None) -> Program:
        """One more instance; `port` brings a server back where it was."""
        given = self.env() | ({"PORT": str(port)} if port else {}) | dict(env or {})
        program = Program(*(arguments or ("-m", "app")), folder=self.folder, env=given).wait_ready()
        self.programs.append(program)
        return program

    def end(self) -> None:
        for program in self.programs:
            program.end()
        with pymongo.MongoClient[dict[str, Any]](self.mongo_url) as client:
            client.drop_database(self.database)

    def fill_shelf(self, books: int) -> None:
        """Let the source have this many books."""
        with closing(sqlite3.connect(self.folder / "shelf.db")) as shelf, shelf:
            shelf.execute("DELETE FROM books")
            shelf.executemany("INSERT INTO books VALUES (?, ?)", ((n, f"Book {n}") for n in range(books)))

    def let_in(self, window: BrowserContext) -> None:
        """Log a window in, once by password and then by the session of that time: logins are limited."""
        if not self.cookies:
            answer = window.request.post("/api/login", data={"password": PASSWORD})
            assert answer.ok, answer.text()
            self.cookies.extend(window.cookies())
        window.add_cookies(self.cookies)

    # What a program would ask.

    def ask(self, path: str, *, method: str = "GET") -> Any:
        request = urllib.request.Request(
            self.main.url + path, method=method, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def run(self, job: str) -> str:
        """The id of a new run, once the one before has ended."""
        until(lambda: not self._active(job), f"job {job} has no active run", timeout=90)
        run_id: str = self.ask(f"/api/jobs/{job}/run", method="POST")["id"]
        return run_id

    def _active(self, job: str) -> list[Any]:
        active: list[Any] = self.ask(f"/api/runs?job={job}&state=queued,running,held")["items"]
        return active

    def comes_to(self, run_id: str, state: str) -> dict[str, Any]:
        """The run, once it is in that state."""

        def there() -> dict[str, Any] | None:
            run: dict[str, Any] = self.ask(f"/api/runs/{run_id}")
            return run if run["state"] == state else None

        return until(there, f"run {run_id} is {state}", timeout=90)

    def stop(self, run_id: str) -> None:
        """Let a run be over, whether it still went on or not."""
        try:
            self.ask(f"/api/runs/{run_id}/cancel", method="POST")
        except urllib.error.HTTPError as refused:
            if refused.code != 409:
                raise
        until(lambda: self.ask(f"/api/runs/{run_id}")["finished_at"], f"run {run_id} is over", timeout=90)

    def restart_main(self) -> None:
        """Bring the server back where it was killed."""
        gone = self.programs.pop(0)
        self.start(port=gone.port)
        self.programs.insert(0, self.programs.pop())

    def collection(self, name: str) -> pymongo.collection.Collection[dict[str, Any]]:
        client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.mongo_url)
        return client[self.database][name]
