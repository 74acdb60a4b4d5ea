"""`syncworker test`, `streams` and `preview`: what they print, and their exit codes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.app.command_line import Cli


@pytest.fixture
def saved(run: Cli, folder: Path) -> Cli:
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.execute("DROP VIEW endless")
        shop.execute("CREATE TABLE covers (id INTEGER PRIMARY KEY, picture BLOB, words TEXT)")
        shop.execute("INSERT INTO covers VALUES (1, x'ff00', ?)", ["two\nlines, " + "long " * 20])
    assert run("apply", "jobs.yaml") == 0, run.err
    return run


def test_a_connection_is_tried_for_what_its_jobs_use_it_for(saved: Cli, folder: Path) -> None:
    assert saved("test", "shop") == 0
    assert saved.out.splitlines()[0].split()[:2] == ["name", "ok"] and "query" in saved.out
    assert saved.out.rstrip().endswith("It works.")
    assert saved("test", "copy") == 0, saved.out  # not made yet, and a destination
    assert not (folder / "copy.db").exists()
    assert saved("test", "copy", "--as", "source", "--json") == 1
    assert (saved.json["ok"], saved.json["step"]) == (False, "name")


def test_streams_are_listed(saved: Cli) -> None:
    assert saved("streams", "shop") == 0
    lines = saved.out.splitlines()
    assert lines[0].split() == ["STREAM", "KEY", "CURSOR", "ROWS", "COLUMNS"]
    assert any(line.split()[:2] == ["customers", "id"] and "100" in line for line in lines)
    assert saved("streams", "shop", "--json") == 0
    assert [one["name"] for one in saved.json["items"]] == ["countries", "covers", "customers"]


def test_first_rows_are_shown_a_line_each(saved: Cli) -> None:
    assert saved("preview", "shop", "customers", "-n", "2") == 0
    assert [line.split() for line in saved.out.splitlines()] == [
        ["id", "name"], ["1", "customer", "1"], ["2", "customer", "2"]
    ]  # fmt: skip
    assert saved("preview", "shop", "covers") == 0
    assert len(saved.out.splitlines()) == 2 and "/wA=" in saved.out and "two\\nlines" in saved.out
    assert saved("preview", "shop", "covers", "--json") == 0
    assert saved.json["rows"][0]["picture"] == "/wA="


def test_what_is_not_there_exits_otherwise(saved: Cli) -> None:
    assert saved("test", "nowhere") == saved("streams", "nowhere") == 2
    assert saved("preview", "shop", "nothing") == 1 and "nothing" in saved.err
    assert saved("preview", "shop", "customers", "-n", "101") == 2
