"""PostgreSQL as a source and a destination, on a real server."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest

from tests.contracts.destination import FencedContract
from tests.contracts.source import SourceContract
from worker.batch import Row
from worker.connectors.postgres import PostgresSettings
from worker.connectors.postgres_destination import PostgresDestination
from worker.connectors.postgres_source import PostgresSource
from worker.job import StreamSpec


class TestSource(SourceContract):
    @pytest.fixture(autouse=True)
    def _database(self, postgres_database: str) -> None:
        self.url = postgres_database

    def source(self) -> PostgresSource:
        return PostgresSource(PostgresSettings(url=self.url))

    def fill(self, rows: Sequence[Row]) -> None:
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS people (id bigint PRIMARY KEY, name text, updated_at timestamptz)"
            )
            with cursor.copy("COPY people FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((row["id"], row["name"], row["updated_at"]))


class TestDestination(FencedContract):
    @pytest.fixture(autouse=True)
    def _database(self, postgres_database: str) -> None:
        self.url = postgres_database

    def destination(self) -> PostgresDestination:
        return PostgresDestination(PostgresSettings(url=self.url))

    def rows_in(self, name: str) -> list[Row] | None:
        if name not in self.places():
            return None
        source = PostgresSource(PostgresSettings(url=self.url))
        found = [row for batch in source.read(StreamSpec(name=name), None) for row in batch.rows]
        return sorted(found, key=lambda row: row["id"])

    def places(self) -> set[str]:
        with psycopg.connect(self.url) as connection:
            found = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            return {name for (name,) in found}
