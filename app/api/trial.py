"""Try a connection step by step: name, tcp, tls, login, permission, query; stop at the first that fails.

The first two steps are our own where the settings have a URL with one host; the rest is told from what the connector
raises. It changes nothing at the other end.
"""

from __future__ import annotations

import concurrent.futures
import re
import socket
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from app.api.wire import ConnectionTest, Step
from worker import clock, connectors
from worker.connection import Connection
from worker.errors import SyncworkerError, Unsupported
from worker.logs import redact

End = Literal["source", "destination"]

PATIENCE = 20.0
PROBE = 5.0
PORTS = {"postgres": 5432, "postgresql": 5432, "mongodb": 27017, "mysql": 3306, "http": 80, "https": 443}

_tries = concurrent.futures.ThreadPoolExecutor(max_workers=8, thread_name_prefix="trial")

# What a message says of the step that failed; the first that fits.
_SIGNS: tuple[tuple[Step, re.Pattern[str], str], ...] = (
    (
        "name",
        re.compile(
            r"name or service|resolve|getaddrinfo|no such|there is no|(?<!role) \S+ does not exist|unable to open", re.I
        ),
        "Check the name: the host, the path or the database.",
    ),
    ("tls", re.compile(r"\b(ssl|tls|certificate)\b", re.I), "Check the TLS settings of the URL and the certificate."),
    (
        "login",
        re.compile(r"authenti|password|login|credential|role .* does not", re.I),
        "Check the user and the password.",
    ),
    (
        "permission",
        re.compile(r"permission|denied|not authori[sz]ed|read-?only|privilege", re.I),
        "Grant this user what it needs.",
    ),
    (
        "tcp",
        re.compile(r"refused|unreachable|timed? ?out|does not answer|no answer|closed the connection", re.I),
        "Check that the server runs, and that this machine may reach it.",
    ),
)


class _Failed(Exception):
    def __init__(self, step: Step, message: str, hint: str) -> None:
        super().__init__(message)
        self.step: Step = step
        self.hint = hint


def tried(connection: Connection, end: End = "source") -> ConnectionTest:
    """Try one end of it. Never raises for what is wrong with the connection: that is the answer."""
    begun = clock.monotonic()
    step: Step = "query"
    message, hint = "It works.", None
    try:
        _tries.submit(_try, connection, end).result(PATIENCE)
    except _Failed as failed:
        step, message, hint = failed.step, str(failed), failed.hint
    except TimeoutError:
        step, message, hint = "tcp", f"There was no answer within {PATIENCE:g} s.", _SIGNS[-1][2]
    except (SyncworkerError, OSError) as error:
        step, hint = _told_by(str(error))
        message = str(error)
    ms = round((clock.monotonic() - begun) * 1000)
    return ConnectionTest(ok=hint is None, ms=ms, step=step, message=redact(message), hint=hint)


def _try(connection: Connection, end: End) -> None:
    address = _address(connection.settings)
    if address:
        _reach(*address)
    other: End = "destination" if end == "source" else "source"
    try:
        with connectors.open_end(connection.type, connection.settings, end) as opened:
            opened.check()
    except Unsupported:
        with connectors.open_end(connection.type, connection.settings, other) as opened:
            opened.check()


def _address(settings: Mapping[str, Any]) -> tuple[str, int] | None:
    """Host and port of a URL that has just one host; None where there is nothing to reach."""
    url = settings.get("url") or settings.get("base_url")
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or "," in parts.netloc or "+" in parts.scheme or port is None or "/" in parts.hostname:
        return None
    return parts.hostname, port


def _reach(host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _Failed("name", f"The name {host} is not known: {error.strerror or error}.", _SIGNS[0][2]) from None
    trouble: OSError | None = None
    for family, kind, protocol, _, address in found:
        with socket.socket(family, kind, protocol) as probe:
            probe.settimeout(PROBE)
            try:
                probe.connect(address)
                return
            except OSError as error:
                trouble = error
    reason = (trouble.strerror if trouble else None) or "no answer"
    raise _Failed("tcp", f"{host}, port {port}, cannot be reached: {reason}.", _SIGNS[-1][2])


def _told_by(message: str) -> tuple[Step, str]:
    for step, sign, hint in _SIGNS:
        if sign.search(message):
            return step, hint
    return "query", "The message says what the other end refused."
