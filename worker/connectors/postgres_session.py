"""Sessions on a PostgreSQL server, and its errors in our own words, never with a password."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from worker.connectors import postgres_wire
from worker.connectors.postgres import PARAMETERS, PostgresSettings
from worker.connectors.protocol import Fence
from worker.connectors.url_options import check_value
from worker.errors import BadInput, BadValue, Fault, Permanent, Transient
from worker.redaction import shortened

CONNECT_TIMEOUT = 10
NO_FILE = f"{os.devnull}/none"  # libpq warns of a file that is no plain one, not of one that cannot be there
# Classes of SQLSTATE that may heal: connection, transaction, resources, operator, system. 55P03 is a lock not got.
_PASSING = ("08", "25", "40", "53", "57", "58", "55P03")
_OF_DATA = ("21", "22", "23")
_REFUSED = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")


def connect(settings: PostgresSettings, unavailable: type[Transient]) -> Connection[Any]:
    """A session of its own, its text forms certain. Raises `unavailable`, or BadInput where waiting cannot help."""
    with translated(settings, unavailable):
        connection = psycopg.connect(**_options(settings.url), autocommit=True, prepare_threshold=None)
        connection.execute(
            "SELECT set_config('TimeZone', 'UTC', false), set_config('IntervalStyle', 'iso_8601', false), "
            "set_config('DateStyle', 'ISO, YMD', false), set_config('extra_float_digits', '1', false), "
            "set_config('client_encoding', 'UTF8', false), set_config('bytea_output', 'hex', false), "
            "set_config('lock_timeout', '60s', false)"
        )
    postgres_wire.register(connection)
    return connection


def displace(connection: Connection[Any], fence: Fence) -> None:
    """Name the session after its writer, and end those of older writers of the same stream.

    A process that is frozen in the middle of a batch keeps its locks for as long as it is frozen; its successor would
    wait for them in vain. A user may end sessions of his own: https://www.postgresql.org/docs/current/functions-admin.html
    """
    stream = hashlib.sha256(f"{fence.job}\0{fence.stream}".encode()).hexdigest()[:16]
    name = f"syncworker {stream} {fence.sequence} {fence.token}"
    connection.execute("SELECT set_config('application_name', %s, false)", (name,))
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid() "
        "AND starts_with(application_name, %s) "
        "AND (split_part(application_name, ' ', 3)::bigint, split_part(application_name, ' ', 4)::bigint) < (%s, %s)",
        (f"syncworker {stream} ", fence.sequence, fence.token),
    )


def _options(url: str) -> dict[str, Any]:
    """What libpq itself reads in the URL, checked once more, and nothing that it would look for elsewhere.

    Without a password in the URL it would take the one of PGPASSWORD or of ~/.pgpass, to whatever host this is.
    """
    try:
        found = {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
        timeout = int(found.get("connect_timeout") or CONNECT_TIMEOUT)
    except (psycopg.ProgrammingError, ValueError):  # its words may repeat the URL
        message = "cannot be read; are special characters in the password written as %XX?"
        raise BadInput([Fault(field="url", message=message)]) from None
    try:
        for name, value in found.items():
            if name not in PARAMETERS:
                raise ValueError(f"has the parameter {name!r}, which is not taken")
            check_value(name, str(value), PARAMETERS[name])
    except ValueError as error:
        raise BadInput([Fault(field="url", message=str(error))]) from None
    nowhere = {"host": "localhost", "password": "", "passfile": NO_FILE, "gssencmode": "disable"}
    ours = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "application_name": "syncworker"}
    return {**nowhere, **found, **ours, "connect_timeout": timeout}


@contextmanager
def translated(settings: PostgresSettings, unavailable: type[Transient]) -> Iterator[None]:
    """Raise our families for what psycopg raises; the server's own words are kept, the URL is not."""
    try:
        yield
    except psycopg.Error as error:
        raise _ours(error, settings, unavailable) from None


def _ours(error: psycopg.Error, settings: PostgresSettings, unavailable: type[Transient]) -> Exception:
    state = error.sqlstate or ""
    message = f"{settings.place}: {_words(error)}"
    if state.startswith("28") or state in ("3D000", "42501") or (not state and any(w in str(error) for w in _REFUSED)):
        return BadInput([Fault(field="url", message=message)])
    if state.startswith(_OF_DATA):
        return BadValue(message, column=error.diag.column_name or "")
    broken = not state and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    if broken or state.startswith(_PASSING):
        return unavailable(f"{message}; check that it runs and may be reached")
    if isinstance(error, psycopg.DataError):
        return BadValue(message)
    return Permanent(message)


def _words(error: psycopg.Error) -> str:
    diag = error.diag
    if diag.message_primary:
        parts = [diag.message_primary, diag.message_detail, diag.context]
        return "; ".join(part for part in parts if part)
    return shortened(" ".join(str(error).split()), 300) or type(error).__name__
