"""A place to watch from: runs that end as a test wants, alerts, and evaluators that lead, or believe that they do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from worker import clock
from worker.alert import Alert
from worker.alerter import Alerter
from worker.job import Job, StreamSpec
from worker.lease import Holding, Lease
from worker.run import RunState, Trigger
from worker.store import Store
from worker.store.client import Document
from worker.store.runs import new_run
from worker.vault import Vault

VAULT = Vault(["a key for the tests"])
ERROR = {"type": "StreamNotFound", "message": "no such table", "stream": "orders"}


class Leading(Lease):
    """One that is sure of its lease, however many others are."""

    def __init__(self) -> None:
        pass

    def holding(self) -> Holding | None:
        return Holding(token=1, trusted_until=clock.monotonic() + 60, acquired_at=clock.wall())


class Post:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.alerts = store.alerts(VAULT)
        self.sequences: dict[str, int] = {}
        self.alerter = self.evaluator()

    def evaluator(self, store: Store | None = None) -> Alerter:
        return Alerter(store or self.store, Leading(), VAULT)

    def alert(self, alert_id: str = "chat", **more: Any) -> Alert:
        return self.alerts.insert(Alert(id=alert_id, url="http://127.0.0.1:1/", **more))

    def job(self, job_id: str, *, as_of: timedelta | None = None, made: timedelta = timedelta()) -> None:
        """A job that was made so long ago and whose data is that old."""
        self.store.jobs.insert(Job(id=job_id, source="a", destination="b", streams=(StreamSpec(name="s"),)))
        now = self.store.now()
        change: Document = {"created_at": now - made, "data_as_of": None if as_of is None else now - as_of}
        self.store.database["jobs"].update_one({"_id": job_id}, {"$set": change})

    def brought(self, job_id: str, as_of: timedelta = timedelta()) -> None:
        """Its data is newer now."""
        moment = self.store.now() - as_of
        self.store.database["jobs"].update_one({"_id": job_id}, {"$set": {"data_as_of": moment}})

    def run(
        self, state: str, job: str = "orders", *, at: datetime | None = None, ago: float = 0.0, **more: Any
    ) -> Document:
        """A run of the job that ended so, now or `ago` seconds ago."""
        run = self.made(state, job, at=at or self.store.now() - timedelta(seconds=ago)) | more
        self.store.database["runs"].insert_one(run)
        return run

    def made(self, state: str, job_id: str, *, at: datetime) -> Document:
        self.sequences[job_id] = sequence = self.sequences.get(job_id, 0) + 1
        fields: Document = {"error": ERROR} if state == RunState.FAILED else {}
        return new_run(job_id, Trigger.MANUAL, state=RunState(state), sequence=sequence, queued_at=at, **fields)

    def held(self, job_id: str = "orders", *, attempt: int = 1, ago: float = 0.0) -> Document:
        since = self.store.now() - timedelta(seconds=ago)
        ended = {"attempt": attempt, "ended_at": since, "outcome": "held"}
        reason = "it would delete 812 of 1,000 rows. Nothing was removed: approve or discard the run"
        return self.run("held", job_id, attempt=attempt, attempts=[ended], reason=reason)

    def all(self, states: Sequence[str], job_id: str = "orders") -> None:
        """Runs that end so, one after another, each looked at before the next."""
        for state in states:
            self.run(state, job_id)
            self.alerter.turn()

    def events(self, alert: str | None = None) -> list[Document]:
        query = {} if alert is None else {"alert": alert}
        return list(self.store.database["alert_events"].find(query).sort([("at", 1), ("_id", 1)]))

    def told(self, alert: str | None = None) -> list[tuple[str, str]]:
        """(job, kind), in the order in which they were told."""
        return [(event["job_id"], event["kind"]) for event in self.events(alert)]

    def texts(self) -> list[str]:
        return [event["text"] for event in self.events()]
