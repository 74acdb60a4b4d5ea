"""Keeps the database in step with JOBS_FILE: applied at start, and again whenever its content changes.

Broken or gone: the last good state stays; the log says so once, and `told` for as long as it lasts. Nothing is ever
pruned: what the file no longer names stays, but belongs to nobody. It watches the content, through links and renames: a
file that was merely touched is the same. What others change behind its back is told, not undone.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from worker import apply as applying
from worker import clock
from worker.apply import Owner
from worker.declaration import Declaration, load
from worker.errors import BadInput, Fault, StoreUnavailable, SyncworkerError
from worker.store import Store
from worker.vault import Vault

log = logging.getLogger(__name__)

POLL = 1.0
# What was just written may be half of it: it is taken when it is still the same after so long.
SETTLE = 0.2
LOOK_AROUND = 30.0
FAULTS_TOLD = 3
NAMED = 3


class JobsFile:
    """Driven by `turn()` on a Service of its own, in whichever process has a store and a vault.

    `heard` is called when what is `told` has changed.
    """

    def __init__(
        self, path: Path, store: Store, vault: Vault, *, instance: str = "", heard: Callable[[], object] | None = None
    ) -> None:
        self._path = path
        self._store = store
        self._vault = vault
        self._instance = instance
        self._heard = heard or (lambda: None)
        self._seen: bytes | None = None  # what was taken, well or not
        self._fresh: bytes | None = None  # what was there at the last look
        self._digest: str | None = None
        self._declared: Declaration | None = None
        self._revisions: dict[tuple[str, str], int] = {}
        self._look_at = 0.0
        self._trouble: str | None = None
        self._faults: list[str] = []
        self._since: datetime | None = None

    def told(self) -> dict[str, Any]:
        """How it stands: the file, the content that was applied, and what is wrong since when."""
        return {
            "file": str(self._path),
            "digest": self._digest,
            "trouble": self._trouble,
            "faults": self._faults,
            "since": self._since,
        }

    def turn(self) -> float:
        """Look once; the seconds until the next look. Raises StoreUnavailable, and looks again then."""
        if self._trouble is not None and self._since is None:
            self._since = self._store.now()
            self._heard()
        try:
            content = self._path.read_bytes()
        except OSError as error:
            self._seen = self._fresh = None
            self._is_wrong(f"{self._path} cannot be read ({error.strerror or error}); the last good state stays")
            return POLL
        if content == self._seen:
            self._look_around()
            return POLL
        if content != self._fresh:
            self._fresh = content
            return SETTLE
        self._take(content)
        return POLL

    def _take(self, content: bytes) -> None:
        try:
            declared = load(content)
        except BadInput as error:
            self._seen = content
            found = [_placed(self._path, fault) for fault in error.faults]
            count = "1 mistake" if len(found) == 1 else f"{len(found)} mistakes"
            self._is_wrong(f"{self._path} is broken: {count}; the last good state stays", found)
            return
        digest = hashlib.sha256(content).hexdigest()[:32]
        before = self._store.declared.applied(str(self._path))
        known = before is not None and before["digest"] == digest
        owner = Owner(file=str(self._path), digest=digest, instance=self._instance, keeps_enabled=known)
        try:
            changes = applying.apply(self._store, self._vault, declared, owner=owner)
        except StoreUnavailable:
            raise
        except SyncworkerError as error:  # looked at again at the next turn: it may pass
            self._is_wrong(f"{self._path} cannot be applied: {error}; the last good state stays")
            return
        self._seen, self._digest, self._declared = content, digest, declared
        for change in changes:
            log.info("%s: %s", self._path, change.line)
        applying.record(self._store, owner.who, changes)
        self._revisions = self._store.declared.revisions(owner.file)
        self._is_right(f"{self._path} is applied")

    def _look_around(self) -> None:
        """Whether somebody changed what the file says, by hand or by another file. To enable and disable is fine."""
        if self._declared is None or clock.monotonic() < self._look_at:
            return
        self._look_at = clock.monotonic() + LOOK_AROUND
        revisions = self._store.declared.revisions(str(self._path))
        if revisions == self._revisions:
            return
        owner = Owner(file=str(self._path), keeps_enabled=True)
        found = applying.plan(self._store, self._vault, self._declared, owner=owner)
        if found:
            named = ", ".join(f"{one.kind} {one.id}" for one in found[:NAMED])
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            until = "they stay so until the file changes or an instance starts"
            self._is_wrong(f"changed elsewhere, and not as {self._path} says: {named}{more}; {until}")
        else:
            self._revisions = revisions
            self._is_right(f"all is again as {self._path} says")

    def _is_wrong(self, trouble: str, faults: Sequence[str] = ()) -> None:
        if trouble == self._trouble and list(faults[:FAULTS_TOLD]) == self._faults:
            return
        for fault in faults:
            log.error("%s", fault)
        log.error("%s", trouble)
        self._trouble, self._faults, self._since = trouble, list(faults[:FAULTS_TOLD]), None
        self._since = self._store.now()
        self._heard()

    def _is_right(self, words: str) -> None:
        log.info("%s", words)
        self._trouble, self._faults, self._since = None, [], None
        self._heard()


def _placed(path: Path, fault: Fault) -> str:
    what = f"{fault.field}: {fault.message}" if fault.field else fault.message
    return f"{path}:{fault.line}:{fault.column}: {what}"
