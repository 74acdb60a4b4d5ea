"""The rows of one side as keys and digests, brought into order: on disk, in a file that nobody else can open.

About a hundred bytes a row; SQLite sorts them and memory stays flat. The file is gone with the connection.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import groupby
from typing import Any, NamedTuple, Self

_CACHE_KIB = 16_384


class Mark(IntEnum):
    """What is known of a row besides its values."""

    PLAIN = 0
    GONE = 1  # the source calls it deleted
    UNSENT = 2  # its cursor is null: no run sends it
    AHEAD = 3  # newer than the checkpoint: the next run sends it


class Entry(NamedTuple):
    """`raw` is the key as its own side has it, to find the row again."""

    key: bytes
    digest: bytes
    mark: Mark
    raw: Any = None


class Spool:
    """A context; entries go in in any order and come out by key, those of one key in the order in which they came."""

    def __init__(self) -> None:
        self.rows = 0

    def __enter__(self) -> Self:
        # An empty name is a private database on disk, which SQLite unlinks as soon as it is open.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self._database.execute("CREATE TABLE entries (key BLOB, digest BLOB, mark INTEGER, raw BLOB)")
        return self

    def __exit__(self, *exc: object) -> None:
        self._database.close()

    def add(self, entries: Iterable[Entry]) -> None:
        rows = [(e.key, e.digest, int(e.mark), None if e.raw is None else pickle.dumps(e.raw)) for e in entries]
        self.rows += len(rows)
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def groups(self) -> Iterator[tuple[bytes, list[Entry]]]:
        """The entries of each key, by key."""
        found = self._database.execute("SELECT key, digest, mark, raw FROM entries ORDER BY key, rowid")
        for key, rows in groupby(found, key=lambda row: row[0]):
            yield key, [Entry(key, digest, Mark(mark), raw) for _, digest, mark, raw in rows]


def original(entry: Entry) -> Any:
    """The key of an entry that came out of a spool, as its own side has it."""
    return None if entry.raw is None else pickle.loads(entry.raw)
