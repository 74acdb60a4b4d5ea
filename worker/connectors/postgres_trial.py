"""Try a PostgreSQL connection stage by stage. TLS and the beginning of a session are asked for by hand, so that the
server's own code (SQLSTATE) is known where libpq tells words alone; the rest is libpq's and the server's catalog's.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from worker.connectors.postgres import PostgresSettings
from worker.connectors.postgres_session import connect
from worker.connectors.reach import Reach, unverified, verified
from worker.connectors.trial import Misstep, Stage, Step
from worker.errors import BadInput, Fault, SourceUnavailable, SyncworkerError

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_VERSION_3 = 196608
_MOST = 65_536
_NO_DATABASE, _NO_PRIVILEGE = "3D000", "42501"
_BUSY = ("53", "57")
# Some are always there: they tell whether it is the login or the database.
_OTHERS = ("postgres", "template1")


def stages(settings: PostgresSettings) -> Iterator[Stage]:
    found = _read(settings.url)
    ports = found.get("port", "").split(",")
    hosts = [host or "localhost" for host in (found.get("hostaddr") or found.get("host") or "").split(",")]
    if len(ports) != len(hosts):
        ports = [ports[0]] * len(hosts)
    places = [(host, int(port or 5432)) for host, port in zip(hosts, ports, strict=True)]
    reach = Reach(places, socket_name=f".s.PGSQL.{places[0][1]}")
    mode = found.get("sslmode", "prefer")
    with closing(reach):
        yield Stage(Step.NAME, reach.resolve)
        yield Stage(Step.TCP, reach.connect)
        if mode not in ("disable", "allow") and not reach.host.startswith("/"):
            yield Stage(Step.TLS, lambda: _tls(reach, mode, found))
        yield Stage(Step.LOGIN, lambda: _begin(reach, found))
        reach.close()
        yield Stage(Step.LOGIN, lambda: _login(settings))
        yield Stage(Step.PERMISSION, lambda: _may_read(settings), "source")
        yield Stage(Step.PERMISSION, lambda: _may_write(settings), "destination")
        yield Stage(Step.QUERY, lambda: _query(settings))


def _read(url: str) -> dict[str, str]:
    try:
        return {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:  # its words may repeat the URL
        message = "cannot be read; are special characters in the password written as %XX?"
        raise BadInput([Fault(field="url", message=message)]) from None


def _tls(reach: Reach, mode: str, found: Mapping[str, str]) -> None:
    """As libpq does: ask whether there is TLS, and shake hands where there is."""
    assert reach.socket is not None
    try:
        reach.socket.sendall(_SSL_REQUEST)
        answer = reach.socket.recv(1)
    except OSError as error:
        raise Misstep(Step.TLS, f"{reach.host} did not say whether it has TLS: {error.strerror or error}.") from None
    if answer == b"S":
        checks = mode in ("verify-ca", "verify-full")
        reach.handshake(verified(_authority(found), names=mode == "verify-full") if checks else unverified())
    elif answer != b"N":
        raise Misstep(Step.TLS, f"{reach.host} does not speak PostgreSQL's protocol.", "Check the port.")
    elif mode != "prefer":
        message = f"{reach.host} offers no TLS, and the URL wants it (sslmode={mode})."
        raise Misstep(Step.TLS, message, "Turn on ssl at the server, or leave sslmode out of the URL.")


def _authority(found: Mapping[str, str]) -> str | None:
    given = found.get("sslrootcert")
    if given is not None:
        return None if given == "system" else given
    return str(Path("~/.postgresql/root.crt").expanduser())


def _begin(reach: Reach, found: Mapping[str, str]) -> None:
    """Say who we are, and hear whether the server asks for a password, lets us in, or says no at once."""
    said = {"user": found.get("user", "postgres"), "application_name": "syncworker"}
    said["database"] = found.get("dbname", said["user"])
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in said.items()) + b"\0"
    code = ""
    try:
        assert reach.socket is not None
        reach.socket.sendall(struct.pack("!ii", len(body) + 8, _VERSION_3) + body)
        with reach.socket.makefile("rb") as stream:
            while header := stream.read(5):
                kind, length = header[:1], struct.unpack("!i", header[1:])[0] - 4
                content = stream.read(length) if 0 <= length <= _MOST else b""
                if kind == b"E":
                    code = _field(content, b"C")
                    break
                if kind == b"Z" or (kind == b"R" and content[:4] != b"\0\0\0\0"):
                    return
    except OSError:
        return  # libpq will say it better
    _refuse(code, _field(content, b"M") if code else "", said["database"])


def _field(content: bytes, name: bytes) -> str:
    """A field of an ErrorResponse."""
    fields = (part for part in content.split(b"\0") if part[:1] == name)
    return next(fields, b" ")[1:].decode(errors="replace")


def _refuse(code: str, message: str, database: str) -> None:
    if not code:
        return
    words = f"{message} (SQLSTATE {code})."
    if code == _NO_DATABASE:
        raise Misstep(Step.NAME, words, f"Make the database {database}, or name another in the URL.")
    if code == _NO_PRIVILEGE:
        raise Misstep(Step.PERMISSION, words, f"GRANT CONNECT ON DATABASE {database} to this user.")
    if code.startswith(_BUSY):
        raise Misstep(Step.LOGIN, words, "The server takes no session now: try again, or raise max_connections.")
    raise Misstep(Step.LOGIN, words)


def _login(settings: PostgresSettings) -> None:
    """A session through libpq. Where there is none: is it the login that fails, or this database?"""
    try:
        connect(settings, SourceUnavailable).close()
        return
    except SyncworkerError as error:
        words = str(error)
    parts = urlsplit(settings.url)
    name = parts.path.removeprefix("/")
    for other in _OTHERS:
        if quote(other) == name:
            continue
        elsewhere = settings.model_copy(update={"url": urlunsplit(parts._replace(path=f"/{other}"))})
        try:
            with connect(elsewhere, SourceUnavailable) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        except SyncworkerError:
            continue
        if found is None:
            raise Misstep(Step.NAME, words, f"Make the database {name}, or name another in the URL.")
        raise Misstep(Step.PERMISSION, words, f"GRANT CONNECT ON DATABASE {name} to this user.")
    raise Misstep(Step.LOGIN, words)


def _may_read(settings: PostgresSettings) -> None:
    schema = settings.schema_
    with connect(settings, SourceUnavailable) as connection:
        usable = connection.execute(
            "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = %s", (schema,)
        ).fetchone()
        if usable is None:
            raise Misstep(Step.NAME, f"There is no schema {schema} in that database.", "Make it, or name another.")
        if not usable[0]:
            message = f"This user may not look into the schema {schema}."
            raise Misstep(Step.PERMISSION, message, f"GRANT USAGE ON SCHEMA {schema} to this user.")
        tables, readable = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE has_table_privilege(c.oid, 'SELECT')) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = ANY(%s)",
            (schema, list("rpvmf")),
        ).fetchone() or (0, 0)
    if tables and not readable:
        message = f"This user may read none of the {tables} tables in {schema}."
        raise Misstep(Step.PERMISSION, message, f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} to this user.")


def _may_write(settings: PostgresSettings) -> None:
    schema = settings.schema_
    with connect(settings, SourceUnavailable) as connection:
        row = connection.execute(
            "SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE'), "
            "current_setting('transaction_read_only') = 'on' FROM pg_namespace WHERE nspname = %s",
            (schema,),
        ).fetchone()
    if row is None:
        raise Misstep(Step.NAME, f"There is no schema {schema} in that database.", "Make it, or name another.")
    if row[1]:
        raise Misstep(Step.PERMISSION, "The sessions of this user are read-only there.", "Name the primary server.")
    if not row[0]:
        message = f"This user may not create tables in {schema}."
        raise Misstep(Step.PERMISSION, message, f"GRANT CREATE, USAGE ON SCHEMA {schema} to this user.")


def _query(settings: PostgresSettings) -> None:
    with connect(settings, SourceUnavailable) as connection:
        connection.execute("SELECT count(*) FROM pg_catalog.pg_class", ()).fetchone()
