"""What one attempt says: buffered lines, stored in batches, capped, and honest about what was dropped.

However much it is told, it holds and keeps no more than its caps; errors and how the attempt ended always fit. It
never raises: a line that cannot be stored is told in the process's log, and the attempt goes on.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from worker import clock, logs
from worker.errors import Conflict, StoreUnavailable
from worker.store.logs import Logs

log = logging.getLogger(__name__)

MOST_LINES = 10_000
MOST_CHARACTERS = 8_000_000
LONGEST_LINE = 4_000
# Beyond the caps: for errors, and for how the attempt ended.
RESERVED_LINES = 100
# A secret that is cut in two is not recognized: what is redacted is longer than what is kept.
REDACTED = 4 * LONGEST_LINE
# Far below the 16 MB that a document may have, in the worst of encodings.
DOCUMENT_CHARACTERS = 1_000_000


class RunLog:
    """Thread-safe. Lines are numbered on from what earlier attempts of the run wrote; `first`: there was none."""

    def __init__(self, store: Logs, run_id: str, attempt: int, *, first: bool = False) -> None:
        self._store = store
        self._run_id = run_id
        self._attempt = attempt
        self._next: int | None = 1 if first else None
        self._taken = 0
        self._characters = 0
        self._dropped = 0
        self._lines: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def add(self, level: str, message: str, stream: str | None = None, *, ours: bool = False) -> None:
        """Add a line; the time is this machine's, for display. `ours`: said by the program, which says little."""
        with self._lock:
            reserve = RESERVED_LINES if ours or level == "error" else 0
            full = self._characters >= MOST_CHARACTERS and not reserve
            if full or self._taken >= MOST_LINES + reserve:
                self._dropped += 1
                return
            self._taken += 1
        text = logs.redact(message[:REDACTED]).encode(errors="replace").decode()[:LONGEST_LINE]
        if len(message) > LONGEST_LINE:
            text = f"{text}… ({len(message) - LONGEST_LINE:,} more characters)"
        line = {"at": clock.wall(), "level": level, "message": text, "attempt": self._attempt}
        with self._lock:
            self._characters += len(text)
            self._lines.append(line | ({"stream": stream} if stream else {}))

    def flush(self) -> None:
        """Store what is buffered; where the store is away it stays buffered."""
        with self._flushing:
            with self._lock:
                lines, self._lines = self._lines, []
            while lines:
                count = _fitting(lines)
                try:
                    self._append(lines[:count])
                except (StoreUnavailable, Conflict):
                    self._next = None  # unknown whether they arrived, or their numbers are taken: ask again
                    with self._lock:
                        self._lines = lines + self._lines
                    return
                except Exception:
                    log.exception("run %s: %d lines of its log could not be stored", self._run_id, count)
                lines = lines[count:]

    def close(self) -> None:
        """Say what was dropped, and store the rest."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            if dropped:
                line = {"at": clock.wall(), "level": "warning", "attempt": self._attempt, "dropped": dropped}
                line["message"] = f"{dropped:,} more lines were not kept: an attempt keeps {MOST_LINES:,}"
                self._lines.append(line)
        self.flush()
        self.flush()  # again, should another writer have taken the numbers

    def _append(self, lines: list[dict[str, Any]]) -> None:
        if self._next is None:
            self._next = self._store.last_number(self._run_id) + 1
        self._store.append(self._run_id, lines, first=self._next)
        self._next += len(lines)


def _fitting(lines: list[dict[str, Any]]) -> int:
    """How many of the lines go into one document; at least one."""
    left = DOCUMENT_CHARACTERS
    for count, line in enumerate(lines):
        left -= len(line["message"])
        if left < 0:
            return max(count, 1)
    return len(lines)
