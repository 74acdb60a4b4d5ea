"""`syncworker verify`: exit codes, what it prints, and that it is a run."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.app.command_line import Cli, rows
from worker.run import Trigger
from worker.store import Store


@pytest.fixture
def synced(run: Cli) -> Cli:
    assert run("run", "customers", "--file", "jobs.yaml") == 0
    return run


def alter(folder: Path) -> None:
    with sqlite3.connect(folder / "copy.db") as copy:
        copy.execute("DELETE FROM customers WHERE id = 7")
        copy.execute("UPDATE customers SET name = 'changed' WHERE id = 8")


def test_equal_sides_exit_0(synced: Cli, store: Store) -> None:
    assert synced("verify", "customers") == 0
    assert "customers: verified through " in synced.out
    assert "100 rows, all equal" in synced.out
    assert "countries: verified through " in synced.out
    assert store.runs.list()[0]["trigger"] == "manual"


def test_differences_exit_1_and_are_named(synced: Cli, folder: Path) -> None:
    alter(folder)
    assert synced("verify", "customers") == 1
    assert "100 rows, 2 differ (1 missing, 1 changed), in 1 of 1 key ranges" in synced.out
    assert "  missing: id 7\n  changed: id 8\n" in synced.out
    assert "syncworker logs" in synced.err
    assert rows(folder, "customers") == 99


def test_repair_mends_them(synced: Cli, folder: Path) -> None:
    alter(folder)
    assert synced("verify", "customers", "--stream", "customers", "--repair", "--json") == 0
    assert set(synced.json["verified"]) == {"customers"}
    found = synced.json["verified"]["customers"]
    assert (found["differing"], found["mended"], found["reread"]) == (0, 2, 2)
    assert rows(folder, "customers") == 100
    assert synced("verify", "customers") == 0


def test_bad_input_exits_2(synced: Cli) -> None:
    assert synced("verify", "nobody") == 2
    assert synced("verify", "customers", "--stream", "nowhere") == 2
    assert "stream is 'nowhere'; job customers has customers, countries" in synced.err


def test_it_is_never_beside_a_run_of_the_job(synced: Cli, store: Store) -> None:
    store.runs.create("customers", Trigger.MANUAL)
    assert synced("verify", "customers") == 1
    assert "already has a queued or running run" in synced.err
