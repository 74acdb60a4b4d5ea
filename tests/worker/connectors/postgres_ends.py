"""A PostgreSQL to read from and write to in tests, in a line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from tests.contracts.destination import COLUMNS, fence
from worker.batch import Batch, Row
from worker.connectors.postgres import PostgresSettings
from worker.connectors.postgres_destination import PostgresDestination
from worker.connectors.postgres_source import PostgresSource
from worker.connectors.protocol import Destination, Source, Stream, Target
from worker.job import StreamSpec, Write
from worker.sync.types import Column


def source(url: str, **settings: str) -> PostgresSource:
    return PostgresSource(PostgresSettings.model_validate({"url": url, **settings}))


def destination(url: str, **settings: str) -> PostgresDestination:
    return PostgresDestination(PostgresSettings.model_validate({"url": url, **settings}))


def execute(url: str, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(sql, parameters or None)
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []


def texts(url: str, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Every value as PostgreSQL writes it."""
    listed = ", ".join('"' + name.replace('"', '""') + '"::text' for name in columns)
    return execute(
        url, f"SET timezone TO 'UTC'; SET intervalstyle TO 'iso_8601'; SELECT {listed} FROM {table} ORDER BY 1"
    )


def copy(one: Source, other: Destination, spec: StreamSpec, sequence: int = 1, checkpoint: Any = None) -> Stream:
    stream = one.describe(spec)
    target = Target(
        name=spec.destination_name,
        write=spec.write,
        columns=stream.columns,
        key=spec.key or stream.key,
        fence=fence(sequence),
    )
    writer = other.open(target)
    try:
        for batch in one.read(spec, checkpoint):
            writer.write(batch, stream.columns)
        writer.finish()
    finally:
        writer.close()
    return stream


def put(one: Destination, write: Write, batch: list[Row], columns: Sequence[Column] = COLUMNS, **changes: Any) -> None:
    target = Target(
        name=changes.get("name", "people"),
        write=write,
        columns=tuple(columns),
        key=changes.get("key", ("id",)),
        fence=fence(changes.get("sequence", 1)),
    )
    writer = one.open(target)
    try:
        for start in range(0, len(batch), changes.get("size", 100)):
            part = batch[start : start + changes.get("size", 100)]
            writer.write(
                Batch(stream="people", rows=part, bytes=1, checkpoint={"n": start}, first_row=start + 1), tuple(columns)
            )
        writer.finish()
    finally:
        writer.close()
