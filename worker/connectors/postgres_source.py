"""Read PostgreSQL: tables and views of a schema are streams.

A read is one repeatable-read snapshot through a server-side cursor, in the binary format. Types that we do not know in
their binary form (enums, intervals, ranges, addresses) are read as PostgreSQL writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Self, TypeVar

import psycopg
from psycopg import Connection, IsolationLevel

from worker.batch import TARGET_BYTES, Batch, Row
from worker.connectors import postgres_tables, read_only_sql, sql_scan
from worker.connectors.notes import Notes
from worker.connectors.postgres import PostgresSettings
from worker.connectors.postgres_session import connect, translated
from worker.connectors.postgres_tables import Table, TableColumn, quote, read_table
from worker.connectors.protocol import Capabilities, Stream
from worker.connectors.row_batches import batched, size_of
from worker.errors import BadInput, Fault, SourceUnavailable, StreamNotFound
from worker.job import Mode, StreamSpec
from worker.sync.types import Column

T = TypeVar("T")

# Rows asked for at once: few at first, then as many as TARGET_BYTES hold of rows like those before.
FIRST_FETCH = 50
FETCH_ROWS = 2000


class PostgresSource:
    """Each read has a connection and a snapshot of its own."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        self._notes = Notes()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    @contextmanager
    def _open(self) -> Iterator[Connection[Any]]:
        """A session whose transactions are read-only, whatever the job's SQL says."""
        with translated(self._settings, SourceUnavailable):
            connection = connect(self._settings, SourceUnavailable)
            connection.read_only = True
            try:
                yield connection
            finally:
                connection.close()

    def check(self) -> None:
        with self._open() as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_namespace WHERE nspname = %s", (self._settings.schema_,)
            ).fetchone()
            if found is None:
                raise BadInput([Fault(field="schema", message=f"{self._settings.schema_!r} does not exist there")])

    def streams(self) -> list[Stream]:
        own = self._settings.schema_
        with self._open() as connection:
            names = connection.execute(_STREAMS, (own,)).fetchall()
            found = []
            for schema, name in names:
                table = read_table(connection, schema, name)
                if table is not None:
                    found.append(_stream(connection, name if schema == own else f"{schema}.{name}", table))
            return found

    def describe(self, spec: StreamSpec) -> Stream:
        with self._open() as connection, connection.transaction():
            table = self._table(connection, spec)
            where = _where(spec)
            if where is not None:
                asked = f"SELECT 1 FROM {table.name} AS source WHERE {where} LIMIT 0"
                # In binary: so the driver sends one statement, and what comes behind a semicolon is refused.
                _understood(spec, "where", lambda: connection.cursor(binary=True).execute(asked, ()))
            stream = _stream(connection, spec.name, table)
            return stream if where is None else replace(stream, rows=None)

    def _table(self, connection: Connection[Any], spec: StreamSpec) -> Table:
        query = sql_scan.query_of(spec)
        if query is not None:
            return _understood(spec, "query", lambda: postgres_tables.read_query(connection, _escaped(query)))
        table = read_table(connection, *postgres_tables.split(connection, self._settings.schema_, spec.name))
        if table is None:
            message = f"{self._settings.place} has no table or view {spec.name!r} in {self._settings.schema_}"
            raise StreamNotFound(f"{message}, or no right to see it")
        return table

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        with self._open() as connection, _only_reading(spec):
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            with connection.transaction():
                table = self._table(connection, spec)
                stream = _stream(connection, spec.name, table)
                sql_scan.check_spec(spec, stream)
                dialect = _dialect(table, _where(spec))
                if spec.mode is Mode.INCREMENTAL:
                    bound = self._bound(connection, spec, table)
                    if bound is None:
                        return
                    scan = sql_scan.incremental(spec, stream, checkpoint, bound, dialect)
                else:
                    scan = sql_scan.full(stream, checkpoint, dialect)
                rows = _rows(connection, table, scan.tail, scan.parameters)
                yield from batched(spec.name, rows, after=scan.after, edge=scan.edge)

    def pick(self, spec: StreamSpec, keys: Sequence[Mapping[str, Any]]) -> Iterator[Batch]:
        """The rows that have one of `keys`, each by the same columns."""
        with self._open() as connection, _only_reading(spec), connection.transaction():
            table = self._table(connection, spec)
            for start in range(0, len(keys), sql_scan.PICKED):
                scan = sql_scan.picked(keys[start : start + sql_scan.PICKED], _dialect(table, _where(spec)))
                yield from batched(spec.name, _rows(connection, table, scan.tail, scan.parameters))

    def _bound(self, connection: Connection[Any], spec: StreamSpec, table: Table) -> Any:
        """The highest cursor now. Rows without one are counted and told."""
        column = next(column for column in table.columns if column.name == spec.cursor)
        conditions = " AND ".join([*_dialect(table, _where(spec)).conditions, _own(column.name)])
        name, place = _own(column.name), f"FROM {table.name} AS source WHERE {conditions}"
        with connection.cursor(binary=True) as cursor:
            cursor.execute(f"SELECT {_selected(column)} {place} IS NOT NULL ORDER BY {name} DESC LIMIT 1", ())
            (bound,) = cursor.fetchone() or (None,)
            cursor.execute(f"SELECT count(*) {place} IS NULL", ())
            (nulls,) = cursor.fetchone() or (0,)
        self._notes.null_cursors(nulls, spec.name, str(spec.cursor))
        return bound

    def told(self) -> list[str]:
        return self._notes.told()


