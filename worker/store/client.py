"""MongoDB clients with the settings that coordination needs, and the errors they raise in our own words.

Write concern and read concern are set here, whatever the URL says: with w:1 a frozen and thawed primary was
seen to acknowledge one lease token to two holders.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from worker import metrics
from worker.errors import BadConfiguration, Fault, StoreUnavailable
from worker.redaction import shortened

Document = dict[str, Any]
_T = TypeVar("_T")

# "not primary", "shutting down", "time limit exceeded" and their kin: the server is there, but not for us, not now.
_PASSING_CODES = frozenset({6, 7, 50, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})
DISK_CODES = frozenset({14031})
MONITOR_MS = 500


class _Stopwatch(CommandListener):
    """Counts how long the server takes for each command; the driver calls it from whichever thread asked."""

    def started(self, event: CommandStartedEvent) -> None: ...

    def succeeded(self, event: CommandSucceededEvent) -> None:
        seconds = event.duration_micros / 1e6
        metrics.COUNTERS.observe(metrics.STORE_SECONDS, seconds, command=metrics.command(event.command_name))

    def failed(self, event: CommandFailedEvent) -> None:
        metrics.COUNTERS.count(metrics.STORE_FAILURES, command=metrics.command(event.command_name))


def connect(url: str, *, app_name: str, pool: int = 20, timeout: float = 4.0) -> MongoClient[Document]:
    """A client, not yet connected. `timeout` (seconds) bounds each operation, server selection included.

    Twice a second the server is asked whether it is there; silent for `selection` seconds, it is given up with every
    call that waits for it. The driver's own way, a streamed heartbeat, would hold on to dead connections for 12 s.
    """
    selection = min(2.0, timeout)
    try:
        return MongoClient(
            url,
            appname=app_name,
            event_listeners=[_Stopwatch()],
            serverSelectionTimeoutMS=int(selection * 1000),
            connectTimeoutMS=int(selection * 1000),
            serverMonitoringMode="poll",
            heartbeatFrequencyMS=MONITOR_MS,
            timeoutMS=int(timeout * 1000),
            waitQueueTimeoutMS=int(selection * 1000),
            maxPoolSize=pool,
            retryWrites=True,
            retryReads=True,
            w="majority",
            journal=True,
            readConcernLevel="majority",
            tz_aware=True,
            tzinfo=UTC,
            uuidRepresentation="standard",
            compressors=[],
        )
    except (InvalidURI, ConfigurationError, ValueError):  # whose words may repeat a part of the password
        message = "cannot be read; are special characters in user and password written as %XX?"
        raise BadConfiguration([Fault(field="MONGO_URL", message=message)]) from None


def server_now(database: Database[Document]) -> datetime:
    """The database server's clock, aware UTC. A command's answer has naive times, whatever the client's settings."""
    now: datetime = database.command("hello")["localTime"]
    return now.replace(tzinfo=UTC)


def fenced(job_id: str, stream: str, *, sequence: int, token: int) -> Document:
    """A filter: what is kept of the stream, unless a newer run or claim wrote it; an upsert by it collides then."""
    older = [{"sequence": {"$lt": sequence}}, {"sequence": sequence, "token": {"$lte": token}}]
    return {"job_id": job_id, "stream": stream, "$or": older}


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreUnavailable for whatever means that MongoDB did not answer (the outcome of a write is unknown)."""
    try:
        yield
    except (AutoReconnect, ConnectionFailure, NetworkTimeout, WTimeoutError) as error:
        raise StoreUnavailable(f"MongoDB does not answer ({short(error)})") from error
    except OperationFailure as error:
        if error.code in _PASSING_CODES or error.code in DISK_CODES or error.timeout:
            raise StoreUnavailable(f"MongoDB cannot serve this now ({short(error)})") from error
        raise
    except PyMongoError as error:
        if error.timeout:
            raise StoreUnavailable(f"MongoDB does not answer ({short(error)})") from error
        raise


def short(error: Exception) -> str:
    """The first clause of a driver's message: it repeats itself for each server and attempt."""
    text = str(error).split(", Timeout:")[0].split(" (configured timeouts")[0].splitlines()
    return shortened(text[0], 200) if text else type(error).__name__


# Documents in one call: far below what one command may hold.
AT_ONCE = 1_000


def parts(some: Sequence[_T]) -> Iterator[list[_T]]:
    """`some`, as many at once as one call takes."""
    for start in range(0, len(some), AT_ONCE):
        yield list(some[start : start + AT_ONCE])


_C = TypeVar("_C", bound=type)


def guarded(cls: _C) -> _C:
    """Class decorator: every public method runs under `translated`."""
    for name, attribute in list(vars(cls).items()):
        if not name.startswith("_") and callable(attribute) and not isinstance(attribute, (staticmethod, classmethod)):
            setattr(cls, name, _guard(attribute))
    return cls


def _guard(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        with translated():
            return method(*args, **kwargs)

    return call
