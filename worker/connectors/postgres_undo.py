"""Copies a PostgreSQL table beside itself and puts the copy back: the table itself stays, with all that hangs on it.

Columns that the copy does not have keep their place and get their default. The caller's transaction commits.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection, errors

from worker.connectors.postgres_tables import Table, TableColumn, quote
from worker.errors import Permanent

# What stands in the way of a column's change of type: views, pending triggers, defaults that do not follow.
_REFUSALS = (
    errors.FeatureNotSupported,
    errors.ObjectInUse,
    errors.DependentObjectsStillExist,
    errors.DatatypeMismatch,
    errors.CannotCoerce,
)


def keep(connection: Connection[Any], final: Table, name: str) -> int:
    """Copy every row and column of `final` into the new table `name` (quoted); other writers wait. Its rows."""
    connection.execute(f"LOCK TABLE {final.name} IN SHARE ROW EXCLUSIVE MODE", ())
    names = ", ".join(quote(column.name) for column in _stored(connection, final))
    return connection.execute(f"CREATE TABLE {name} AS SELECT {names} FROM {final.name}", ()).rowcount


def restore(connection: Connection[Any], final: Table, kept: Table) -> None:
    """Refill `final` with what is in `kept`, its columns of the types that they had then."""
    connection.execute(f"DELETE FROM {final.name}", ())
    have = {column.name: column for column in final.columns}
    for column in kept.columns:
        if column.name not in have:
            connection.execute(f"ALTER TABLE {final.name} ADD COLUMN {quote(column.name)} {column.spelled}", ())
        elif have[column.name].spelled != column.spelled:
            _retype(connection, final, have[column.name], column.spelled)
    names = ", ".join(quote(column.name) for column in kept.columns)
    connection.execute(
        f"INSERT INTO {final.name} ({names}) OVERRIDING SYSTEM VALUE SELECT {names} FROM {kept.name}", ()
    )


def _retype(connection: Connection[Any], final: Table, column: TableColumn, spelled: str) -> None:
    """Change the type of a column of an emptied table."""
    name = quote(column.name)
    try:
        with connection.transaction():
            connection.execute(f"ALTER TABLE {final.name} ALTER COLUMN {name} TYPE {spelled} USING NULL::{spelled}", ())
    except _REFUSALS as error:
        raise Permanent(
            f"column {column.name} of {final.name} was {spelled} then and is {column.spelled} now, and cannot go back: "
            f"{_words(error)}. Nothing was changed"
        ) from None


def _stored(connection: Connection[Any], table: Table) -> list[TableColumn]:
    """The columns without those that are computed from others."""
    found = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s AND attgenerated <> '' AND attnum > 0", (table.oid,)
    )
    computed = {str(name) for (name,) in found.fetchall()}
    return [column for column in table.columns if column.name not in computed]


def _words(error: psycopg.Error) -> str:
    return "; ".join(part for part in (error.diag.message_primary, error.diag.message_detail) if part)
