"""Cut a stream of rows into batches bounded in rows and bytes. It holds one batch at a time and changes no value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from worker.batch import TARGET_BYTES, TARGET_ROWS, Batch, Row

SCALAR_BYTES = 16


def batched(
    stream: str,
    rows: Iterable[Row],
    *,
    after: Callable[[Row], Any] | None = None,
    edge: Callable[[Row], Any] | None = None,
) -> Iterator[Batch]:
    """`after` gives the checkpoint that follows a row. With `edge`, rows of one edge value stay in one batch."""
    held: list[Row] = []
    size, first = 0, 1
    for row in rows:
        full = len(held) >= TARGET_ROWS or size >= TARGET_BYTES
        if full and (edge is None or edge(row) != edge(held[-1])):
            yield _batch(stream, held, size, after, first)
            first += len(held)
            held, size = [], 0
        held.append(row)
        size += size_of(row.values())
    if held:
        yield _batch(stream, held, size, after, first)


def _batch(stream: str, rows: list[Row], size: int, after: Callable[[Row], Any] | None, first: int) -> Batch:
    checkpoint = after(rows[-1]) if after else None
    return Batch(stream=stream, rows=rows, bytes=size, checkpoint=checkpoint, first_row=first)


def size_of(values: Iterable[Any]) -> int:
    """A cheap estimate in bytes; nested values are walked."""
    total = 0
    for value in values:
        of = type(value)
        if of is str or of is bytes:
            total += len(value)
        elif of is dict:
            total += SCALAR_BYTES * len(value) + size_of(value.values())
        elif of is list:
            total += size_of(value)
        total += SCALAR_BYTES
    return total
