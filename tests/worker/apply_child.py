"""A process that applies a file and dies just before its n-th command that writes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from pymongo import monitoring

import worker.store
from worker.apply import Owner, apply
from worker.declaration import load
from worker.vault import Vault

WRITES = frozenset({"insert", "update", "delete", "findAndModify", "commitTransaction"})


class Fate(monitoring.CommandListener):
    """Kills the process with no time to clean up, as a power cut would."""

    def __init__(self, after: int) -> None:
        self.left = after

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in WRITES:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


if __name__ == "__main__":
    url, database, file, key, after = sys.argv[1:]
    monitoring.register(Fate(int(after)))
    store = worker.store.open(url, database)
    apply(store, Vault([key]), load(Path(file).read_bytes()), prune=True, owner=Owner(file=file, digest="new"))
    print("done", flush=True)
