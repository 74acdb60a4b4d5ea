"""The coordination database: one module a collection, all filters and indexes in this room.

`open(url, database)` gives a `Store` that connects on first use. Every call raises StoreUnavailable where MongoDB
does not answer in time; for a write that means *unknown*, never *not done*.
It builds no queue and no consensus of its own: MongoDB's findAndModify and unique indexes are the whole mechanism.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pymongo import MongoClient
from pymongo.database import Database

from worker.store.alert_events import AlertEvents
from worker.store.alerts import Alerts
from worker.store.audit import Audit
from worker.store.checkpoints import Checkpoints
from worker.store.claims import Claims
from worker.store.client import Document, connect, server_now, translated
from worker.store.connections import Connections
from worker.store.declared import Declared
from worker.store.figures import Figures
from worker.store.instances import Instances
from worker.store.jobs import Jobs
from worker.store.keys import Keys
from worker.store.leases import Leases
from worker.store.logins import Logins
from worker.store.logs import Logs
from worker.store.outcomes import Outcomes
from worker.store.runs import Runs
from worker.store.schemas import Schemas
from worker.store.sealed import Sealed
from worker.store.sessions import Sessions
from worker.store.together import together
from worker.store.tokens import Tokens
from worker.store.undos import Undos
from worker.store.watch import Watch
from worker.vault import Vault

__all__ = ["Store", "open"]

T = TypeVar("T")


class Store:
    """One client and the collections over it. Thread-safe; made after fork, one a process."""

    def __init__(self, client: MongoClient[Document], database: str) -> None:
        self._client = client
        self.database = client[database]
        self.jobs = Jobs(self.database)
        self.runs = Runs(self.database)
        self.claims = Claims(self.database)
        self.logs = Logs(self.database)
        self.checkpoints = Checkpoints(self.database)
        self.declared = Declared(self.database)
        self.schemas = Schemas(self.database)
        self.undos = Undos(self.database)
        self.instances = Instances(self.database)
        self.leases = Leases(self.database)
        self.sessions = Sessions(self.database)
        self.tokens = Tokens(self.database)
        self.logins = Logins(self.database)
        self.audit = Audit(self.database)
        self.alert_events = AlertEvents(self.database)
        self.outcomes = Outcomes(self.database)
        self.sealed = Sealed(self.database)
        self.watch = Watch(self.database)
        self.figures = Figures(self.database)

    def connections(self, vault: Vault) -> Connections:
        """The saved connections; `vault` opens and seals their secrets."""
        return Connections(self.database, vault)

    def alerts(self, vault: Vault) -> Alerts:
        """The saved alerts; `vault` opens and seals their URLs and signing secrets."""
        return Alerts(self.database, vault)

    def keys(self, vault: Vault) -> Keys:
        """The installation's own keys, which `vault` seals."""
        return Keys(self.database, vault)

    def ping(self) -> None:
        with translated():
            self._client.admin.command("ping")

    def now(self) -> datetime:
        """The database server's clock, aware UTC, milliseconds."""
        with translated():
            return server_now(self.database)

    def version(self) -> tuple[int, ...]:
        """The server's version: (8, 0, 17)."""
        with translated():
            return tuple(self._client.server_info()["versionArray"][:3])

    def replica_set(self) -> bool:
        """Whether the server has transactions and change streams (a replica set's member or a sharded cluster)."""
        with translated():
            hello = self._client.admin.command("hello")
        return "setName" in hello or hello.get("msg") == "isdbgrid"

    def together(self, work: Callable[[Database[Document]], T]) -> T:
        """Call `work` with a view of the database; its writes through that become one: all of them or none.

        It may be called again after a conflict, and must not ask for `now`. A standalone server makes them one by one.
        """
        if not self.replica_set():
            return work(self.database)
        with translated():
            return together(self.database, work)

    def ensure_indexes(self) -> None:
        """Create what is missing; the unique ones carry the promises, so nothing starts without them."""
        with translated():
            for collection in (
                *(self.jobs, self.runs, self.logs, self.checkpoints, self.schemas),
                *(self.undos, self.instances, self.leases, self.sessions, self.figures),
                *(self.tokens, self.logins, self.audit, self.alert_events, self.outcomes),
            ):
                collection.ensure_indexes()

    def close(self) -> None:
        self._client.close()


def open(url: str, database: str, *, app_name: str = "syncworker", pool: int = 20, timeout: float = 4.0) -> Store:
    """A Store over `url`; nothing is sent before the first call. Raises BadConfiguration for a URL that is none."""
    return Store(connect(url, app_name=app_name, pool=pool, timeout=timeout), database)
