"""The embedded mongod inside a process that does other things: kept alive on a thread of its own."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from app.embedded import STOP_PATIENCE, TEND_EVERY, Embedded, EmbeddedFailed
from worker.errors import SyncworkerError

log = logging.getLogger(__name__)


class Database:
    """`url`, until `close`. The thread that starts mongod outlives it, as the kernel's tie between the two needs.

    `failed` is called, once, when mongod is beyond help; `failure` then says why.
    """

    def __init__(self, data_dir: Path, *, failed: Callable[[], None]) -> None:
        """Return when there is a URL; raises what `Embedded.ensure` raises."""
        self.failure: EmbeddedFailed | None = None
        self._failed = failed
        self._stop = threading.Event()
        first: queue.SimpleQueue[str | SyncworkerError] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._keep, args=(Embedded(data_dir), first), name="mongod", daemon=True)
        self._thread.start()
        answer = first.get()
        if isinstance(answer, SyncworkerError):
            raise answer
        self.url = answer

    def _keep(self, embedded: Embedded, first: queue.SimpleQueue[str | SyncworkerError]) -> None:
        try:
            first.put(embedded.ensure(self._stop))
            while not self._stop.wait(TEND_EVERY):
                embedded.tend()
        except EmbeddedFailed as error:
            log.error("%s", error)
            self.failure = error
            first.put(error)
            self._failed()
        except SyncworkerError as error:
            first.put(error)
        finally:
            embedded.stop()

    def close(self) -> None:
        """Stop the embedded mongod where it is ours."""
        self._stop.set()
        self._thread.join(STOP_PATIENCE + 1.0)
