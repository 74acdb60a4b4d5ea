"""The command line called in this process, and a folder with a shop and a file of jobs to call it in."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from app import cli
from worker.store import Store

FILE = """\
version: 1
connections:
  shop: {type: sqlite, path: shop.db}
  copy: {type: sqlite, path: copy.db}
jobs:
  customers:
    source: shop
    destination: copy
    schedule: {every: 1h}
    streams: [{name: customers}, {name: countries, target: lands}]
  endless:
    source: shop
    destination: copy
    streams: [{name: endless}]
  broken:
    source: shop
    destination: copy
    retry: {attempts: 1}
    streams: [{name: nowhere}]
"""
ENDLESS = """CREATE VIEW endless AS WITH RECURSIVE counted(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM counted)
             SELECT id FROM counted"""


class Cli:
    """`cli("verb", …)` in this process: the exit code; `out` and `err` of the last call."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        self._capsys.readouterr()
        try:
            code = cli.main(arguments)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a shop, and a file of jobs on it."""
    monkeypatch.chdir(tmp_path)
    for name in ("MONGO_URL", "APP_ENV", "NODE_ENV", "SECRET_KEY", "JOBS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "jobs.yaml").write_text(FILE)
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT)")
        shop.executemany("INSERT INTO customers VALUES (?, ?)", [(n, f"customer {n}") for n in range(1, 101)])
        shop.execute("CREATE TABLE countries (code TEXT PRIMARY KEY)")
        shop.executemany("INSERT INTO countries VALUES (?)", [("DE",), ("FR",)])
        shop.execute(ENDLESS)
    return tmp_path


@pytest.fixture
def offline(folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Without a database."""
    return Cli(capsys)


@pytest.fixture
def run(offline: Cli, store: Store, mongo_url: str, mongo_database: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """With a database of this test's own."""
    monkeypatch.setenv("MONGO_URL", mongo_url)
    monkeypatch.setenv("MONGO_DATABASE", mongo_database)
    monkeypatch.setenv("CLAIM_TTL", "2")
    return offline


def rows(folder: Path, table: str) -> int:
    with sqlite3.connect(folder / "copy.db") as copy:
        count: int = copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return count
