"""Old runs and their logs go away, in small deletes that hold nothing up, and so does what an undo no longer needs.

Jobs and checkpoints stay.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from worker.expiry import Expiry
from worker.store import Store

log = logging.getLogger(__name__)

BATCH = 500
PAUSE = 600.0
MORE = 1.0


class Pruner:
    def __init__(self, store: Store, days: float, expiry: Expiry) -> None:
        self._store = store
        self._expiry = expiry
        self._kept = timedelta(days=days)

    def turn(self) -> float:
        """Delete one batch; soon again where there may be more."""
        self._expiry.start()
        old = self._store.runs.prunable(self._store.now() - self._kept, BATCH)
        if not old:
            return PAUSE
        self._store.logs.delete(old)
        deleted = self._store.runs.delete(old)
        log.info("pruned %d runs that ended more than %g days ago", deleted, self._kept.total_seconds() / 86400)
        return MORE if len(old) == BATCH else PAUSE
