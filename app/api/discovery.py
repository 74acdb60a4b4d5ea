"""Look into a connection: which streams there are, and the first rows of one, in the shapes of answers.

A look ends in time, whatever the other end does; it reads and changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from app.api.cells import cell, fitting
from app.api.wire import Column, Preview, Stream
from worker import clock, connectors, declaration
from worker.batch import Row
from worker.connection import Connection
from worker.connectors.protocol import Source
from worker.errors import SourceUnavailable
from worker.job import StreamSpec
from worker.sync.pipe import patiently
from worker.sync.sides import drained

# Less than a request may take.
PATIENCE = 20.0

T = TypeVar("T")


def streams(connection: Connection) -> list[Stream]:
    """Every stream by name, with columns, key, a suggested cursor and the estimated number of rows."""
    check = _until(PATIENCE)
    with _opened(connection) as source:
        found = patiently(source.streams, check)
    return [
        Stream(
            name=one.name,
            columns=[Column(name=c.name, type=str(c.type.kind), nullable=c.nullable) for c in one.columns],
            key=list(one.key),
            cursor=one.cursor,
            rows=one.rows,
        )
        for one in sorted(found, key=lambda stream: stream.name)
    ]


def preview(connection: Connection, stream: str, limit: int) -> Preview:
    """The first rows; fewer where they are too much to be shown together."""
    check = _until(PATIENCE)
    rows: list[Row] = []
    with _opened(connection) as source:
        spec = StreamSpec(name=stream)
        patiently(lambda: source.describe(spec), check)
        batches = drained(source.read(spec, None), stream, check)
        try:
            for batch in batches:
                rows += batch.rows[: limit - len(rows)]
                if len(rows) >= limit:
                    break
        finally:
            cast(Iterator[object], batches).close()  # type: ignore[attr-defined]
    shown = fitting([{name: cell(value) for name, value in row.items()} for row in rows])
    return Preview(columns=list(dict.fromkeys(name for row in rows for name in row)), rows=shown)


def _until(seconds: float) -> Callable[[], None]:
    end = clock.monotonic() + seconds

    def check() -> None:
        if clock.monotonic() > end:
            raise SourceUnavailable(f"there was no answer within {seconds:g} s; try again, or look at the server")

    return check


@contextmanager
def _opened(connection: Connection) -> Iterator[Source]:
    ready = declaration.resolve(connection, os.environ)
    with connectors.open_end(ready.type, ready.settings, "source") as source:
        yield cast(Source, source)
