"""A named loop on a thread of its own: how it waits, how it stops, and what a crash of one turn means.

A turn that raises is logged and tried again after a growing delay (a short one while MongoDB is away, so that all goes
on soon when it is back); it never ends the process and never ends the loop. It does not promise that a turn ends in
time: a stuck turn shows in `stale_for`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from worker import clock
from worker.errors import StoreUnavailable

log = logging.getLogger(__name__)

MAX_DELAY = 5.0
DELAY_AWAY = 0.5
COMPLAIN_EVERY = 10.0


class Service:
    """Call `turn()` until stopped; `turn` returns the seconds until it wants to be called again.

    `wake()` ends the wait early. `stop()` asks the loop to end after its turn; `join()` waits for that.
    """

    def __init__(self, name: str, turn: Callable[[], float]) -> None:
        self.name = name
        self._turn = turn
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._seen = clock.monotonic()
        self._trouble: str | None = None
        self._silent_until = self._seen
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the loop's end; False where it did not end in `timeout` seconds."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def stale_for(self) -> float:
        """Seconds since the last turn began or the loop last waited."""
        return clock.monotonic() - self._seen

    @property
    def trouble(self) -> str | None:
        """Why MongoDB did not serve the last turn; None where it did."""
        return self._trouble

    def _loop(self) -> None:
        failures = 0
        while not self._stop.is_set():
            self._seen = clock.monotonic()
            try:
                delay = self._turn()
                failures = 0
                self._trouble = None
            except StoreUnavailable as error:
                delay = DELAY_AWAY
                self._away(error)
            except Exception:
                failures += 1
                delay = min(0.25 * 2**failures, MAX_DELAY)
                log.exception("%s: this turn failed; trying again in %.1f s", self.name, delay)
            self._wait(delay)

    def _away(self, error: StoreUnavailable) -> None:
        """Say it once in a while; every loop tries twice a second."""
        self._trouble = str(error)
        if clock.monotonic() >= self._silent_until:
            self._silent_until = clock.monotonic() + COMPLAIN_EVERY
            log.warning("%s: %s; trying again until it does", self.name, error)

    def _wait(self, delay: float) -> None:
        until = clock.monotonic() + max(delay, 0.0)
        while not self._stop.is_set():
            self._seen = clock.monotonic()
            left = until - self._seen
            if left <= 0 or self._wake.wait(min(left, 1.0)):
                break
        self._wake.clear()
