"""Write to PostgreSQL: opens a writer for each stream, and proves that tables may be made."""

from __future__ import annotations

from typing import ClassVar, Self

from worker.connectors import postgres_tables
from worker.connectors.postgres import PostgresSettings
from worker.connectors.postgres_session import connect, displace, translated
from worker.connectors.postgres_writer import PostgresWriter
from worker.connectors.protocol import Capabilities, Target
from worker.connectors.sql_undo import SqlGenerations, undo_prefix
from worker.errors import BadInput, DestinationUnavailable, Fault


class PostgresDestination:
    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def check(self) -> None:
        with (
            translated(self._settings, DestinationUnavailable),
            connect(self._settings, DestinationUnavailable) as connection,
        ):
            row = connection.execute(
                "SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') "
                "FROM pg_namespace WHERE nspname = %s",
                (self._settings.schema_,),
            ).fetchone()
        if row is None:
            raise BadInput([Fault(field="schema", message=f"{self._settings.schema_!r} does not exist there")])
        if not row[0]:
            message = f"this user may not create tables in {self._settings.schema_}; GRANT CREATE, USAGE on the schema"
            raise BadInput([Fault(field="schema", message=message)])

    def holds(self, name: str) -> bool:
        with (
            translated(self._settings, DestinationUnavailable),
            connect(self._settings, DestinationUnavailable) as connection,
        ):
            place = postgres_tables.split(connection, self._settings.schema_, name)
            return postgres_tables.find(connection, *place) is not None

    def open(self, target: Target) -> PostgresWriter:
        connection = connect(self._settings, DestinationUnavailable)
        with translated(self._settings, DestinationUnavailable):
            displace(connection, target.fence)
        return PostgresWriter(connection, self._settings, target)

    def generations(self, target: Target) -> SqlGenerations:
        return SqlGenerations(self.open(target))

    def discard(self, target: Target, sequence: int) -> None:
        with (
            translated(self._settings, DestinationUnavailable),
            connect(self._settings, DestinationUnavailable) as connection,
        ):
            schema, _ = postgres_tables.split(connection, self._settings.schema_, target.name)
            kept = postgres_tables.qualified(schema, f"{undo_prefix(target.fence, target.name)}{sequence}")
            connection.execute(f"DROP TABLE IF EXISTS {kept}", ())
