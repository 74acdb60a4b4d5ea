"""What SQLite tells of a table, and the statements that make or change one. Names are quoted here."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from worker.connectors.sqlite_types import encoder, type_of


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    name: str
    declared: str
    not_null: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """`key` is its primary key in order, empty for a view."""

    name: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def read_table(connection: sqlite3.Connection, name: str) -> Table | None:
    """The table or view as it is now, this connection's own included; None where there is none. Names match exactly."""
    found = connection.execute(
        "SELECT name FROM (SELECT * FROM sqlite_schema UNION ALL SELECT * FROM sqlite_temp_schema) "
        "WHERE type IN ('table', 'view') AND name = ?",
        (name,),
    ).fetchone()
    if found is None:
        return None
    rows = connection.execute('SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?)', (name,)).fetchall()
    columns = tuple(
        TableColumn(name=column, declared=declared, not_null=bool(not_null))
        for column, declared, not_null, _, hidden in rows
        if hidden != 1
    )
    key = tuple(column for _, column in sorted((pk, column) for column, _, _, pk, _ in rows if pk))
    return Table(name=name, columns=columns, key=key)


def folded_name(connection: sqlite3.Connection, name: str) -> str | None:
    """A table of the same name but for its case, where there is one: SQLite takes the two for one."""
    row = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE AND name <> ?",
        (name, name),
    ).fetchone()
    return None if row is None else str(row[0])


def create(connection: sqlite3.Connection, name: str, columns: Sequence[TableColumn], key: Sequence[str]) -> None:
    parts = [f"{quoted(c.name)} {c.declared}{' NOT NULL' if c.name in key else ''}" for c in columns]
    if key:
        parts.append(f"PRIMARY KEY ({', '.join(map(quoted, key))})")
    connection.execute(f"CREATE TABLE {quoted(name)} ({', '.join(parts)})")


def add_column(connection: sqlite3.Connection, table: str, column: TableColumn) -> None:
    connection.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column.name)} {column.declared}")


def has_unique(connection: sqlite3.Connection, table: str, key: Sequence[str]) -> bool:
    """Whether an index (or the primary key) lets no two rows share `key`."""
    found = read_table(connection, table)
    if found and set(found.key) == set(key):
        return True
    for (index,) in connection.execute(
        'SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', (table,)
    ).fetchall():
        names = {row[0] for row in connection.execute("SELECT name FROM pragma_index_info(?)", (index,))}
        if names == set(key):
            return True
    return False


def change_column(connection: sqlite3.Connection, table: str, column: TableColumn, read: Callable[[Any], Any]) -> None:
    """Give a column another declaration, each value written anew: `read` is how the old ones are read.

    The column goes to the table's end. An index on it, or a view that names it, makes SQLite refuse.
    """
    write = encoder(column.declared, type_of(column.declared))
    connection.create_function("rewritten", 1, lambda value: None if value is None else write(read(value)))
    new, name = quoted(f"_syncworker_{column.name}"), quoted(column.name)
    connection.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {new} {column.declared}")
    connection.execute(f"UPDATE {quoted(table)} SET {new} = rewritten({name})")
    connection.execute(f"ALTER TABLE {quoted(table)} DROP COLUMN {name}")
    connection.execute(f"ALTER TABLE {quoted(table)} RENAME COLUMN {new} TO {name}")
