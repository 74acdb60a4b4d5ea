"""The keys that a mirrored stream wrote, in a table beside the target: what it may delete, and nothing else.

Each key carries the sequence of the last run that saw it at the source. The caller's transaction commits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from worker.connectors.protocol import Fence
from worker.connectors.sql_state import Cursor

SEQUENCE = "_syncworker_sequence"
_PREFIX = "_syncworker_keys_"


def keys_name(fence: Fence, target: str) -> str:
    """The table of the keys that one stream of one job wrote into `target`."""
    return f"{_PREFIX}{fence.place(target)}"


class SqlKeys:
    """`run(sql, parameters)` executes; `table` and `target` are quoted with their place, `key` by name.

    `deleted_at` is the quoted column of soft deletion, or None where rows are deleted.
    """

    def __init__(
        self,
        run: Callable[[str, Sequence[Any]], Cursor],
        *,
        table: str,
        target: str,
        key: Sequence[str],
        deleted_at: str | None,
    ) -> None:
        self._run = run
        self._table = table
        self._target = target
        self._key = key
        self._there = f"target.{deleted_at} IS NULL" if deleted_at else ""
        self._deleted_at = deleted_at

    def create(self, index: str) -> None:
        """Make the table, typed as the target's key is; `index` is the quoted name of its unique index."""
        columns = ", ".join(self._key)
        nothing = f"SELECT {columns}, CAST(0 AS bigint) AS {SEQUENCE} FROM {self._target} WHERE 1 = 0"
        self._run(f"CREATE TABLE {self._table} AS {nothing}", ())
        self._run(f"CREATE UNIQUE INDEX {index} ON {self._table} ({columns})", ())

    def noting(self, values: str) -> str:
        """The statement that notes the keys that `values` (a VALUES or SELECT with the sequence last) gives."""
        columns = ", ".join((*self._key, SEQUENCE))
        return (
            f"INSERT INTO {self._table} ({columns}) {values} ON CONFLICT ({', '.join(self._key)}) "
            f"DO UPDATE SET {SEQUENCE} = excluded.{SEQUENCE}"
        )

    def counts(self, sequence: int) -> tuple[int, int]:
        """Rows of ours that are there, and how many of them this run saw at the source."""
        where = f"WHERE {self._there}" if self._there else ""
        row = self._run(
            f"SELECT count(*), coalesce(sum(CASE WHEN noted.{SEQUENCE} = {int(sequence)} THEN 1 ELSE 0 END), 0) "
            f"FROM {self._target} AS target JOIN {self._table} AS noted ON {self._same()} {where}",
            (),
        ).fetchone()
        return int(row[0]), int(row[1])

    def unsee(self, sequence: int) -> None:
        """Forget what this run saw: it looks at the whole source again."""
        self._run(f"UPDATE {self._table} SET {SEQUENCE} = -1 WHERE {SEQUENCE} = {int(sequence)}", ())

    def delete(self, sequence: int, moment: Sequence[Any], parameter: str) -> int:
        """Delete the rows that this run did not see, or write `moment` into them; the number of rows."""
        other = f"{self._same()} AND noted.{SEQUENCE} <> {int(sequence)}"
        unseen = f"EXISTS (SELECT 1 FROM {self._table} AS noted WHERE {other})"
        if self._deleted_at:
            change = f"UPDATE {self._target} AS target SET {self._deleted_at} = {parameter}"
            return self._run(f"{change} WHERE {self._there} AND {unseen}", moment).rowcount
        removed = self._run(f"DELETE FROM {self._target} AS target WHERE {unseen}", ()).rowcount
        self._run(f"DELETE FROM {self._table} WHERE {SEQUENCE} <> {int(sequence)}", ())
        return removed

    def _same(self) -> str:
        return " AND ".join(f"noted.{name} = target.{name}" for name in self._key)
