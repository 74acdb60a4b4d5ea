"""The API, and the worker where it is inside, in one process under one stop.

They share one MongoDB client and one health endpoint. Order of the end: the worker stops (lease first) while the API
still answers, then the server, then the store. Who asks it to stop, and what database it has, is its caller's business.
"""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack

from app import server
from app.notify import notify, watchdog_seconds
from app.server import Server
from app.settings import Settings
from worker import clock
from worker import store as stores
from worker.errors import StoreUnavailable
from worker.main import Worker
from worker.service import Service
from worker.settings import secret_keys
from worker.stopping import Stopping
from worker.store import Store
from worker.vault import Vault

log = logging.getLogger(__name__)

# For open requests to end, once the worker has.
SERVER_PATIENCE = 1.5
# An event loop that has not turned for this long is stuck.
STUCK = 10.0
LOOK_EVERY = 5.0
LOOK_AGAIN = 0.5
COMPLAIN_EVERY = 10.0


def run(settings: Settings, url: str, stopping: Stopping) -> int:
    """Serve (and work, where the worker is inside) until `stopping`; the exit code. Raises PortTaken."""
    listener = server.listen(settings.host, settings.port)
    from app.api.context import Context  # imported while the first requests queue
    from app.routes import create_app

    with ExitStack() as ends:
        store = stores.open(url, settings.worker.mongo_database)
        ends.callback(store.close)
        vault = Vault(secret_keys(settings.worker))
        worker = None
        if settings.worker_inside:
            mode = "single" if settings.production else "api"
            worker = Worker(settings.worker, store, vault, url, mode=mode)
            worker.start()
        else:
            look = Lookout(store)
            watching = Service("database", look.turn)
            watching.start()
            ends.callback(watching.stop)
        closing = threading.Event()
        context = Context(settings=settings, store=store, vault=vault, worker=worker, stopping=closing)
        serving = Server(create_app(context), listener, ended=stopping.ask)
        serving.start()
        log.info("listening on %s (%s)", settings.url, "with the worker inside" if worker else "without a worker")
        notify("READY=1")
        _wait(stopping, serving, worker)
        notify("STOPPING=1")
        closing.set()
        if worker:
            worker.stop(settings.worker.shutdown_grace, stopping.hurry)
        if not serving.stop(SERVER_PATIENCE):
            log.warning("open requests did not end in time")
    return 1 if serving.failure else 0


def _wait(stopping: Stopping, serving: Server, worker: Worker | None) -> None:
    """Until somebody asks to stop; meanwhile feed systemd's watchdog, as long as the loops turn."""
    period = watchdog_seconds()
    while not stopping.stop.wait(period):
        if serving.stale_for < STUCK and not (worker and worker.stuck()):
            notify("WATCHDOG=1")


class Lookout:
    """Where no worker does it: make the indexes when the database comes, and say every 10 s that it is away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._prepared = False
        self._silent_until = clock.monotonic()

    def turn(self) -> float:
        try:
            if not self._prepared:
                self._store.ensure_indexes()
                self._prepared = True
            self._store.ping()
        except StoreUnavailable as error:
            if clock.monotonic() >= self._silent_until:
                log.warning("%s; going on by itself when it does", error)
                self._silent_until = clock.monotonic() + COMPLAIN_EVERY
            return LOOK_AGAIN
        return LOOK_EVERY
