"""Rows in order, however many: runs sorted in memory, written to a temporary file each, and merged."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Any

from worker.batch import Row

RUN_ROWS = 50_000


def sorted_rows(rows: Iterable[Row], key: Callable[[Row], Any], run: int = RUN_ROWS) -> Iterator[Row]:
    """`rows` in the order of `key`; rows of equal keys in the order in which they came."""
    with ExitStack() as opened:
        files: list[IO[bytes]] = []
        pending: list[Row] = []
        for row in rows:
            pending.append(row)
            if len(pending) >= run:
                pending.sort(key=key)
                files.append(_written(opened.enter_context(tempfile.TemporaryFile()), pending))
                pending = []
        pending.sort(key=key)
        yield from heapq.merge(*map(_read, files), pending, key=key)


def _written(file: IO[bytes], rows: list[Row]) -> IO[bytes]:
    for start in range(0, len(rows), 500):
        pickle.dump(rows[start : start + 500], file, protocol=pickle.HIGHEST_PROTOCOL)
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> Iterator[Row]:
    while True:
        try:
            rows = pickle.load(file)  # our own temporary file, without a name
        except EOFError:
            return
        yield from rows
