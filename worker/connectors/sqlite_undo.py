"""Copies a SQLite table beside itself and puts the copy back: the table itself stays, with indexes, triggers and views.

Columns that the copy does not have keep their place and get their default. The caller's transaction commits.
"""

from __future__ import annotations

import sqlite3

from worker.connectors import sqlite_tables
from worker.connectors.sqlite_tables import TableColumn, quoted, read_table
from worker.connectors.sqlite_types import decoder
from worker.errors import Permanent


def keep(connection: sqlite3.Connection, final: str, name: str) -> int:
    """Copy every row and column of `final` into the new table `name`, declared alike. Its rows."""
    columns = _stored(connection, final)
    sqlite_tables.create(connection, name, columns, ())
    return _copy(connection, final, name, columns)


def restore(connection: sqlite3.Connection, final: str, kept: str) -> None:
    """Refill `final` with what is in `kept`, its columns declared as they were then."""
    connection.execute(f"DELETE FROM {quoted(final)}")
    columns = _stored(connection, kept)
    have = {column.name: column.declared for column in _stored(connection, final)}
    for column in columns:
        if column.name not in have:
            sqlite_tables.add_column(connection, final, column)
        elif have[column.name] != column.declared:
            try:
                sqlite_tables.change_column(connection, final, column, decoder(have[column.name]))
            except sqlite3.OperationalError as error:
                raise Permanent(
                    f"column {column.name} of {final} was {column.declared} then and is {have[column.name]} now, and "
                    f"cannot go back: {error}. Nothing was changed"
                ) from None
    _copy(connection, kept, final, columns)


def _copy(connection: sqlite3.Connection, source: str, into: str, columns: list[TableColumn]) -> int:
    names = ", ".join(quoted(column.name) for column in columns)
    return connection.execute(f"INSERT INTO {quoted(into)} ({names}) SELECT {names} FROM {quoted(source)}").rowcount


def _stored(connection: sqlite3.Connection, table: str) -> list[TableColumn]:
    """The columns without those that are computed from others."""
    found = read_table(connection, table)
    computed = {
        name for (name,) in connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 0", (table,))
    }
    return [column for column in found.columns if column.name not in computed] if found else []
