"""Where a drill takes place: two databases of its own, a small shop in SQLite, and the jobs between them.

`<database>_drill_<8 hex>` coordinates, `…_lake` is what the jobs write into. The URL, with its password, is stored in
neither: the connection refers to `${MONGO_URL}`, which the instances have in their environment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pymongo
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from app.drill import leftovers
from worker import schedule
from worker.connection import Connection
from worker.errors import BadConfiguration, Fault
from worker.job import Guards, Job, Retry, Schedule, StreamSpec, Write
from worker.run import Trigger
from worker.store import Store
from worker.store.client import Document, translated
from worker.vault import Vault

TICKING = 12
ROWS = 50
# Long enough on the wire to be struck in the middle.
SYNC_ROWS = 100_000
LONGEST = 100_000
READING = 60.0
# A job may be struck in several of its attempts; that is no failure of its own.
RETRY = Retry(attempts=20, backoff=1.0, max_backoff=2.0)


class Ground:
    """Over `client`; `folder` holds the shop. `pace` stretches the intervals of the ticking jobs."""

    def __init__(self, client: MongoClient[Document], name: str, folder: Path, *, pace: float = 1.0) -> None:
        self.name = name
        self.lake = f"{name}_lake"
        self.store = Store(client, name)
        self.syncs: list[str] = []
        self.taken = False
        self._client = client
        self._shop = folder / "shop.db"
        self._ticking: dict[str, Schedule] = {
            f"tick-{number:02}": Schedule(every=pace * (1 + number % 2)) for number in range(1, TICKING + 1)
        }
        self._first: datetime | None = None

    def take(self, *, kept: bool) -> None:
        """Make both databases, marked. Raises StoreUnavailable; BadConfiguration where the user may not."""
        self.store.ping()
        try:
            for name in (self.name, self.lake):
                leftovers.mark(self._client, name, kept=kept)
                self.taken = True
        except OperationFailure as error:
            if error.code != leftovers.UNAUTHORIZED or "requires authentication" in str(error):
                raise
            message = (
                f"names a user who may not create the database {self.name}; a drill makes two of its own, this one and "
                f"{self.lake}: give that user the role readWriteAnyDatabase while it lasts, or drill as one who has it"
            )
            raise BadConfiguration([Fault(field="MONGO_URL", message=message)]) from None
        self.store.ensure_indexes()

    def clear(self) -> None:
        """Drop what was made. The instances must be gone, or they would make it anew."""
        for name in (self.lake, self.name) if self.taken else ():
            leftovers.drop(self._client, name)

    def furnish(self, vault: Vault) -> None:
        """Fill the shop, and save the connections."""
        with closing(sqlite3.connect(self._shop)) as shop, shop:
            for table, rows in (("items", ROWS), ("orders", SYNC_ROWS)):
                shop.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, name TEXT)")
                counted = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)"
                shop.execute(f"INSERT INTO {table} {counted} SELECT id, 'number ' || id FROM n", (rows,))
        connections = self.store.connections(vault)
        connections.insert(Connection(id="shop", type="sqlite", settings={"path": str(self._shop)}), frozenset())
        settings = {"url": "${MONGO_URL}", "database": self.lake}
        connections.insert(Connection(id="lake", type="mongodb", settings=settings), frozenset())

    def tick(self) -> None:
        """Save the jobs that fire; all are due for the first time within two intervals."""
        self._first = self.store.now() + timedelta(seconds=1)
        for number, (job, rule) in enumerate(self._ticking.items()):
            write = Write.UPSERT if number % 3 else Write.REPLACE
            self._save(job, "items", write, rule, schedule.next_fire_time(rule, self._first))

    def sync(self) -> str:
        """Queue a large append of a new job; the run's id."""
        job = f"sync-{len(self.syncs) + 1}"
        self._save(job, "orders", Write.APPEND)
        self.syncs.append(job)
        run_id: str = self.store.runs.create(job, Trigger.MANUAL)["_id"]
        return run_id

    def _save(
        self, job: str, stream: str, write: Write, rule: Schedule | None = None, due: datetime | None = None
    ) -> None:
        key = ("id",) if write is Write.UPSERT else ()
        streams = (StreamSpec(name=stream, write=write, key=key, target=job),)
        self.store.jobs.insert(
            Job(
                id=job,
                source="shop",
                destination="lake",
                streams=streams,
                schedule=rule,
                next_fire_time=due,
                retry=RETRY,
                guards=Guards(max_delete=None, max_shrink=None),
            )
        )

    @property
    def ticking(self) -> Iterable[str]:
        return self._ticking.keys()

    @property
    def slowest(self) -> float:
        """Seconds between two fire times of the slowest ticking job."""
        return max(rule.every or 0.0 for rule in self._ticking.values())

    def due(self) -> Mapping[str, list[datetime]]:
        """Each ticking job's fire times from the first up to where the holders have come."""
        found = {}
        for job, rule in self._ticking.items():
            coming = self.store.jobs.get(job).next_fire_time
            assert self._first is not None and coming is not None  # a job that fires always has a next time
            found[job] = schedule.fire_times(rule, self._first, coming - schedule.TICK, LONGEST)
        return found

    def written(self, job: str) -> int:
        """About how many rows of a job have arrived."""
        with translated():
            return self._client[self.lake][job].estimated_document_count()

    def has_checkpoint(self, job: str) -> bool:
        """Whether a large sync could go on from somewhere."""
        saved = self.store.checkpoints.get(job, "orders")
        return saved is not None and saved["value"] is not None

    def keys(self, job: str) -> list[int]:
        """The keys of all rows that have arrived."""
        with translated(), pymongo.timeout(READING):
            return [row["id"] for row in self._client[self.lake][job].find({}, {"_id": 0, "id": 1}, batch_size=20_000)]

    def all_documents(self, collection: str) -> list[Document]:
        """A collection of the coordination database, whole."""
        with translated(), pymongo.timeout(READING):
            return list(self.store.database[collection].find())
