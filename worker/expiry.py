"""Drops what was kept for an undo and is out of time, at the destinations where it is.

A destination may hang or be away: the work is done in a thread of its own, and what could not be dropped is tried
again. What belongs to a job at work is left alone until it is not.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from worker import connectors
from worker.connectors.protocol import Fence, Target, Undoing
from worker.declaration import resolve
from worker.errors import NotFound, SyncworkerError
from worker.job import Write
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault

log = logging.getLogger(__name__)

BATCH = 1000


class Expiry:
    """At most one thread at a time."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to drop what is out of time, unless that goes on already."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="expiry", daemon=True)
            self._thread.start()

    def drop(self) -> int:
        """Drop one batch; how many are gone. What could not be dropped is logged, and stays for the next time."""
        dropped = 0
        away: set[str] = set()
        for note in self._store.undos.expired(BATCH):
            if note["destination"] in away or self._store.runs.active(note["job_id"]):
                continue
            try:
                self._discard(note)
            except NotFound as error:
                log.warning("what was kept of %s stays at its destination: %s", _name(note), error)
            except Exception as error:
                reason = str(error) if isinstance(error, SyncworkerError) else type(error).__name__
                log.warning("what was kept of %s is not dropped yet: %s", _name(note), reason)
                away.add(note["destination"])  # the others there would wait as long
                continue
            self._store.undos.delete(note["_id"])
            dropped += 1
        if dropped:
            log.info("dropped %d generations that were kept for an undo and are out of time", dropped)
        return dropped

    def _work(self) -> None:
        try:
            self.drop()
        except SyncworkerError as error:
            log.warning("what is out of time could not be dropped: %s", error)

    def _discard(self, note: Document) -> None:
        connection = resolve(self._store.connections(self._vault).get(note["destination"]), os.environ)
        destination: Any = connectors.open_end(connection.type, connection.settings, "destination")
        with destination:
            if isinstance(destination, Undoing):
                destination.discard(_target(note), note["sequence"])


def _target(note: Document) -> Target:
    fence = Fence(job=note["known_as"], stream=note["stream"], sequence=0, token=0)
    options = note["options"]
    return Target(name=note["target"], write=Write.REPLACE, columns=(), key=(), fence=fence, options=options)


def _name(note: Document) -> str:
    return f"{note['job_id']}/{note['stream']}"
