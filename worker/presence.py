"""This instance tells that it lives, and what it works on."""

from __future__ import annotations

import os
from collections.abc import Callable

import worker
from worker.store import Store

BEAT = 5.0


class Presence:
    """`slots`: how many runs it works on at once; 0 where it takes none from the queue."""

    def __init__(
        self, store: Store, instance: str, *, host: str, mode: str, active: Callable[[], list[str]], slots: int = 0
    ) -> None:
        self._store = store
        self._instance = instance
        self._facts = {"host": host, "pid": os.getpid(), "version": worker.__version__, "mode": mode}
        self._facts |= {"slots": slots}
        self._active = active

    def turn(self) -> float:
        self._store.instances.beat(self._instance, self._facts, self._active())
        return BEAT

    def leave(self) -> None:
        self._store.instances.leave(self._instance)
