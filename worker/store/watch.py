"""Cheap looks at what changed, for those who watch: the event stream and the metrics. It decides nothing."""

from __future__ import annotations

from datetime import datetime

from pymongo.database import Database

from worker.run import ACTIVE, RunState, Trigger
from worker.store.client import Document, guarded

_LIVELY = sorted(str(state) for state in {*ACTIVE, RunState.HELD})


@guarded
class Watch:
    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def runs(self, since: datetime | None, limit: int) -> list[Document]:
        """Runs that may have changed since then (the server's clock): the lively ones, and those that ended.

        None: the lively ones alone.
        """
        lively = list(self._database["runs"].find({"state": {"$in": _LIVELY}}).sort("queued_at", 1).limit(limit))
        if since is None:
            return lively
        ended = self._database["runs"].find({"finished_at": {"$gte": since}}).sort("finished_at", 1).limit(limit)
        return [*ended, *lively]

    def revisions(self, collection: str) -> dict[str, int]:
        """The revision of every document of `jobs`, `connections` or `alerts`."""
        return {one["_id"]: one.get("revision", 0) for one in self._database[collection].find({}, {"revision": 1})}

    def waiting_since(self, before: datetime) -> list[tuple[datetime, str]]:
        """(since when, job id) of queued runs that nothing but a slot has kept from starting since `before`."""
        query = {"state": str(RunState.QUEUED), "queued_at": {"$lt": before}}
        fields = {"job_id": 1, "queued_at": 1, "not_before": 1, "attempts": {"$slice": -1}}
        found = []
        for run in self._database["runs"].find(query, fields):
            came_back = [attempt["ended_at"] for attempt in run["attempts"]]
            since = max(moment for moment in (run["queued_at"], run["not_before"], *came_back) if moment)
            if since < before:
                found.append((since, run["job_id"]))
        return found

    def claimed_by(self, instance: str) -> list[str]:
        """Ids of the runs that an instance works on, or worked on when it was last heard of."""
        query = {"state": str(RunState.RUNNING), "claim.instance": instance}
        return [run["_id"] for run in self._database["runs"].find(query, {"_id": 1})]

    def last_fire_time(self, job_id: str) -> datetime | None:
        """The job's latest fire time that has a document; of a gap the last one."""
        query = {"job_id": job_id, "trigger": str(Trigger.SCHEDULE)}
        latest = self._database["runs"].find_one(query, sort=[("fire_time", -1)])
        return (latest.get("missed_until") or latest["fire_time"]) if latest else None

    def enabled(self) -> dict[bool, int]:
        """How many jobs are enabled, and how many are not."""
        jobs = self._database["jobs"]
        on = jobs.count_documents({"enabled": True})
        return {True: on, False: jobs.count_documents({}) - on}

    def undelivered(self, tries: int) -> list[tuple[str, int, str]]:
        """(alert id, events that wait, the last error) of enabled alerts of which so many tries in a row failed."""
        query = {"enabled": True, "tries": {"$gte": tries}, "last_error": {"$type": "string"}}
        events, found = self._database["alert_events"], []
        for one in self._database["alerts"].find(query, {"last_error": 1}).sort("_id", 1):
            if count := events.count_documents({"alert": one["_id"], "state": "waiting"}):
                found.append((str(one["_id"]), count, one["last_error"]))
        return found

    def stalest(self, limit: int) -> list[tuple[str, datetime]]:
        """(id, as of when its data is) of enabled jobs that have brought any, the stalest first."""
        query = {"enabled": True, "data_as_of": {"$type": "date"}}
        found = self._database["jobs"].find(query, {"data_as_of": 1}).sort([("data_as_of", 1), ("_id", 1)])
        return [(job["_id"], job["data_as_of"]) for job in found.limit(limit)]

    def counts(self) -> dict[str, int]:
        """How many runs are kept in each state."""
        return {str(state): self._database["runs"].count_documents({"state": str(state)}) for state in RunState}
