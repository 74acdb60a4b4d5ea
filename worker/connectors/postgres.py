"""PostgreSQL: its settings, and its two ends, which are imported when they are first asked for.

So a program without psycopg still lists this connector and says what to install.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import ConfigDict, Field, field_validator

from worker.connectors.protocol import ConnectorSettings, Destination, Source
from worker.connectors.url_options import check_hosts, check_parameters

if TYPE_CHECKING:
    from worker.connectors.trial import Stage

# What of libpq's parameters a URL may have; see url_options. Left out are those that read any file (`passfile`,
# `service`), set what the session relies on (`options`, `client_encoding`) or speak another protocol (`replication`).
PARAMETERS: Mapping[str, str | None] = {
    **dict.fromkeys(("host", "hostaddr", "port", "dbname", "user", "password", "application_name")),
    **dict.fromkeys(("connect_timeout", "tcp_user_timeout", "target_session_attrs", "load_balance_hosts")),
    **dict.fromkeys(("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count")),
    **dict.fromkeys(("sslmode", "sslnegotiation", "sslsni", "sslcompression", "sslpassword", "channel_binding")),
    **dict.fromkeys(("ssl_min_protocol_version", "ssl_max_protocol_version", "require_auth")),
    "sslrootcert": "system|file",
    **dict.fromkeys(("sslcert", "sslkey", "sslcrl"), "file"),
    "gssencmode": "disable",
}


class PostgresSettings(ConnectorSettings):
    """Where the database is. Streams outside `schema` are named `schema.table`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    url: str = Field(
        min_length=1, description="postgresql://user:password@host:5432/database", json_schema_extra={"secret": True}
    )
    schema_: str = Field(default="public", min_length=1, alias="schema", description="Schema of plain stream names")

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        try:
            scheme = urlsplit(value).scheme
        except ValueError:
            scheme = ""
        if scheme not in ("postgres", "postgresql"):
            raise ValueError("is no PostgreSQL URL; allowed: postgresql://user:password@host:5432/database")
        check_hosts(value)
        check_parameters(value, PARAMETERS)
        return value

    @property
    def place(self) -> str:
        """Host, port and database, for messages: never the password."""
        parts = urlsplit(self.url)
        return f"PostgreSQL at {parts.netloc.rpartition('@')[2] or 'localhost'}{unquote(parts.path)}"


class Postgres:
    """The connector."""

    settings: ClassVar[type[ConnectorSettings]] = PostgresSettings
    stream_options: ClassVar[frozenset[str]] = frozenset()
    source_options: ClassVar[Mapping[str, type]] = {"where": str, "query": str}

    @staticmethod
    def stages(settings: PostgresSettings) -> Iterator[Stage]:
        from worker.connectors import postgres_trial

        return postgres_trial.stages(settings)

    @staticmethod
    def source(settings: PostgresSettings) -> Source:
        from worker.connectors.postgres_source import PostgresSource

        return PostgresSource(settings)

    @staticmethod
    def destination(settings: PostgresSettings) -> Destination:
        from worker.connectors.postgres_destination import PostgresDestination

        return PostgresDestination(settings)
