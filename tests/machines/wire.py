"""A way to the database, and to a destination, that fails at the call of one's choice; all others pass.

The failure is the driver's own, so that the store translates it as it would a real one. A death is no Exception:
nothing in the program gets to answer it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Self, cast

from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from worker.errors import DestinationUnavailable
from worker.store import Store
from worker.store.client import Document

BULK = frozenset({"insert_many", "bulk_write"})


class Fault(StrEnum):
    """What happens at the chosen call."""

    REQUEST = "the request is lost"
    REPLY = "it is carried out, the reply is lost"
    DEATH = "the process dies before it"
    TORN = "half of a bulk is carried out, then the process dies"
    MEANWHILE = "something else happens before it"


class Died(BaseException):
    """The process is no more: raised by the fatal call and all that follow."""


class Fuse:
    """Counts calls; at the `at`-th (from 1) the fault happens, once. Only bulks count where they are to be torn.

    `bulks_after`: how many bulks were sent after the chosen call.
    """

    def __init__(self, at: int, how: Fault, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._at = at
        self._how = how
        self._meanwhile = meanwhile
        self._lock = threading.Lock()
        self._count = 0
        self._dead = False
        self.bulks_after = 0

    @property
    def blown(self) -> bool:
        return self._count >= self._at

    def call(self, carry_out: Callable[[], Any], error: Exception, torn: Callable[[], object] | None = None) -> Any:
        """Let one call pass, or fail it as chosen; `torn` carries out its first half."""
        if self._how is Fault.TORN and torn is None and not self._dead:
            return carry_out()
        with self._lock:
            self._count += 1
            chosen = self._count == self._at
            self.bulks_after += torn is not None and self._count > self._at
        if self._dead:
            raise Died
        if not chosen:
            return carry_out()
        if self._how is Fault.MEANWHILE:
            self._meanwhile()
            return carry_out()
        if self._how is Fault.REPLY:
            carry_out()
        if self._how in (Fault.REQUEST, Fault.REPLY):
            raise error
        self._dead = True
        if torn is not None and self._how is Fault.TORN:
            torn()
        raise Died


class _Fused:
    """Methods of `target`, each call through the fuse."""

    def __init__(self, target: Any, fuse: Fuse) -> None:
        self._target = target
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            torn = None
            if name in BULK:
                half = args[0][: len(args[0]) // 2]
                torn = lambda: method(half, **kwargs) if half else None  # noqa: E731
            error = AutoReconnect(f"lost on purpose: {name}")
            return self._fuse.call(lambda: method(*args, **kwargs), error, torn)

        return call


class _Database(_Fused):
    def __getitem__(self, name: str) -> _Fused:
        return _Fused(self._target[name], self._fuse)


class _Client:
    def __init__(self, client: MongoClient[Document], fuse: Fuse) -> None:
        self._client = client
        self._fuse = fuse
        self.admin = _Database(client["admin"], fuse)

    def __getitem__(self, name: str) -> _Database:
        return _Database(self._client[name], self._fuse)


def fused_store(client: MongoClient[Document], database: str, fuse: Fuse) -> Store:
    """A store each of whose calls to the server goes through the fuse."""
    return Store(cast(Any, _Client(client, fuse)), database)


class FusedDestination:
    """A destination whose every step goes through the fuse; closing it does not, for an end closes by itself.

    `after_write` is called when a batch was written.
    """

    def __init__(self, destination: Any, fuse: Fuse, after_write: Callable[[], None]) -> None:
        self._destination = destination
        self._fuse = fuse
        self._after_write = after_write
        self.capabilities = destination.capabilities

    def __enter__(self) -> Self:
        self._destination.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._destination.__exit__(*exc)

    def open(self, target: Any) -> _Writer:
        return _Writer(self._step(lambda: self._destination.open(target)), self._step, self._after_write)

    def _step(self, carry_out: Callable[[], Any]) -> Any:
        return self._fuse.call(carry_out, DestinationUnavailable("lost on purpose"))


class _Writer:
    def __init__(self, writer: Any, step: Callable[[Callable[[], Any]], Any], after_write: Callable[[], None]) -> None:
        self._writer = writer
        self._step = step
        self._after_write = after_write

    def write(self, batch: Any, columns: Any) -> None:
        self._step(lambda: self._writer.write(batch, columns))
        self._after_write()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._writer, name)
        if name in ("close", "told"):
            return method
        return lambda *args: self._step(lambda: method(*args))
