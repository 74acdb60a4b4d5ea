"""Run one job now, in this process, and watch it to its end: what `syncworker run` does.

The run is recorded, claimed, renewed and fenced like any other. No lease and no scheduler: it fires nothing.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence

from worker import clock
from worker import store as stores
from worker.errors import Conflict, StoreUnavailable
from worker.presence import Presence
from worker.run import FINAL, RunState, Trigger
from worker.runner import Runner
from worker.service import Service
from worker.settings import WorkerSettings
from worker.store import Store
from worker.store.client import Document
from worker.vault import Vault

LOOK = 0.2


class Foreground:
    """Runs jobs in the calling thread, as an instance of its own."""

    def __init__(self, settings: WorkerSettings, store: Store, vault: Vault) -> None:
        assert settings.mongo_url is not None  # the caller resolved the embedded database
        self._claimer = (uuid.uuid4().hex, settings.claim_ttl)
        self._store = store
        url, database = settings.mongo_url, settings.mongo_database
        self._pulse = stores.open(url, database, app_name="syncworker-pulse", pool=2, timeout=2.0)
        self._runner = Runner(settings, store, vault, self._pulse.claims, instance=self._claimer[0])
        self._presence = Presence(
            store, self._claimer[0], host=settings.host_name, mode="run", active=self._runner.active
        )

    def run(
        self,
        job_id: str,
        *,
        watch: Callable[[Document], None],
        stop: threading.Event,
        queued: str | None = None,
        undo: Sequence[str] | None = None,
        verify: Document | None = None,
    ) -> Document:
        """Make a run of the job (or take the `queued` one), execute it here, and return it final or held.

        `watch` gets the run as it stands, several times a second. `stop` cancels it. Retries happen here too, unless
        another instance takes them first. With `undo` the run takes these streams back, with `verify` {repair, stream}
        it compares both sides, in place of moving any.
        Raises NotFound, JobActive, Conflict (a held run), StoreUnavailable at first.
        """
        sent = clock.monotonic()
        run = None
        if not queued:
            run = self._store.runs.create(job_id, Trigger.MANUAL, claim_for=self._claimer, undo=undo, verify=verify)
        services = [Service("heartbeat", self._runner.beat), Service("presence", self._presence.turn)]
        for service in services:
            service.start()
        if run is not None:
            self._runner.start(run, sent)
        try:
            return self._follow(run["_id"] if run else str(queued), watch, stop)
        finally:
            for service in services:
                service.stop()
            for service in services:
                service.join(1.0)
            try:
                self._presence.leave()
            except StoreUnavailable:
                pass  # it is forgotten by itself
            self._pulse.close()

    def _follow(self, run_id: str, watch: Callable[[Document], None], stop: threading.Event) -> Document:
        pause = threading.Event()
        asked = False
        while True:
            try:
                run = self._store.runs.get(run_id)
                watch(run)
                if run["state"] in FINAL or run["state"] == RunState.HELD:
                    return run
                if stop.is_set() and not asked:
                    self._store.runs.cancel(run_id, "the terminal")
                    asked = True
                elif run["state"] == RunState.QUEUED and not self._runner.active():
                    sent = clock.monotonic()
                    claimed = self._store.claims.claim(*self._claimer, run_id=run_id)
                    if claimed:
                        self._runner.start(claimed, sent)
            except StoreUnavailable:
                pass  # the attempt waits for the store as well; its claim bounds how long
            except Conflict:
                pass  # it ended just before it could be cancelled
            (pause if asked else stop).wait(LOOK)