_STREAMS = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND c.relname !~ '^_syncworker_'
  AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname <> %s, n.nspname, c.relname
"""


def _dialect(table: Table, where: str | None) -> sql_scan.Dialect:
    spelled = {column.name: column.bare for column in table.columns}
    conditions = () if where is None else (where,)
    return sql_scan.Dialect(quote=_own, parameter=lambda name: f"%s::{spelled[name]}", conditions=conditions)


def _where(spec: StreamSpec) -> str | None:
    where = sql_scan.where_of(spec)
    return None if where is None else _escaped(where)


def _escaped(sql: str) -> str:
    """For the driver, which takes a percent sign for a parameter."""
    return sql.replace("%", "%%")


def _understood(spec: StreamSpec, option: str, ask: Callable[[], T]) -> T:
    """What the server answers; SQL of the job that it does not understand, or that would do more, is bad input."""
    wrong = read_only_sql.refusal(str(spec.options.get(option, "")))
    if wrong:
        raise BadInput([Fault(field=f"{spec.name}.{option}", message=wrong)])
    try:
        return ask()
    except (psycopg.ProgrammingError, psycopg.NotSupportedError, psycopg.errors.ReadOnlySqlTransaction) as error:
        words = error.diag.message_primary or str(error)
        raise BadInput([Fault(field=f"{spec.name}.{option}", message=f"is not understood there: {words}")]) from None


@contextmanager
def _only_reading(spec: StreamSpec) -> Iterator[None]:
    """What the job's SQL, or a function in it, would write is bad input; waiting does not mend it."""
    try:
        yield
    except psycopg.errors.ReadOnlySqlTransaction as error:
        option = next((name for name in ("query", "where") if spec.options.get(name)), "name")
        message = f"may only read: {error.diag.message_primary}"
        raise BadInput([Fault(field=f"{spec.name}.{option}", message=message)]) from None


def _own(name: str) -> str:
    """The table's column. Unqualified, ORDER BY would mean the text that we select of it."""
    return f"source.{quote(name)}"


def _selected(column: TableColumn) -> str:
    return _own(column.name) if column.type.native else f"{_own(column.name)}::{column.type.copied_as}"


def _stream(connection: Connection[Any], name: str, table: Table) -> Stream:
    columns = tuple(Column(name=c.name, type=c.type.type, nullable=not c.not_null) for c in table.columns)
    return Stream(
        name=name,
        columns=columns,
        key=table.key,
        cursor=sql_scan.suggested_cursor(columns),
        rows=postgres_tables.estimate(connection, table),
    )


def _rows(connection: Connection[Any], table: Table, tail: str, parameters: Sequence[Any]) -> Iterator[Row]:
    names = [column.name for column in table.columns]
    select = ", ".join(map(_selected, table.columns))
    query = f"SELECT {select} FROM {table.name} AS source {tail}"
    with connection.cursor(name="syncworker", binary=True) as cursor:
        cursor.execute(query, parameters)
        size = FIRST_FETCH
        while fetched := cursor.fetchmany(size):
            for values in fetched:
                yield dict(zip(names, values, strict=True))
            looked_at = fetched[-FIRST_FETCH:]
            width = sum(map(size_of, looked_at)) // len(looked_at)
            size = min(FETCH_ROWS, 4 * size, TARGET_BYTES // max(1, width) + 1)
