"""SQLite as a source and a destination, on real files."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.contracts.destination import FencedContract
from tests.contracts.source import SourceContract
from worker.batch import Row
from worker.connectors.sqlite import SQLiteDestination, SQLiteSettings, SQLiteSource
from worker.job import StreamSpec


class TestSource(SourceContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "source.db"

    def source(self) -> SQLiteSource:
        return SQLiteSource(SQLiteSettings(path=str(self.path)))

    def fill(self, rows: Sequence[Row]) -> None:
        connection = sqlite3.connect(self.path)
        with connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, name TEXT, updated_at TIMESTAMPTZ_TEXT)"
            )
            values = [
                (row["id"], row["name"], row["updated_at"].isoformat() if row["updated_at"] else None) for row in rows
            ]
            connection.executemany("INSERT INTO people VALUES (?, ?, ?)", values)
        connection.close()


class TestDestination(FencedContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "destination.db"

    def destination(self) -> SQLiteDestination:
        return SQLiteDestination(SQLiteSettings(path=str(self.path)))

    def rows_in(self, name: str) -> list[Row] | None:
        source = SQLiteSource(SQLiteSettings(path=str(self.path)))
        if name not in self.places():
            return None
        found = [row for batch in source.read(StreamSpec(name=name), None) for row in batch.rows]
        return sorted(found, key=lambda row: row["id"])

    def places(self) -> set[str]:
        connection = sqlite3.connect(self.path)
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        connection.close()
        return names
