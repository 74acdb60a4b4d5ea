"""The row that a SQL destination keeps for each (job, stream), in one transaction with the data: fence and checkpoint.

An older writer matches no row and so learns that it lost its claim. It commits nothing: the caller's transaction does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from worker.connectors.protocol import Fence, Position
from worker.errors import LostClaim

TABLE = "_syncworker_state"


class Cursor(Protocol):
    """What both drivers' results offer."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...


class SqlState:
    """`run(sql, parameters)` executes in the caller's transaction; `table` is quoted, `mark` the driver's parameter."""

    def __init__(self, run: Callable[[str, Sequence[Any]], Cursor], table: str, mark: str) -> None:
        self._run = run
        self._table = table
        self._mark = mark

    def create(self) -> None:
        self._run(
            f"CREATE TABLE IF NOT EXISTS {self._table} (job text NOT NULL, stream text NOT NULL, "
            "sequence bigint NOT NULL, token bigint NOT NULL, checkpoint text, finished integer NOT NULL DEFAULT 0, "
            "PRIMARY KEY (job, stream))",
            (),
        )

    def position(self, fence: Fence) -> Position | None:
        row = self._run(
            f"SELECT sequence, token, checkpoint FROM {self._table} WHERE job = {self._mark} AND stream = {self._mark}",
            (fence.job, fence.stream),
        ).fetchone()
        if row is None:
            return None
        return Position(sequence=row[0], token=row[1], checkpoint=None if row[2] is None else json.loads(row[2]))

    def finished(self, fence: Fence) -> bool:
        """Whether an earlier attempt of this very run came to its end."""
        row = self._run(
            f"SELECT finished FROM {self._table} WHERE job = {self._mark} AND stream = {self._mark} "
            f"AND sequence = {self._mark}",
            (fence.job, fence.stream, fence.sequence),
        ).fetchone()
        return row is not None and bool(row[0])

    def advance(self, fence: Fence, checkpoint: Any, *, finished: bool = False) -> None:
        """Note the checkpoint under our fence; LostClaim where a newer writer was here."""
        mark, table = self._mark, self._table
        text = None if checkpoint is None else json.dumps(checkpoint)
        done = self._run(
            f"INSERT INTO {table} AS kept (job, stream, sequence, token, checkpoint, finished) "
            f"VALUES ({mark}, {mark}, {mark}, {mark}, {mark}, {mark}) ON CONFLICT (job, stream) DO UPDATE SET "
            "sequence = excluded.sequence, token = excluded.token, checkpoint = excluded.checkpoint, "
            "finished = excluded.finished "
            "WHERE kept.sequence < excluded.sequence "
            "OR (kept.sequence = excluded.sequence AND kept.token <= excluded.token)",
            (fence.job, fence.stream, fence.sequence, fence.token, text, int(finished)),
        )
        if done.rowcount != 1:
            raise lost(fence)


def lost(fence: Fence) -> LostClaim:
    return LostClaim(f"stream {fence.stream} of job {fence.job} was written by a newer claim: nothing more is written")


def staging_name(fence: Fence, target: str) -> str:
    """The table that a run fills beside its target; `staging_prefix` finds those of older runs."""
    return f"{staging_prefix(fence, target)}{fence.sequence}"


def staging_prefix(fence: Fence, target: str) -> str:
    """What the staging tables of one job's stream have in common; short, whatever the target's name."""
    return f"_syncworker_{fence.place(target)}_"
