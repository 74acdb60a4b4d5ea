"""`syncworker undo`: asks at a terminal, goes back, and says to which run; refuses what cannot be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.app.command_line import FILE, Cli, rows
from worker.run import RunState
from worker.store import Store


@pytest.fixture
def twice(run: Cli, folder: Path) -> str:
    """Run a job with an undo twice; the id of its first run."""
    (folder / "jobs.yaml").write_text(FILE.replace("    schedule: {every: 1h}", "    undo: 24h"))
    assert run("run", "customers", "--file", "jobs.yaml", "--json") == 0
    first: str = run.json["id"]
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.execute("DELETE FROM customers WHERE id > 90")
    assert run("run", "customers") == 0
    return first


def test_undo_goes_back_and_says_to_what(run: Cli, twice: str, folder: Path, store: Store) -> None:
    assert rows(folder, "customers") == 90
    assert run("undo", "customers", "--yes") == 0
    assert f"customers, countries undone: back to the generation of run {twice}" in run.out
    assert rows(folder, "customers") == 100
    assert (store.runs.list()[0]["state"], store.runs.list()[0]["trigger"]) == (RunState.SUCCEEDED, "manual")
    assert run("undo", "customers", "--stream", "customers", "--json") == 0
    assert list(run.json["progress"]) == ["customers"]
    assert rows(folder, "customers") == 90


def test_at_a_terminal_a_person_is_asked(run: Cli, twice: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n")
    assert run("undo", "customers", "--stream", "customers") == 1
    assert f"customers: back to the generation of run {twice}, 100 rows, until 20" in run.err
    assert rows(folder, "customers") == 90
    monkeypatch.setattr("sys.stdin.readline", lambda: "y\n")
    assert run("undo", "customers", "--stream", "customers") == 0
    assert rows(folder, "customers") == 100


def test_what_is_not_kept_exits_1_and_says_why(run: Cli) -> None:
    assert run("run", "customers", "--file", "jobs.yaml") == 0
    assert run("undo", "customers") == 1
    assert "customers: nothing is kept of it; it has no `undo`" in run.err
    assert run("undo", "customers", "--stream", "nowhere") == 2
    assert "has no stream 'nowhere'" in run.err
    assert run("undo", "nobody") == 2
