"""`syncworker run JOB --dry-run`: what it prints, its exit codes, and that it writes nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.app.command_line import Cli, rows
from worker.store import Store


def test_a_job_of_a_file_is_looked_at_and_not_saved(run: Cli, store: Store, folder: Path) -> None:
    assert run("run", "customers", "--file", "jobs.yaml", "--dry-run") == 0
    assert "customers -> customers (full, replace): 100 rows read from the beginning" in run.out
    assert "  would insert 100, update 0, delete 0\n" in run.out
    assert "  would make customers with id integer, name text\n" in run.out
    assert "  | id: 1, name: customer 1\n" in run.out and run.out.endswith("nothing was written\n")
    assert store.jobs.list() == [] and store.runs.list() == []
    assert store.database["connections"].count_documents({}) == 0
    assert not (folder / "copy.db").exists()


def test_a_saved_job_is_compared_with_what_is_there(run: Cli, store: Store, folder: Path) -> None:
    assert run("run", "customers", "--file", "jobs.yaml") == 0
    before = store.runs.list()
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.execute("UPDATE customers SET name = 'other' WHERE id <= 2")
        shop.execute("INSERT INTO customers VALUES (101, 'new')")
        shop.execute("DELETE FROM customers WHERE id = 50")
    assert run("run", "customers", "--dry-run", "--stream", "customers", "--json") == 0
    assert set(run.json["streams"]) == {"customers"}
    found = run.json["streams"]["customers"]
    assert (found["read"], found["would_insert"], found["would_update"], found["would_delete"]) == (100, 1, 2, 1)
    assert (found["would_create"], found["would_add_columns"], found["would_hold"]) == (False, [], None)
    assert found["sample"][0] == {"id": 1, "name": "other"} and run.json["partial"] is False
    assert store.runs.list() == before and rows(folder, "customers") == 100


def test_what_would_be_held_exits_4_and_what_would_fail_1(run: Cli, folder: Path) -> None:
    assert run("run", "customers", "--file", "jobs.yaml") == 0
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.execute("DELETE FROM customers WHERE id > 20")
    assert run("run", "customers", "--dry-run") == 4
    assert "would be held: customers has 100 rows and would have 20" in run.out
    assert rows(folder, "customers") == 100
    assert run("run", "broken", "--file", "jobs.yaml", "--dry-run") == 1
    assert "would fail: " in run.out and "nowhere" in run.out


def test_bad_input_exits_2(run: Cli) -> None:
    assert run("run", "nobody", "--dry-run") == 2
    assert run("run", "nobody", "--file", "jobs.yaml", "--dry-run") == 2
    assert run("run", "customers", "--file", "jobs.yaml", "--dry-run", "--stream", "nowhere") == 2
    assert "stream is 'nowhere'; job customers has customers, countries" in run.err
    assert run("run", "customers", "--file", "jobs.yaml", "--stream", "customers") == 2
    assert "goes with --dry-run" in run.err


def test_a_secret_that_export_left_out_stands_for_the_stored_one(
    run: Cli, store: Store, folder: Path, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET", postgres_database)
    said = f"{(folder / 'jobs.yaml').read_text()}".replace(
        "copy: {type: sqlite, path: copy.db}", 'copy: {type: postgres, url: "${TARGET}"}'
    )
    (folder / "pg.yaml").write_text(said.replace("${TARGET}", postgres_database))
    assert run("run", "customers", "--file", "pg.yaml") == 0
    monkeypatch.delenv("TARGET")
    (folder / "exported.yaml").write_text(said.replace("${TARGET}", "${COPY_URL}"))
    assert run("run", "customers", "--file", "exported.yaml", "--dry-run") == 0, run.err
    assert "would insert 0, update 0, delete 0" in run.out
