"""Clients for reading and writing a user's MongoDB, and the driver's errors in our own words; no URL is ever shown.

Runs that use one URL at the same time share a client: thousands of small ones would else spend their time on logins.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient, timeout
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    CursorNotFound,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.uri_parser import parse_uri

from worker.connectors.mongodb import MongoDBSettings
from worker.errors import BadInput, DestinationUnavailable, Fault, Permanent, SourceUnavailable
from worker.redaction import shortened

Document = dict[str, Any]
Unavailable = type[SourceUnavailable] | type[DestinationUnavailable]

_SELECTION_MS = 5000
# Each of at most 64 runs reads on one connection and writes on another.
_POOL = 128

STATE = "_syncworker_state"
STAGING = "_syncworker_staging_"
KEYS = "_syncworker_keys_"
UNDO = "_syncworker_undo_"

# The server is there, but not for us, not now: stepping down, shutting down, out of time, ended by somebody (11601), a
# transaction to repeat.
_PASSING = frozenset(
    {6, 7, 43, 50, 89, 91, 112, 134, 189, 237, 251, 262, 290, 9001, 10107, 11600, 11601, 11602, 13435, 13436}
)
_LOGIN = frozenset({13, 18, 8000})


_lent: dict[tuple[str, float], tuple[MongoClient[Document], int]] = {}
_lending = threading.Lock()


def borrow(settings: MongoDBSettings, *, seconds: float) -> MongoClient[Document]:
    """The client of all who use this URL now, perhaps not yet connected; no operation lasts longer than `seconds`."""
    with _lending:
        client, users = _lent.get((settings.url, seconds)) or (_connect(settings, seconds=seconds), 0)
        _lent[settings.url, seconds] = client, users + 1
        return client


def give_back(settings: MongoDBSettings, *, seconds: float) -> None:
    """End one use of a borrowed client; the last one closes it."""
    with _lending:
        client, users = _lent.pop((settings.url, seconds))
        if users > 1:
            _lent[settings.url, seconds] = client, users - 1
            return
    client.close()


def _connect(settings: MongoDBSettings, *, seconds: float) -> MongoClient[Document]:
    """Writes are acknowledged by a majority and the journal, whatever the URL says."""
    try:
        return MongoClient(
            settings.url,
            appname="syncworker",
            serverSelectionTimeoutMS=_SELECTION_MS,
            connectTimeoutMS=_SELECTION_MS,
            timeoutMS=int(seconds * 1000),
            maxPoolSize=_POOL,
            retryWrites=True,
            retryReads=True,
            w="majority",
            journal=True,
            readConcernLevel="majority",
            tz_aware=True,
            uuidRepresentation="standard",
            compressors=[],
        )
    except (InvalidURI, ConfigurationError, ValueError) as error:
        message = f"cannot be used: {_without_url(error)}"
        raise BadInput([Fault(field="url", message=message)]) from None


def wake(client: MongoClient[Document], settings: MongoDBSettings, unavailable: Unavailable) -> None:
    """Prove within seconds that the server answers: reads and writes would try for as long as they may last."""
    with translated(settings, unavailable), timeout(_SELECTION_MS / 1000):
        client.admin.command("ping")


def _without_url(error: Exception) -> str:
    words = str(error).splitlines()[0] if str(error) else ""
    return words if words and "@" not in words and "//" not in words else type(error).__name__


def place(settings: MongoDBSettings) -> str:
    """Hosts and database for a message."""
    try:
        found = {"nodelist": []} if "+srv" in settings.url else parse_uri(settings.url, validate=False)
    except (PyMongoError, ValueError):
        found = {"nodelist": []}
    hosts = ",".join(f"{host}:{port}" for host, port in found["nodelist"])
    return f"MongoDB{' at ' + hosts if hosts else ''}, database {settings.database}"


@contextmanager
def translated(settings: MongoDBSettings, unavailable: Unavailable) -> Iterator[None]:
    """Raise our families for what pymongo raises."""
    try:
        yield
    except PyMongoError as error:
        raise _ours(error, settings, unavailable) from None


def _ours(error: PyMongoError, settings: MongoDBSettings, unavailable: Unavailable) -> Exception:
    message = f"{place(settings)}: {short(error)}"
    code = error.code if isinstance(error, OperationFailure) else None
    if code in _LOGIN:
        return BadInput([Fault(field="url", message=message)])
    passing = isinstance(error, (AutoReconnect, ConnectionFailure, CursorNotFound, WTimeoutError))
    if passing or error.timeout or code in _PASSING or error.has_error_label("TransientTransactionError"):
        return unavailable(message)
    if isinstance(error, ConfigurationError):
        return BadInput([Fault(field="url", message=f"cannot be used: {_without_url(error)}")])
    return Permanent(message)


def short(error: Exception) -> str:
    """The first clause of a driver's message: it repeats itself for each server and attempt."""
    text = str(error).split(", Timeout:")[0].split(" (configured timeouts")[0].split(", full error")[0].splitlines()
    return shortened(text[0], 300) if text else type(error).__name__
