"""How a process is told to end: the first SIGTERM, SIGINT or SIGHUP asks it to stop, the second to hurry.

A handler only notes, and does not even that in Python: the interpreter writes the signal's number into a pipe, from
which a thread makes events. A handler in Python waits until the main thread next runs, which may be never while it
waits for a lock and the kernel gave the signal to another thread (seen with two signals at once); and it must not set
an Event, whose own lock the interrupted thread may hold.
Whoever takes too long after that is ended the hard way: a stop always has an end.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

from worker import clock

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ASKED = b"\0"
# Promised: the end within SHUTDOWN_GRACE + 2 s, and within 2 s after the second signal.
PATIENCE = 1.7


class Stopping:
    """`stop` and `hurry` for those who wait. Make it on the main thread, once a process."""

    def __init__(self, grace: float) -> None:
        self.stop = threading.Event()
        self.hurry = threading.Event()
        self._grace = grace
        self._notes, self._pen = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        threading.Thread(target=self._turn_notes_into_events, name="stopping", daemon=True).start()
        signal.set_wakeup_fd(self._pen, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, _nothing)

    def ask(self) -> None:
        """Stop as if a signal had come; for any thread."""
        if not self.stop.is_set():
            os.write(self._pen, ASKED)

    def _turn_notes_into_events(self) -> None:
        self._next(None)
        self.stop.set()
        deadline = clock.monotonic() + self._grace + PATIENCE
        while self._next(deadline - clock.monotonic()):
            if not self.hurry.is_set():
                self.hurry.set()
                deadline = min(deadline, clock.monotonic() + PATIENCE)
        log.warning("not everything ended in time; leaving it behind")
        leave(0)

    def _next(self, patience: float | None) -> bool:
        """Wait for one note and take it; False where none came within `patience` seconds."""
        while patience is None or patience > 0:
            started = clock.monotonic()
            if select.select([self._notes], [], [], patience)[0]:
                note = os.read(self._notes, 1)
                if note == ASKED or int.from_bytes(note, "big") in SIGNALS:
                    return True
            if patience is not None:
                patience -= clock.monotonic() - started
        return False


def leave(code: int) -> NoReturn:
    """End this process now. A thread that hangs (in a request, a driver's C call) would hold the usual end for ever."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads any more
    os._exit(code)


def _nothing(number: int, frame: FrameType | None) -> None:
    """The note is in the pipe already."""
