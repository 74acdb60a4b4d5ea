"""What PostgreSQL's catalog tells of tables, and how their names are written. It changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from worker.connectors.postgres_types import PgType

COUNTED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    name: str
    type: PgType
    not_null: bool = False
    generated: bool = False
    spelled: str = "text"

    @property
    def bare(self) -> str:
        """The type without its modifier, for a cast that must not cut anything."""
        quoted = f"{quote(self.type.schema)}.{quote(self.type.name)}"
        return f"{quoted}[]" if self.type.array else quoted


@dataclass(frozen=True, kw_only=True)
class Table:
    """`name` is quoted with its schema. `kind` is the catalog's: r table, p partitioned, v view, m, f."""

    oid: int
    name: str
    kind: str
    columns: tuple[TableColumn, ...]
    key: tuple[str, ...]


def quote(name: str) -> str:
    """Quoted by the driver; a percent sign is doubled for its parameters, so always give it some, if empty."""
    return sql.Identifier(name).as_string(None).replace("%", "%%")


def qualified(schema: str, name: str) -> str:
    return f"{quote(schema)}.{quote(name)}"


def find(connection: Connection[Any], schema: str, name: str) -> int | None:
    row = connection.execute(
        "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s AND c.relkind = ANY(%s)",
        (schema, name, list("rpvmf")),
    ).fetchone()
    return None if row is None else int(row[0])


def split(connection: Connection[Any], schema: str, name: str) -> tuple[str, str]:
    """Schema and table of a stream's name: `table` in the connection's schema, else `schema.table`."""
    if "." in name and find(connection, schema, name) is None:
        other, _, table = name.partition(".")
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (other,)).fetchone():
            return other, table
    return schema, name


def read_table(connection: Connection[Any], schema: str, name: str) -> Table | None:
    """The table or view as it is now; None where there is none."""
    oid = find(connection, schema, name)
    if oid is None:
        return None
    rows = connection.execute(_COLUMNS, (oid,)).fetchall()
    columns = tuple(map(_column, rows))
    (kind,) = connection.execute("SELECT relkind::text FROM pg_class WHERE oid = %s", (oid,)).fetchone() or ("r",)
    return Table(oid=oid, name=qualified(schema, name), kind=kind, columns=columns, key=_key(connection, oid))


def _column(row: Sequence[Any]) -> TableColumn:
    return TableColumn(
        name=row[0],
        type=PgType(name=row[1], schema=row[2], array=row[3], modifier=row[4]),
        not_null=row[5],
        generated=row[6],
        spelled=row[7],
    )


def read_query(connection: Connection[Any], query: str) -> Table:
    """What a query in brackets gives, as if it were a table without a key. It is planned, not executed.

    In binary: so the driver sends one statement, and what comes behind a semicolon is refused.
    """
    with connection.cursor(binary=True) as cursor:
        cursor.execute(f"SELECT * FROM {query} AS source LIMIT 0", ())
        found, result = cursor.description or [], cursor.pgresult
        assert result is not None
        given = [(column.name, column.type_code, result.fmod(at)) for at, column in enumerate(found)]
    rows = connection.execute(_TYPES, tuple(map(list, zip(*given, strict=True))) if given else ([], [], [])).fetchall()
    return Table(oid=0, name=query, kind="q", columns=tuple(map(_column, rows)), key=())


# One level of domains is looked through; an array's items are described in place of the array.
_TYPE = """
e.typname, en.nspname, b.typelem <> 0 AND b.typcategory = 'A' AS array,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END
"""
_JOINS = """
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
JOIN pg_type e ON e.oid = CASE WHEN b.typelem <> 0 AND b.typcategory = 'A' THEN b.typelem ELSE b.oid END
JOIN pg_namespace en ON en.oid = e.typnamespace
"""
_COLUMNS = f"""
SELECT a.attname, {_TYPE}, a.attnotnull, a.attgenerated <> '' OR a.attidentity = 'a',
       format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a {_JOINS}
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_TYPES = f"""
SELECT a.attname, {_TYPE}, false, false, format_type(a.atttypid, a.atttypmod)
FROM unnest(%s::text[], %s::oid[], %s::int4[]) WITH ORDINALITY AS a(attname, atttypid, atttypmod, attnum) {_JOINS}
ORDER BY a.attnum
"""

_UNIQUE = """
SELECT array_agg(a.attname::text ORDER BY k.n)
FROM pg_index i
CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
      AND k.n <= i.indnkeyatts
GROUP BY i.indexrelid, i.indisprimary
HAVING %s OR bool_and(a.attnotnull)
ORDER BY i.indisprimary DESC, count(*), i.indexrelid
"""


def _key(connection: Connection[Any], oid: int) -> tuple[str, ...]:
    """The primary key, else a unique index whose columns are never null."""
    row = connection.execute(_UNIQUE, (oid, False)).fetchone()
    return tuple(row[0]) if row else ()


def has_unique(connection: Connection[Any], oid: int, key: Sequence[str]) -> bool:
    return any(set(names) == set(key) for (names,) in connection.execute(_UNIQUE, (oid, True)).fetchall())


def in_the_way(connection: Connection[Any], oid: int) -> list[str]:
    """Foreign keys of other tables by which a DELETE of all rows here would change rows there, or be refused.

    One that can wait for the commit is not in the way, nor is one of a table without rows.
    """
    found = connection.execute(
        "SELECT conrelid::regclass::text, conrelid::regclass::text || ' (' || conname || ')', "
        "confdeltype IN ('c', 'n', 'd') OR NOT has_table_privilege(conrelid, 'SELECT') "
        "FROM pg_constraint WHERE confrelid = %s AND conrelid <> confrelid "
        "AND contype = 'f' AND NOT (confdeltype = 'a' AND condeferrable)",
        (oid,),
    ).fetchall()
    return [
        str(name)
        for table, name, surely in found
        if surely or connection.execute(f"SELECT 1 FROM {table.replace('%', '%%')} LIMIT 1", ()).fetchone()
    ]


def estimate(connection: Connection[Any], table: Table) -> int | None:
    """Rows: counted where the table is small, else as the planner has it; None where it does not know."""
    row = connection.execute(
        "SELECT reltuples::bigint, pg_relation_size(oid) FROM pg_class WHERE oid = %s", (table.oid,)
    ).fetchone()
    if row is None:
        return None
    if table.kind in "rm" and row[1] <= COUNTED_BYTES:
        counted = connection.execute(f"SELECT count(*) FROM {table.name}", ()).fetchone()
        return int(counted[0]) if counted else None
    return int(row[0]) if row[0] > 0 else None
