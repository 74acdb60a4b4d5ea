"""The generation before a `replace`, in a table beside its target that is named after the run that took it away.

One is kept for each stream of a job. All happens in one transaction with the swap, so a name that is there tells the
truth. How a table is copied with all its types, and put back, is each database's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.connectors.protocol import Fence, Position
from worker.errors import Permanent

if TYPE_CHECKING:
    from worker.connectors.sql_writer import SqlWriter

PREFIX = "_syncworker_undo_"


def undo_prefix(fence: Fence, target: str) -> str:
    """What the names of one stream's kept tables have in common; the sequence of a run follows."""
    return f"{PREFIX}{fence.place(target)}_"


def gone(target: str) -> Permanent:
    return Permanent(f"the generation that was kept of {target} is not there any more: somebody took it away")


def no_target(target: str, kept: str) -> Permanent:
    return Permanent(f"there is no {target} any more to swap with; the generation before is still in {kept}")


class SqlGenerations:
    """Of the stream that `writer` was opened for."""

    def __init__(self, writer: SqlWriter) -> None:
        self._writer = writer
        self._prefix = undo_prefix(writer.target.fence, writer.target.name)
        self._ours = f"{self._prefix}{writer.target.fence.sequence}"

    def stood(self) -> Position | None:
        return self._writer.stood()

    def kept(self) -> list[int]:
        """The sequences of the runs that took away what is kept, the newest last."""
        with self._writer.transaction():
            return sorted(int(name.removeprefix(self._prefix)) for name in self._writer.tables(self._prefix))

    def keep(self) -> int | None:
        """Keep the target as it is, in place of what was kept; its rows, or None where there is none to keep.

        In the caller's transaction. What an earlier attempt of this very run kept stays: that is the older one.
        """
        writer = self._writer
        rows = None
        if writer.exists(writer.final):
            rows = writer.count(self._ours) if writer.exists(self._ours) else writer.keep(self._ours)
        self._drop_others(self._ours if rows is not None else None)
        return rows

    def swap(self, sequence: int, checkpoint: Any) -> int:
        """Put back what the run `sequence` took away, and keep what was there; its rows. One transaction."""
        writer, theirs = self._writer, f"{self._prefix}{sequence}"
        with writer.transaction():
            writer.advance(checkpoint)
            if writer.exists(self._ours):  # an earlier attempt of this run had done it
                return writer.count(self._ours)
            if not writer.exists(theirs):
                raise gone(writer.target.name)
            if not writer.exists(writer.final):
                raise no_target(writer.target.name, theirs)
            rows = writer.keep(self._ours)
            writer.restore(theirs)
            self._drop_others(self._ours)
            return rows

    def close(self) -> None:
        self._writer.close()

    def _drop_others(self, kept: str | None) -> None:
        for name in self._writer.tables(self._prefix) - {kept}:
            self._writer.drop(name)
