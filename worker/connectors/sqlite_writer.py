"""Write one stream into a SQLite file: each batch and its checkpoint in one transaction, fenced.

The target is refilled in one transaction, so that its indexes, triggers and views stay. A column that must widen is
made anew from the old one, for SQLite changes no column's type.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from worker.batch import Batch
from worker.connectors import encoding, sqlite_tables, sqlite_undo
from worker.connectors.notes import Notes
from worker.connectors.protocol import Target
from worker.connectors.sql_state import TABLE, SqlState
from worker.connectors.sql_writer import Rows, SqlWriter
from worker.connectors.sqlite_tables import TableColumn, quoted, read_table
from worker.connectors.sqlite_types import affinity, declared, decoder, encoder, type_of
from worker.errors import BadInput, BadValue, DestinationUnavailable, Fault
from worker.job import DELETED_AT
from worker.sync.types import Kind, Type, join

_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})


class SQLiteWriter(SqlWriter):
    folds_case: ClassVar[bool] = True

    def __init__(self, connection: sqlite3.Connection, path: str, target: Target) -> None:
        super().__init__(target, SqlState(connection.execute, quoted(TABLE), "?"), target.name)
        self._connection = connection
        self._path = path
        self._declared: dict[str, str] = {}
        self._notes = Notes()
        try:
            self._refuse_other_case()
            self.begin()
        except BaseException:
            connection.close()
            raise

    def _refuse_other_case(self) -> None:
        other = sqlite_tables.folded_name(self._connection, self.final)
        if other:
            message = f"{self.final!r} and the existing {other!r} are one table in SQLite; give another target"
            raise BadInput([Fault(field=f"{self.target.fence.stream}.target", message=message)])

    def close(self) -> None:
        self._connection.close()

    def told(self) -> list[str]:
        return self._notes.told()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            raise BadValue(f"{self.final} in {self._path} refused a row: {error}") from error
        except sqlite3.Error as error:
            hint = "; another process is writing there, or frozen in the middle of it" if "locked" in str(error) else ""
            raise DestinationUnavailable(f"SQLite file {self._path}: {error}{hint}") from error

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, parameters)

    def quoted(self, name: str) -> str:
        return quoted(name)

    def placed(self, name: str) -> str:
        return quoted(name)

    def make_state(self) -> None:
        self._state.create()

    def tables(self, prefix: str) -> set[str]:
        found = self._connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, ?) = ?", (len(prefix), prefix)
        )
        return {str(name) for (name,) in found.fetchall()}

    def exists(self, name: str) -> bool:
        return read_table(self._connection, name) is not None

    def drop(self, name: str) -> None:
        self._connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")

    def count(self, name: str) -> int:
        if not self.exists(name):
            return 0
        count: int = self._connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0]
        return count

    # The table's shape.

    def shape(self, wanted: dict[str, Type]) -> None:
        existing = read_table(self._connection, self.name)
        columns = self._columns(wanted)
        if existing is None:
            sqlite_tables.create(self._connection, self.name, columns, self.key())
        else:
            have = {column.name for column in existing.columns}
            for column in columns:
                if column.name not in have:
                    sqlite_tables.add_column(self._connection, self.name, column)
            if self.target.write.keyed:
                self._need_unique()
        made = read_table(self._connection, self.name)
        self._declared = {column.name: column.declared for column in made.columns} if made else {}

    def _columns(self, wanted: dict[str, Type]) -> list[TableColumn]:
        """A staged column takes the declaration that it has in the target, where the values will go."""
        final = read_table(self._connection, self.final)
        known = {column.name: column.declared for column in final.columns} if final else {}
        return [TableColumn(name=name, declared=known.get(name, declared(type_))) for name, type_ in wanted.items()]

    def _need_unique(self) -> None:
        key = self.target.key
        if sqlite_tables.has_unique(self._connection, self.name, key):
            return
        columns = ", ".join(map(quoted, key))
        index = quoted(f"_syncworker_key_{self.name}")
        try:
            self._connection.execute(f"CREATE UNIQUE INDEX {index} ON {quoted(self.name)} ({columns})")
        except sqlite3.IntegrityError as error:
            message = f"{', '.join(key)} is not unique in the existing table {self.name}: {error}"
            raise BadInput([Fault(field=f"{self.target.fence.stream}.key", message=message)]) from error

    def encoders(self) -> list[tuple[str, encoding.Encoder]]:
        return [(name, encoder(self._declared[name], wanted)) for name, wanted in self.wanted.items()]

    def widen(self, name: str) -> bool:
        wanted, before = self.wanted.get(name), self._declared.get(name)
        if wanted is None or before is None or name in self.key():
            return False
        wider = join(type_of(before), wanted)
        numbers = {type_of(before).kind, wider.kind} <= _NUMBERS
        if declared(wider) == before or not (numbers or (self.staging and not self.exists(self.final))):
            return False
        sqlite_tables.change_column(
            self._connection, self.name, TableColumn(name=name, declared=declared(wider)), decoder(before)
        )
        self._declared[name] = declared(wider)
        return True

    # The rows.

    def store(self, batch: Batch) -> None:
        rows = self.encoded(batch)
        names = list(self.wanted)
        self._note_zeros(names, rows)
        self._connection.executemany(self._insert(names), rows)
        if self.mirrors:
            places = [names.index(name) for name in self.target.key]
            marks = ", ".join("?" * (len(places) + 1))
            noted = [(*(row[place] for place in places), self.target.fence.sequence) for row in rows]
            self._connection.executemany(self.keys().noting(f"VALUES ({marks})"), noted)

    def _note_zeros(self, names: list[str], rows: Rows) -> None:
        """SQLite keeps whole numbers of a REAL column as integers, of which none is -0.0."""
        for place, name in enumerate(names):
            if affinity(self._declared[name]) == "real":
                zeros = [row[place] for row in rows if row[place] == 0.0]
                if count := sum(math.copysign(1.0, zero) < 0 for zero in zeros):
                    self._notes.add(name, "lost the sign of zero, which REAL does not keep", -0.0, count)

    def _insert(self, names: list[str]) -> str:
        columns = ", ".join(map(quoted, names))
        sql = f"INSERT INTO {quoted(self.name)} ({columns}) VALUES ({', '.join('?' * len(names))})"
        if self.target.write.keyed:
            rest = [name for name in names if name not in self.target.key]
            change = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in rest)
            key = ", ".join(map(quoted, self.target.key))
            sql += f" ON CONFLICT ({key}) DO " + (f"UPDATE SET {change}" if change else "NOTHING")
        return sql

    def shape_keys(self) -> None:
        if not self.exists(self.keys_table):
            self.keys().create(quoted(f"{self.keys_table}_key"))

    def deletion(self) -> tuple[Sequence[Any], str]:
        if self.target.deleted_at is None:
            return (), ""
        type_ = Type(kind=Kind.TIMESTAMPTZ)
        return (encoder(self._declared.get(DELETED_AT, declared(type_)), type_)(self.target.deleted_at),), "?"

    def remove(self, batch: Batch) -> None:
        key = self.target.key
        encoders = [(name, encode) for name, encode in self.encoders() if name in key]
        gone = replace(batch, rows=batch.removed)
        same = " AND ".join(f"{quoted(name)} = ?" for name, _ in encoders)
        keys = encoding.encode_rows(gone, encoders)
        for table in (self.final, *([self.keys_table] if self.mirrors else [])):
            self._connection.executemany(f"DELETE FROM {quoted(table)} WHERE {same}", keys)

    def rename(self) -> None:
        self._connection.execute(f"ALTER TABLE {quoted(self.name)} RENAME TO {quoted(self.final)}")

    def keep(self, name: str) -> int:
        return sqlite_undo.keep(self._connection, self.final, name)

    def restore(self, name: str) -> None:
        sqlite_undo.restore(self._connection, self.final, name)

    def clear(self) -> None:
        self._connection.execute(f"DELETE FROM {quoted(self.final)}")

    def refill(self) -> None:
        final, staged = read_table(self._connection, self.final), read_table(self._connection, self.name)
        assert final is not None and staged is not None
        have = {column.name: column.declared for column in final.columns}
        for column in staged.columns:
            if column.name not in have:
                sqlite_tables.add_column(self._connection, self.final, column)
            elif have[column.name] != column.declared:
                read: Any = decoder(have[column.name])
                sqlite_tables.change_column(self._connection, self.final, column, read)
        names = ", ".join(quoted(column.name) for column in staged.columns)
        target, source = quoted(self.final), quoted(self.name)
        if self.replaces:
            self.clear()
        self._connection.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {source}")
        self._connection.execute(f"DROP TABLE {source}")
