"""SQLite as a source and a destination: one file, its tables and views are streams.

A source is opened read-only. Without WAL mode nobody could commit while a table is read, so its rows are taken into a
temporary file first. https://www.sqlite.org/isolation.html
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import quote

from pydantic import Field

from worker import places
from worker.batch import Batch, Row
from worker.connectors import read_only_sql, sql_scan
from worker.connectors.notes import Notes
from worker.connectors.protocol import Capabilities, ConnectorSettings, Stream, Target
from worker.connectors.row_batches import batched
from worker.connectors.sql_undo import SqlGenerations, undo_prefix
from worker.connectors.sqlite_reading import may
from worker.connectors.sqlite_tables import Table, quoted, read_table
from worker.connectors.sqlite_types import ANY_SIZE, DECLARED, affinity, decoder, encoder, stored_type, type_of
from worker.connectors.sqlite_writer import SQLiteWriter
from worker.errors import BadData, BadInput, DestinationUnavailable, Fault, SourceUnavailable, StreamNotFound
from worker.job import Mode, StreamSpec
from worker.sync.types import Column, Kind

if TYPE_CHECKING:
    from worker.connectors.trial import Stage

BUSY_TIMEOUT = 30.0
# The view that a stream's query becomes, seen by its own connection alone.
QUERY = "_syncworker_query"
_UNORDERED = frozenset({DECLARED[Kind.DECIMAL], ANY_SIZE})


class SQLiteSettings(ConnectorSettings):
    """Where the database file is."""

    path: str = Field(min_length=1, description="Path of the database file")


def connect(path: str, *, mode: str) -> sqlite3.Connection:
    """Open the file as a URI (`ro` never makes it, `rwc` does); transactions are ours to begin."""
    _check_place(Path(path))
    uri = f"file:{quote(str(Path(path).absolute()))}?mode={mode}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=32
    )
    connection.execute("PRAGMA trusted_schema = OFF")  # a stranger's views and triggers call no function that acts
    return connection


def _check_place(path: Path) -> None:
    """Raise BadInput where the file is none that a connection may use. A pipe would be waited for, for ever."""
    wrong = places.refusal(path)
    if wrong is None and path.exists() and not path.is_file():
        wrong = "is no regular file"
    if wrong:
        raise BadInput([Fault(field="path", message=f"{path} {wrong}")])


class SQLiteSource:
    """Each read has a connection of its own, so that it sees one state of the database throughout."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, settings: SQLiteSettings) -> None:
        self._path = settings.path
        self._notes = Notes()
        self._described: dict[str, Stream] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = connect(self._path, mode="ro")
            connection.set_authorizer(may)
            try:
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            if "UTF-8" in str(error):
                raise BadData(f"{self._path}: {error}") from error
            raise SourceUnavailable(f"SQLite file {self._path}: {error}; check that it is there") from error

    def check(self) -> None:
        with self._open() as connection:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def founded(self) -> bool:
        return Path(self._path).exists()

    def streams(self) -> list[Stream]:
        with self._open() as connection:
            names = connection.execute(
                "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
                "AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_syncworker_*' ORDER BY name"
            ).fetchall()
            return [_stream(connection, name, table) for (name,) in names if (table := read_table(connection, name))]

    def describe(self, spec: StreamSpec) -> Stream:
        if spec.name not in self._described:
            with self._open() as connection:
                self._described[spec.name] = self._measured(connection, spec)
        return self._described[spec.name]

    def _measured(self, connection: sqlite3.Connection, spec: StreamSpec) -> Stream:
        table = self._table(connection, spec)
        stream = _stream(connection, spec.name, table, classes=_classes(connection, table))
        where = sql_scan.where_of(spec)
        if where is not None:
            _understood(spec, "where", connection, f"SELECT 1 FROM {quoted(table.name)} WHERE {where} LIMIT 0")
        return stream if where is None else replace(stream, rows=None)

    def _table(self, connection: sqlite3.Connection, spec: StreamSpec) -> Table:
        """The table, view or query of the stream: a query is made a view of this connection alone."""
        query = sql_scan.query_of(spec)
        if query is not None:
            _understood(spec, "query", connection, f"CREATE TEMP VIEW {QUERY} AS SELECT * FROM {query}")
        table = read_table(connection, QUERY if query is not None else spec.name)
        if table is None:
            raise StreamNotFound(f"{self._path} has no table or view {spec.name!r}")
        return table

    def read(self, spec: StreamSpec, checkpoint: Any) -> Iterator[Batch]:
        stream = self.describe(spec)
        sql_scan.check_spec(spec, stream)
        with self._open() as connection:
            table = self._table(connection, spec)
            connection.execute("BEGIN")
            if spec.mode is Mode.INCREMENTAL:
                bound = self._bound(connection, spec, table)
                if bound is None:
                    return
                scan = sql_scan.incremental(spec, stream, checkpoint, bound, _dialect(table, spec))
            else:
                scan = sql_scan.full(stream, checkpoint, _dialect(table, spec))
            rows = _rows(connection, table, scan.tail, scan.parameters)
            yield from batched(spec.name, rows, after=scan.after, edge=scan.edge)

    def pick(self, spec: StreamSpec, keys: Sequence[Mapping[str, Any]]) -> Iterator[Batch]:
        """The rows that have one of `keys`, each by the same columns."""
        with self._open() as connection:
            table = self._table(connection, spec)
            for start in range(0, len(keys), sql_scan.PICKED):
                scan = sql_scan.picked(keys[start : start + sql_scan.PICKED], _dialect(table, spec))
                rows = list(_rows(connection, table, scan.tail, scan.parameters, taken=False))
                yield from batched(spec.name, rows)

    def _bound(self, connection: sqlite3.Connection, spec: StreamSpec, table: Table) -> Any:
        column, name = quoted(spec.cursor or ""), quoted(table.name)
        declared = next(c.declared for c in table.columns if c.name == spec.cursor)
        if declared.upper() in _UNORDERED:
            message = f"{spec.cursor!r} is {declared}: SQLite orders its text, not its numbers"
            raise BadInput([Fault(field=f"{spec.name}.cursor", message=message)])
        where = sql_scan.where_of(spec) or "true"
        asked = f"SELECT max({column}), count(*) - count({column}) FROM {name} WHERE {where}"
        bound, nulls = connection.execute(asked).fetchone()
        self._notes.null_cursors(nulls, spec.name, str(spec.cursor))
        return bound

    def told(self) -> list[str]:
        return self._notes.told()


