"""What one attempt says: buffered lines, stored in batches, capped, and honest about what was dropped."""

from __future__ import annotations

import threading
from typing import Any

from worker import clock, logs
from worker.errors import StoreUnavailable
from worker.store.logs import Logs

MOST_LINES = 10_000
LONGEST_LINE = 4_000


class RunLog:
    """Thread-safe. Lines are numbered on from what earlier attempts of the run wrote."""

    def __init__(self, store: Logs, run_id: str, attempt: int) -> None:
        self._store = store
        self._run_id = run_id
        self._attempt = attempt
        self._next: int | None = None
        self._written = 0
        self._dropped = 0
        self._lines: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def add(self, level: str, message: str, stream: str | None = None) -> None:
        """Add a line; the time is this machine's, for display."""
        with self._lock:
            if self._written + len(self._lines) >= MOST_LINES:
                self._dropped += 1
                return
            text = logs.redact(message)
            if len(text) > LONGEST_LINE:
                text = f"{text[:LONGEST_LINE]}… ({len(text) - LONGEST_LINE:,} more characters)"
            line = {"at": clock.wall(), "level": level, "message": text, "attempt": self._attempt}
            self._lines.append(line | ({"stream": stream} if stream else {}))

    def flush(self) -> None:
        """Store what is buffered; where the store is away it stays buffered."""
        with self._flushing:
            with self._lock:
                lines, self._lines = self._lines, []
            if not lines:
                return
            try:
                if self._next is None:
                    self._next = self._store.last_number(self._run_id) + 1
                self._store.append(self._run_id, lines, first=self._next)
            except StoreUnavailable:
                self._next = None  # unknown whether they arrived: ask again
                with self._lock:
                    self._lines = lines + self._lines
                return
            self._next += len(lines)
            self._written += len(lines)

    def close(self) -> None:
        """Say what was dropped, and store the rest."""
        if self._dropped:
            line = {"at": clock.wall(), "level": "warning", "attempt": self._attempt}
            line["message"] = f"{self._dropped:,} more lines were dropped: a run keeps {MOST_LINES:,}"
            with self._lock:
                self._lines.append(line)
        self.flush()
