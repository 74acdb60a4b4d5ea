"""Write one stream into PostgreSQL: each batch by COPY, with its checkpoint in one transaction, fenced.

`replace` fills a table beside the target; `finish` refills the target from it in one transaction, so that its indexes,
grants, views and comments stay (docs/decisions/0011). Numbers widen a column where a value asks for it; anything
else that does not fit is refused. https://www.postgresql.org/docs/current/sql-copy.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import psycopg
from psycopg import Connection

from worker.batch import Batch
from worker.connectors import encoding, postgres_tables, postgres_undo
from worker.connectors.postgres import PostgresSettings
from worker.connectors.postgres_session import connect, translated
from worker.connectors.postgres_tables import TableColumn, qualified, quote, read_table
from worker.connectors.postgres_types import declared, encoder
from worker.connectors.protocol import Target
from worker.connectors.sql_state import TABLE, SqlState, lost
from worker.connectors.sql_writer import Rows, SqlWriter
from worker.errors import BadInput, BadValue, DestinationUnavailable, Fault
from worker.sync.types import Kind, Type, join

MOST_BYTES = 63
TEMPORARY = "_syncworker_batch"
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})


class PostgresWriter(SqlWriter):
    most_bytes: ClassVar[int | None] = MOST_BYTES

    def __init__(self, connection: Connection[Any], settings: PostgresSettings, target: Target) -> None:
        self._connection = connection
        self._settings = settings
        self._columns: list[TableColumn] = []
        self._temporary = ""
        try:
            with translated(settings, DestinationUnavailable):
                self._schema, final = postgres_tables.split(connection, settings.schema_, target.name)
            super().__init__(target, SqlState(connection.execute, qualified(self._schema, TABLE), "%s"), final)
            self.begin()
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            with translated(self._settings, DestinationUnavailable), self._connection.transaction():
                yield
        except DestinationUnavailable:
            if self._connection.broken:
                self._raise_if_displaced()
            raise

    def _raise_if_displaced(self) -> None:
        """A newer writer of this stream ends our session as it opens: that is no passing trouble."""
        with (
            translated(self._settings, DestinationUnavailable),
            connect(self._settings, DestinationUnavailable) as other,
        ):
            stored = SqlState(other.execute, qualified(self._schema, TABLE), "%s").position(self.target.fence)
        fence = self.target.fence
        if stored and (stored.sequence, stored.token) > (fence.sequence, fence.token):
            raise lost(fence)

    def make_state(self) -> None:
        # Two that make it at once would collide in the catalog, IF NOT EXISTS or not.
        if not self.exists(TABLE):
            self.run("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{self._schema}.{TABLE}",))
            self._state.create()

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        return self._connection.execute(sql, parameters)

    def placed(self, name: str) -> str:
        return qualified(self._schema, name)

    def quoted(self, name: str) -> str:
        return quote(name)

    def tables(self, prefix: str) -> set[str]:
        found = self.run(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relkind = 'r' AND starts_with(c.relname, %s)",
            (self._schema, prefix),
        )
        return {str(name) for (name,) in found.fetchall()}

    def exists(self, name: str) -> bool:
        return postgres_tables.find(self._connection, self._schema, name) is not None

    def drop(self, name: str) -> None:
        self.run(f"DROP TABLE IF EXISTS {self.placed(name)}")

    def staged(self) -> tuple[int, int]:
        with translated(self._settings, DestinationUnavailable):
            return super().staged()

    def count(self, name: str) -> int:
        if not self.exists(name):
            return 0
        row = self.run(f"SELECT count(*) FROM {self.placed(name)}").fetchone()
        return int(row[0]) if row else 0

    # The table's shape.

    def shape(self, wanted: dict[str, Type]) -> None:
        self._temporary = ""
        existing = read_table(self._connection, self._schema, self.name)
        spelled = self._spelled(wanted)
        if existing is None:
            self._create(spelled)
        else:
            have = {column.name for column in existing.columns}
            for name in [name for name in wanted if name not in have]:
                self.run(f"ALTER TABLE {existing.name} ADD COLUMN {quote(name)} {spelled[name]}")
            if self.target.write.keyed:
                self._need_unique(existing.oid)
        self._look()

    def _look(self) -> None:
        made = read_table(self._connection, self._schema, self.name)
        found = {column.name: column for column in made.columns} if made else {}
        self._columns = [found[name] for name in self.wanted]

    def _create(self, spelled: dict[str, str]) -> None:
        parts = [f"{quote(name)} {type_}" for name, type_ in spelled.items()]
        if self.key() and not (self.staging and self.exists(self.final)):
            parts.append(f"PRIMARY KEY ({', '.join(map(quote, self.key()))})")
        self.run(f"CREATE TABLE {self.placed(self.name)} ({', '.join(parts)})")

    def _spelled(self, wanted: dict[str, Type]) -> dict[str, str]:
        """A staged column has the type that it has in the target, where the values will go."""
        spelled = {name: declared(type_) for name, type_ in wanted.items()}
        final = read_table(self._connection, self._schema, self.final)
        if final is not None and final.kind not in "rp":
            message = f"{self.target.name!r} is no table but a view; give the stream another target"
            raise BadInput([Fault(field=f"{self.target.fence.stream}.target", message=message)])
        if final is not None:
            spelled |= {column.name: column.spelled for column in final.columns if column.name in spelled}
        if final is not None and self.replaces:
            self._refuse_foreign_keys(final.oid)
        return spelled

    def _refuse_foreign_keys(self, oid: int) -> None:
        others = postgres_tables.in_the_way(self._connection, oid)
        if others:
            message = (
                f"replace deletes every row before it fills the table anew, and {', '.join(others)} would act on that; "
                "use upsert or mirror, or make a foreign key that has no ON DELETE of its own DEFERRABLE"
            )
            raise BadInput([Fault(field=f"{self.target.fence.stream}.write", message=message)])

    def _need_unique(self, oid: int) -> None:
        key = self.target.key
        if postgres_tables.has_unique(self._connection, oid, key):
            return
        columns = ", ".join(map(quote, key))
        try:
            with self._connection.transaction():
                self.run(f"CREATE UNIQUE INDEX ON {self.placed(self.name)} ({columns})")
        except psycopg.errors.UniqueViolation as error:
            message = f"{', '.join(key)} is not unique in the existing table {self.name}: {error.diag.message_detail}"
            raise BadInput([Fault(field=f"{self.target.fence.stream}.key", message=message)]) from error

    def encoders(self) -> list[tuple[str, encoding.Encoder]]:
        return [(column.name, encoder(column.type, self.wanted[column.name])) for column in self._columns]

    def widen(self, name: str) -> bool:
        """Numbers widen anywhere; in a table that only we know, anything becomes JSON."""
        column = next((c for c in self._columns if c.name == name), None)
        wanted = self.wanted.get(name)
        if column is None or wanted is None:
            return False
        wider = join(column.type.type, wanted)
        numbers = {column.type.type.kind, wider.kind} <= _NUMBERS
        alone = self.staging and not self.exists(self.final)
        if declared(wider) == declared(column.type.type) or not (numbers or alone):
            return False
        self._change(self.name, name, declared(wider), to_json=wider.kind is Kind.JSON)
        self._look()
        return True

    def _change(self, table: str, name: str, spelled: str, *, to_json: bool = False) -> None:
        using = f"to_jsonb({quote(name)})" if to_json else f"{quote(name)}::{spelled}"
        sql = f"ALTER TABLE {self.placed(table)} ALTER COLUMN {quote(name)} TYPE {spelled} USING {using}"
        self.run(sql)

    # The rows.

    def store(self, batch: Batch) -> None:
        rows = self.encoded(batch)
        upserts = self.target.write.keyed
        if not upserts and all(column.type.native for column in self._columns):
            self._copy(self.placed(self.name), rows, batch)
            return
        names = ", ".join(quote(column.name) for column in self._columns)
        self._make_temporary()
        self._copy(TEMPORARY, self._last_of_each(rows) if upserts else rows, batch)
        values = ", ".join(quote(c.name) + ("" if c.type.native else f"::{c.bare}") for c in self._columns)
        sql = f"INSERT INTO {self.placed(self.name)} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {TEMPORARY}"
        self.run(sql + (self._on_conflict() if upserts else ""))
        if self.mirrors:
            key = ", ".join(quote(c.name) + ("" if c.type.native else f"::{c.bare}") for c in self._key_columns())
            self.run(self.keys().noting(f"SELECT {key}, {self.target.fence.sequence} FROM {TEMPORARY}"))

    def _make_temporary(self) -> None:
        """The batch's own table, empty after every commit; made anew where columns changed or a rollback took it."""
        typed = ", ".join(f"{quote(c.name)} {_sent_as(c)}" for c in self._columns)
        if self._temporary != typed:
            self.run(f"DROP TABLE IF EXISTS {TEMPORARY}")
            self.run(f"CREATE TEMP TABLE {TEMPORARY} ({typed}) ON COMMIT DELETE ROWS")
            self._temporary = typed

    def _last_of_each(self, rows: Rows) -> Rows:
        """Of rows with one key, the last: ON CONFLICT takes no row twice."""
        names = [column.name for column in self._columns]
        places = [names.index(name) for name in self.target.key]
        return list({tuple(_hashable(row[place]) for place in places): row for row in rows}.values())

    def _copy(self, table: str, rows: Rows, batch: Batch) -> None:
        names = ", ".join(quote(column.name) for column in self._columns)
        sql = f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)".replace("%%", "%")
        with self._connection.cursor() as cursor, cursor.copy(sql) as copy:
            copy.set_types([column.type.copied_as for column in self._columns])
            for number, row in enumerate(rows, start=batch.first_row):
                try:
                    copy.write_row(row)
                except (ValueError, TypeError, OverflowError, psycopg.DataError) as error:
                    raise BadValue(f"row {number}: {error}", row=number) from None

    def _on_conflict(self) -> str:
        key = ", ".join(map(quote, self.target.key))
        rest = [quote(c.name) for c in self._columns if c.name not in self.target.key]
        change = ", ".join(f"{name} = EXCLUDED.{name}" for name in rest)
        return f" ON CONFLICT ({key}) DO " + (f"UPDATE SET {change}" if change else "NOTHING")

    def _key_columns(self) -> list[TableColumn]:
        found = {column.name: column for column in self._columns}
        return [found[name] for name in self.target.key]

    def shape_keys(self) -> None:
        if not self.exists(self.keys_table):
            self.keys().create(quote(f"{self.keys_table}_key"))
            return
        noted = read_table(self._connection, self._schema, self.keys_table)
        have = {column.name: column.spelled for column in noted.columns} if noted else {}
        for column in self._key_columns():
            if have.get(column.name) != column.spelled:
                self._change(self.keys_table, column.name, column.spelled)

    def deletion(self) -> tuple[Sequence[Any], str]:
        return ((self.target.deleted_at,), "%s") if self.target.deleted_at else ((), "")

    def remove(self, batch: Batch) -> None:
        columns = self._key_columns()
        same = " AND ".join(f"{quote(column.name)} = %s::{column.bare}" for column in columns)
        keys = [tuple(row[column.name] for column in columns) for row in batch.removed]
        with self._connection.cursor() as cursor:
            cursor.executemany(f"DELETE FROM {self.placed(self.final)} WHERE {same}", keys)
            if self.mirrors:
                cursor.executemany(f"DELETE FROM {self.placed(self.keys_table)} WHERE {same}", keys)

    def rename(self) -> None:
        self.run(f"ALTER TABLE {self.placed(self.name)} RENAME TO {quote(self.final)}")
        ours, usual = f"{self.name}_pkey", f"{self.final}_pkey"
        if self._is_taken(ours) and not self._is_taken(usual) and len(usual.encode()) <= MOST_BYTES:
            self.run(f"ALTER INDEX {self.placed(ours)} RENAME TO {quote(usual)}")

    def _is_taken(self, name: str) -> bool:
        row = self.run(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s",
            (self._schema, name),
        ).fetchone()
        return row is not None

    def keep(self, name: str) -> int:
        final = read_table(self._connection, self._schema, self.final)
        assert final is not None
        return postgres_undo.keep(self._connection, final, self.placed(name))

    def restore(self, name: str) -> None:
        final = read_table(self._connection, self._schema, self.final)
        kept = read_table(self._connection, self._schema, name)
        assert final is not None and kept is not None
        self._refuse_foreign_keys(final.oid)
        self._defer()
        postgres_undo.restore(self._connection, final, kept)

    def _defer(self) -> None:
        """Let the foreign keys that can wait look when the rows are back."""
        self.run("SET CONSTRAINTS ALL DEFERRED")

    def clear(self) -> None:
        self.run(f"DELETE FROM {self.placed(self.final)}")

    def refill(self) -> None:
        final = read_table(self._connection, self._schema, self.final)
        staged = read_table(self._connection, self._schema, self.name)
        assert final is not None and staged is not None
        # Readers go on with the old rows until we commit; other writers wait.
        self.run(f"LOCK TABLE {final.name} IN SHARE ROW EXCLUSIVE MODE")
        have = {column.name: column for column in final.columns}
        for column in staged.columns:
            if column.name not in have:
                self.run(f"ALTER TABLE {final.name} ADD COLUMN {quote(column.name)} {column.spelled}")
            elif have[column.name].spelled != column.spelled:
                self._change(self.final, column.name, column.spelled)
        names = ", ".join(quote(column.name) for column in staged.columns)
        if self.replaces:
            self._defer()
            self.clear()
        self.run(f"INSERT INTO {final.name} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {staged.name}")
        self.run(f"DROP TABLE {staged.name}")


def _sent_as(column: TableColumn) -> str:
    """The type in the batch's own table: the column's, or text where its binary form is not ours."""
    return column.spelled if column.type.native else column.type.copied_as


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