def _understood(spec: StreamSpec, option: str, connection: sqlite3.Connection, sql: str) -> None:
    """Execute SQL of the job; what SQLite does not understand of it, or what does more than read, is bad input."""
    wrong = read_only_sql.refusal(str(spec.options.get(option, "")))
    if wrong:
        raise BadInput([Fault(field=f"{spec.name}.{option}", message=wrong)])
    try:
        connection.execute(sql)
        if option == "query":
            connection.execute(f"SELECT 1 FROM {QUERY} LIMIT 0")
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
        raise BadInput([Fault(field=f"{spec.name}.{option}", message=f"is not understood there: {error}")]) from None
    except sqlite3.DatabaseError as error:
        if "authorized" not in str(error) and "prohibited" not in str(error):
            raise
        raise BadInput([Fault(field=f"{spec.name}.{option}", message=f"may only read: {error}")]) from None


def _dialect(table: Table, spec: StreamSpec) -> sql_scan.Dialect:
    types = {column.name: column.declared for column in table.columns}
    where = sql_scan.where_of(spec)
    return sql_scan.Dialect(
        quote=quoted,
        parameter=lambda name: "?",
        stored=lambda name, value: _stored(types[name], value),
        conditions=() if where is None else (where,),
    )


def _stored(declared: str, value: Any) -> Any:
    """A checkpoint's value as it lies in the file: in the column's form, or as it came where it never had that form."""
    try:
        return encoder(declared, type_of(declared))(value)
    except (ValueError, TypeError, ArithmeticError):
        return value


def _stream(
    connection: sqlite3.Connection, name: str, table: Table, classes: dict[str, frozenset[str]] | None = None
) -> Stream:
    columns = tuple(
        Column(
            name=column.name,
            type=stored_type(column.declared, classes[column.name] if classes else frozenset()),
            nullable=not column.not_null,
        )
        for column in table.columns
    )
    (count,) = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()
    return Stream(name=name, columns=columns, key=table.key, cursor=sql_scan.suggested_cursor(columns), rows=count)


