"""How one stream is written into any SQL database: fenced transactions, and a table beside the target where needed.

`replace` fills a staging table that `finish` puts in the target's place. `append` from a source that cannot resume is
staged too, so that an attempt that broke off leaves nothing. The SQL itself is each database's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from worker.batch import Batch
from worker.connectors import encoding
from worker.connectors.protocol import Position, Target, moved_on
from worker.connectors.sql_keys import SqlKeys, keys_name
from worker.connectors.sql_state import Cursor, SqlState, lost, staging_name, staging_prefix
from worker.connectors.sql_undo import SqlGenerations
from worker.errors import BadValue
from worker.job import DELETED_AT, Write
from worker.sync.types import Column, Kind, Type

Rows = list[tuple[Any, ...]]


class SqlWriter(ABC):
    """One transaction a batch. The table is made by the first batch, or by `finish` where none came.

    `final` is the target's own table, `name` the one that is written to.
    """

    most_bytes: ClassVar[int | None] = None
    folds_case: ClassVar[bool] = False

    def __init__(self, target: Target, state: SqlState, final: str) -> None:
        self.target = target
        self.final = final
        self.replaces = target.write is Write.REPLACE
        self.mirrors = target.write is Write.MIRROR
        self.keys_table = keys_name(target.fence, target.name)
        self.staging = self.replaces
        self.name = staging_name(target.fence, target.name) if self.replaces else final
        self.wanted: dict[str, Type] = {}
        self._state = state
        self._fitted = False
        self._begun = False
        self._kept: int | None = None
        self._direct: Any = None
        self._seen = target.columns

    def begin(self) -> None:
        """Refuse names that cannot be held, then see where the destination stands."""
        self.check_names([column.name for column in self.target.columns])
        with self.transaction():
            self.make_state()
            self._position = self._resume()

    def check_names(self, names: Sequence[str]) -> None:
        encoding.check_names(self.target, names, limit=self.most_bytes, folds_case=self.folds_case)

    def _resume(self) -> Position | None:
        """The stored position. Staging that this run cannot go on with is dropped."""
        fence = self.target.fence
        position = self._stood = self._state.position(fence)
        if position and (position.sequence, position.token) > (fence.sequence, fence.token):
            raise lost(fence)
        ours = position is not None and position.sequence == fence.sequence
        self._done = ours and not self.replaces and self._state.finished(fence)
        self._direct = position.checkpoint if position and (ours or not self.mirrors) else None
        staged = self.tables(staging_prefix(fence, self.target.name))
        keeps = self.replaces and ours and self._direct is not None and self.name in staged
        for name in staged:
            if not (keeps and name == self.name):
                self.drop(name)
        if self.mirrors and not ours:  # a run sees for itself what is at the source
            return None
        return position if keeps or not self.replaces else None

    def position(self) -> Position | None:
        return self._position

    def stood(self) -> Position | None:
        return self._stood

    def kept(self) -> int | None:
        return self._kept

    def advance(self, checkpoint: Any) -> None:
        """Put our fence and this checkpoint on the stream, as of a run that came to its end."""
        self._state.advance(self.target.fence, checkpoint, finished=True)

    def write(self, batch: Batch, columns: tuple[Column, ...]) -> None:
        if self.target.write.keyed:
            encoding.require_key(batch, self.target.key)
        with self._attempt():
            if not self._begun and self._state.position(self.target.fence) != self._stood:
                raise moved_on(self.target.fence)
            if self._done and batch.checkpoint is None:  # an earlier attempt of this run had committed all
                self._state.advance(self.target.fence, None, finished=True)
                return
            if self.target.write is Write.APPEND and batch.checkpoint is None:
                self._stage()
            if not self.staging or self.replaces:
                self._direct = batch.checkpoint
            self._state.advance(self.target.fence, self._direct)
            self._fit(columns)
            encoding.refuse_unknown(batch, frozenset(self.wanted))
            self.store(batch)
            if batch.removed:
                self.remove(batch)
        self._begun = True

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        """A transaction; after a rollback the table may not be what we made of it."""
        try:
            with self.transaction():
                yield
        except BaseException:
            self._fitted = False
            raise

    def _stage(self) -> None:
        if not self.staging:
            self.staging, self._fitted = True, False
            self.name = staging_name(self.target.fence, self.target.name)

    def _fit(self, columns: tuple[Column, ...]) -> None:
        """Give the table every column that has a type. One without any value yet waits for it, if it may still come."""
        self._seen = columns
        wanted = {column.name: column.type for column in columns if column.type.kind is not Kind.NULL}
        if self.target.columns or not wanted:
            wanted = {column.name: _settled(column.type) for column in columns}
        if self._fitted and wanted == self.wanted:
            return
        self.check_names(list(wanted))
        self.wanted = wanted
        self.shape(wanted)
        if self.mirrors and wanted:
            self.shape_keys()
        for name, type_ in wanted.items():
            if type_.kind is Kind.JSON:  # a column of text would take numbers for text
                self.widen(name)
        self._fitted = True

    def encoded(self, batch: Batch) -> Rows:
        """The batch's rows for the driver; a column is widened where a value asks for it and it may be."""
        while True:
            try:
                return encoding.encode_rows(batch, self.encoders())
            except BadValue as error:
                if not self.widen(error.column):
                    raise

    def key(self) -> tuple[str, ...]:
        """The columns that no two rows of the table share: an append may bring a row again."""
        return () if self.target.write is Write.APPEND else self.target.key

    def keys(self) -> SqlKeys:
        """The keys that this mirror wrote."""
        return SqlKeys(
            self.run,
            table=self.placed(self.keys_table),
            target=self.placed(self.final),
            key=[self.quoted(name) for name in self.target.key],
            deleted_at=self.quoted(DELETED_AT) if self.target.deleted_at else None,
        )

    def staged(self) -> tuple[int, int]:
        if self.mirrors:
            known = self.exists(self.final) and self.exists(self.keys_table)
            return self.keys().counts(self.target.fence.sequence) if known else (0, 0)
        return self.count(self.final), self.count(self.name)

    def finish(self) -> int:
        with self._attempt():
            before = self._state.position(self.target.fence)
            checkpoint = before.checkpoint if before and not self.replaces else None
            self._state.advance(self.target.fence, checkpoint, finished=True)
            columns = tuple(replace(column, type=_settled(column.type)) for column in self._seen)
            if columns:
                self._fit(columns)
            if self.mirrors and self.exists(self.final) and self.exists(self.keys_table):
                return self.keys().delete(self.target.fence.sequence, *self.deletion())
            if not self.staging:
                return 0
            if self.replaces and self.target.keeps:
                self._kept = SqlGenerations(self).keep()
            if not self.exists(self.name):  # nothing came, and nobody knows any column
                if self.replaces and self.exists(self.final):
                    self.clear()
            elif self.exists(self.final):
                self.refill()
            else:
                self.rename()
            return 0

    def abort(self) -> None:
        if self.mirrors:  # what was upserted stays; the next attempt looks at the whole source again
            with self.transaction():
                self._state.advance(self.target.fence, None)
                if self.exists(self.keys_table):
                    self.keys().unsee(self.target.fence.sequence)
        if self.staging:
            with self.transaction():
                self.drop(self.name)

    # What each database does in its own way.

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Commit what is done within, or nothing of it; errors in our own families."""

    @abstractmethod
    def make_state(self) -> None: ...

    @abstractmethod
    def tables(self, prefix: str) -> set[str]: ...

    @abstractmethod
    def exists(self, name: str) -> bool: ...

    @abstractmethod
    def drop(self, name: str) -> None:
        """Drop the table where there is one."""

    @abstractmethod
    def count(self, name: str) -> int:
        """Its rows; 0 where there is no such table."""

    @abstractmethod
    def shape(self, wanted: dict[str, Type]) -> None:
        """Make the table `name`, or add the columns that it lacks."""

    @abstractmethod
    def encoders(self) -> list[tuple[str, encoding.Encoder]]: ...

    @abstractmethod
    def widen(self, name: str) -> bool:
        """Let the column hold what was seen of it; False where that may not be."""

    @abstractmethod
    def store(self, batch: Batch) -> None:
        """Insert or upsert the batch."""

    @abstractmethod
    def rename(self) -> None:
        """Make the staged table the target."""

    @abstractmethod
    def run(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Execute one statement in the transaction."""

    @abstractmethod
    def quoted(self, name: str) -> str: ...

    @abstractmethod
    def placed(self, name: str) -> str:
        """The name of a table, quoted, with its schema."""

    @abstractmethod
    def shape_keys(self) -> None:
        """Make the table of a mirror's keys, or widen it as the target's key was."""

    @abstractmethod
    def deletion(self) -> tuple[Sequence[Any], str]:
        """What a soft deletion writes, for the driver, and the parameter it stands for."""

    @abstractmethod
    def remove(self, batch: Batch) -> None:
        """Delete the rows of `batch.removed` by their keys."""

    @abstractmethod
    def keep(self, name: str) -> int:
        """Copy the target with all its rows and columns into the new table `name`; its rows."""

    @abstractmethod
    def restore(self, name: str) -> None:
        """Refill the target with the rows of the kept table `name`."""

    @abstractmethod
    def clear(self) -> None:
        """Delete every row of the target."""

    @abstractmethod
    def refill(self) -> None:
        """Put the staged rows into the target: in place of its own with `replace`, beside them with `append`."""


def _settled(type_: Type) -> Type:
    """A column that never had a value is text."""
    return Type(kind=Kind.TEXT) if type_.kind is Kind.NULL else type_
