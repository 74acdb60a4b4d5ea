"""Keeps the database in step with JOBS_FILE: applied at start, and again whenever its content changes.

Broken or gone: the last good state stays, and the log says so, once for each content. Nothing is ever pruned: what the
file no longer names stays, but belongs to nobody. It watches the content: a file that was merely touched is the same.
"""

from __future__ import annotations

import logging
from pathlib import Path

from worker.apply import apply
from worker.declaration import load
from worker.errors import BadInput, Conflict
from worker.store import Store
from worker.vault import Vault

log = logging.getLogger(__name__)

POLL = 1.0


class JobsFile:
    """Driven by `turn()` on a Service of its own, in whichever process has a store and a vault."""

    def __init__(self, path: Path, store: Store, vault: Vault) -> None:
        self._path = path
        self._store = store
        self._vault = vault
        self._seen: bytes | str | None = None

    def turn(self) -> float:
        """Look once; the seconds until the next look. Raises StoreUnavailable, and looks again then."""
        try:
            content = self._path.read_bytes()
        except OSError as error:
            self._once(f"{self._path} cannot be read ({error.strerror})")
            return POLL
        if content != self._seen:
            self._take(content)
        return POLL

    def _take(self, content: bytes) -> None:
        try:
            declared = load(content)
        except BadInput as error:
            for fault in error.faults:
                what = f"{fault.field}: {fault.message}" if fault.field else fault.message
                log.error("%s:%s:%s: %s", self._path, fault.line, fault.column, what)
            self._kept(f"{self._path} is broken")
        else:
            try:
                changes = apply(self._store, self._vault, declared, owner=str(self._path))
            except Conflict as error:  # another instance applies it too: look again
                log.debug("%s: %s", self._path, error)
                return
            for change in changes:
                log.info("%s: %s", self._path, change.line)
            log.info("%s is applied", self._path)
        self._seen = content

    def _once(self, trouble: str) -> None:
        if self._seen != trouble:
            self._seen = trouble
            self._kept(trouble)

    @staticmethod
    def _kept(trouble: str) -> None:
        log.error("%s; the last good state stays", trouble)