def _classes(connection: sqlite3.Connection, table: Table) -> dict[str, frozenset[str]]:
    """Which storage classes each column really holds, by one pass: a declaration binds nobody."""
    kinds = ("integer", "real", "text", "blob")
    parts = []
    for column in table.columns:
        name = quoted(column.name)
        for kind in kinds:
            test = f"typeof({name}) = '{kind}'"
            if affinity(column.declared) == "real" and kind == "text":
                test += f" AND {name} <> 'NaN'"
            if column.declared.upper().startswith("BOOL") and kind == "real":
                test = f"typeof({name}) = 'integer' AND {name} NOT IN (0, 1)"
            parts.append(f"max({test})")
    row = connection.execute(f"SELECT {', '.join(parts)} FROM {quoted(table.name)}").fetchone()
    return {
        column.name: frozenset(kind for at, kind in enumerate(kinds) if row[number * len(kinds) + at])
        for number, column in enumerate(table.columns)
    }


def _rows(
    connection: sqlite3.Connection, table: Table, tail: str, parameters: Sequence[Any], *, taken: bool = True
) -> Iterator[Row]:
    """`taken`: into a temporary file first, where a reader would else keep writers out."""
    names = [column.name for column in table.columns]
    decoders = [decoder(column.declared) for column in table.columns]
    select = ", ".join(map(quoted, names))
    query = f"SELECT {select} FROM {quoted(table.name)} {tail}"
    if taken and connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute(f"CREATE TEMP TABLE taken AS {query}", parameters)
        connection.execute("COMMIT")
        query, parameters = "SELECT * FROM temp.taken ORDER BY rowid", ()
    for values in connection.execute(query, parameters):
        yield {name: decode(value) for name, decode, value in zip(names, decoders, values, strict=True)}


class SQLiteDestination:
    capabilities: ClassVar[Capabilities] = Capabilities(side_by_side=False)

    def __init__(self, settings: SQLiteSettings) -> None:
        self._path = settings.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def _connect(self) -> sqlite3.Connection:
        try:
            path = Path(self._path).absolute()
            path.parent.mkdir(parents=True, exist_ok=True)
            new = not path.exists()
            connection = connect(self._path, mode="rwc")
            if new:  # readers and we do not wait for each other
                connection.execute("PRAGMA journal_mode = WAL")
            return connection
        except (sqlite3.Error, OSError) as error:
            raise DestinationUnavailable(f"SQLite file {self._path}: {error}; check that it may be written") from error

    def check(self) -> None:
        connection = self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise DestinationUnavailable(f"SQLite file {self._path}: {error}; check that it may be written") from error
        finally:
            connection.close()

    def holds(self, name: str) -> bool:
        connection = self._connect()
        try:
            return read_table(connection, name) is not None
        except sqlite3.Error as error:
            raise DestinationUnavailable(f"SQLite file {self._path}: {error}; check that it may be written") from error
        finally:
            connection.close()

    def open(self, target: Target) -> SQLiteWriter:
        return SQLiteWriter(self._connect(), self._path, target)

    def generations(self, target: Target) -> SqlGenerations:
        return SqlGenerations(self.open(target))

    def discard(self, target: Target, sequence: int) -> None:
        connection = self._connect()
        try:
            kept = quoted(f"{undo_prefix(target.fence, target.name)}{sequence}")
            connection.execute(f"DROP TABLE IF EXISTS {kept}")
        except sqlite3.Error as error:
            raise DestinationUnavailable(f"SQLite file {self._path}: {error}; check that it may be written") from error
        finally:
            connection.close()


class SQLite:
    """The connector."""

    settings: ClassVar[type[ConnectorSettings]] = SQLiteSettings
    stream_options: ClassVar[frozenset[str]] = frozenset()
    source_options: ClassVar[Mapping[str, type]] = {"where": str, "query": str}

    @staticmethod
    def stages(settings: SQLiteSettings) -> Iterator[Stage]:
        from worker.connectors import local_trial

        return local_trial.stages(settings.path, SQLiteSource(settings).check, folder=False)

    @staticmethod
    def source(settings: SQLiteSettings) -> SQLiteSource:
        return SQLiteSource(settings)

    @staticmethod
    def destination(settings: SQLiteSettings) -> SQLiteDestination:
        return SQLiteDestination(settings)
