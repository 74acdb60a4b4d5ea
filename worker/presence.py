"""This instance tells that it lives, what it works on and needs, and hears whether it is to drain."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import worker
from worker.store import Store

log = logging.getLogger(__name__)

BEAT = 5.0


def resident_bytes() -> int | None:
    """The memory that this process has now; None where Linux's /proc is not there. Source: proc(5), statm."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


class Presence:
    """`slots`: how many runs it works on at once; 0 where it takes none from the queue.

    `jobs_file` tells how the file stands that this instance watches, where it watches one.
    """

    jobs_file: Callable[[], Mapping[str, Any]] | None = None

    def __init__(
        self, store: Store, instance: str, *, host: str, mode: str, active: Callable[[], list[str]], slots: int = 0
    ) -> None:
        self._store = store
        self._instance = instance
        self._facts = {"host": host, "pid": os.getpid(), "version": worker.__version__, "mode": mode}
        self._facts |= {"slots": slots}
        self._active = active
        self.draining = False

    def turn(self) -> float:
        facts = self._facts | {"rss_bytes": resident_bytes()}
        if self.jobs_file is not None:
            facts["jobs_file"] = self.jobs_file()
        asked = self._store.instances.beat(self._instance, facts, self._active())
        if asked != self.draining:
            log.warning("this instance %s", "drains: it takes no more runs" if asked else "drains no more")
        self.draining = asked
        return BEAT

    def leave(self) -> None:
        self._store.instances.leave(self._instance)
