"""A queue of batches between the thread that reads and the one that writes, bounded in bytes.

Memory stays flat whatever the table's size: the reader waits while more than `limit` bytes are under way. One
batch always fits, however large. An error of the reader reaches the writer behind the batches before it. Few batches
are under way, and a sync that is told to stop writes them first: whoever goes on need not read them again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TypeVar

from worker.batch import Batch
from worker.errors import Stopped
from worker.log_fields import carried

LIMIT_BYTES = 16 * 1024 * 1024
MOST_BATCHES = 2
LOOK = 0.1

T = TypeVar("T")


def patiently(call: Callable[[], T], check: Callable[[], None]) -> T:
    """The result of a call that only reads, made on a thread of its own, so that `check` (which may raise) is heard
    however long it hangs. An abandoned call ends by itself; its result is thrown away.
    """
    outcome: list[T] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def work() -> None:
        try:
            outcome.append(call())
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=carried(work), name="patient call", daemon=True).start()
    while not ended.wait(LOOK):
        check()
    if errors:
        raise errors[0]
    return outcome[0]


class Pipe:
    """Filled by one thread with `fill`, drained by another with `drain`."""

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self._limit = limit
        self._batches: deque[Batch] = deque()
        self._bytes = 0
        self._error: BaseException | None = None
        self._ended = False
        self._closed = False
        self._ebbs = False
        self._changed = threading.Condition()

    def fill(self, batches: Iterator[Batch]) -> None:
        """Move all of `batches` into the pipe; ends early, closing the iterator, when the pipe is closed."""
        try:
            for batch in batches:
                if not self._put(batch):
                    break
        except BaseException as error:
            self._end(error)
        else:
            self._end(None)
        finally:
            close = getattr(batches, "close", None)
            if close:
                close()

    def drain(self, check: Callable[[], None]) -> Iterator[Batch]:
        """Batches in order; calls `check` (which may raise) at least ten times a second. Raises the reader's error.

        Where `check` raises Stopped, no more is read, and that is raised when what was read is drained.
        """
        stopped: Stopped | None = None
        while True:
            with self._changed:
                while not self._batches and not self._ended and not stopped:
                    self._changed.wait(LOOK)
                    stopped = self._checked(check)
                if not self._batches:
                    error = stopped or self._error
                    if error is not None:
                        raise error
                    return
                batch = self._batches.popleft()
            stopped = self._checked(check)
            yield batch
            with self._changed:
                self._bytes -= batch.bytes
                self._changed.notify_all()

    def _checked(self, check: Callable[[], None]) -> Stopped | None:
        try:
            check()
        except Stopped as error:
            self._ebb()
            return error
        return None

    def _ebb(self) -> None:
        with self._changed:
            self._ebbs = True
            self._changed.notify_all()

    @property
    def spent(self) -> bool:
        """Whether the reader came to its end, without an error, and nothing is left."""
        with self._changed:
            return self._ended and self._error is None and not self._batches and not self._ebbs

    def close(self) -> None:
        """Tell the reader that nobody drains any more."""
        with self._changed:
            self._closed = True
            self._batches.clear()
            self._changed.notify_all()

    def _put(self, batch: Batch) -> bool:
        with self._changed:
            while self._is_full(batch) and not self._closed and not self._ebbs:
                self._changed.wait(1.0)
            if self._closed:
                return False
            self._batches.append(batch)
            self._bytes += batch.bytes
            self._changed.notify_all()
            return not self._ebbs

    def _is_full(self, batch: Batch) -> bool:
        return bool(self._bytes) and (self._bytes + batch.bytes > self._limit or len(self._batches) >= MOST_BATCHES)

    def _end(self, error: BaseException | None) -> None:
        with self._changed:
            self._error = error
            self._ended = True
            self._changed.notify_all()
