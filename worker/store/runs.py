"""`runs`: one document for every execution and every fire time: made, listed, and what a person asks of one.

Unique indexes carry the promises: one document a fire time, one active run a job. Claims are `store.claims`' work.
"""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import DESCENDING, ReturnDocument
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from worker.errors import Conflict, JobActive, NotFound
from worker.run import ACTIVE, FINAL, RETRYABLE, RunState, Trigger
from worker.store.client import Document, guarded, server_now

ACTIVE_STATES = sorted(str(state) for state in ACTIVE)
FIRE_TIMES = "one_per_fire_time"
_DUPLICATE = 11000


def new_run(
    job_id: str, trigger: Trigger, *, state: RunState, sequence: int, queued_at: datetime, **fields: Any
) -> Document:
    """A run document as it is born; `fields` are those that differ from an unclaimed, unscheduled run."""
    return {
        "_id": uuid.uuid4().hex,
        "job_id": job_id,
        "trigger": str(trigger),
        "fire_time": None,
        "state": str(state),
        "reason": None,
        "sequence": sequence,
        "attempt": 0,
        "not_before": None,
        "claim": {"instance": None, "token": 0, "renewed_at": None, "expires_at": None},
        "lease_token": None,
        "queued_at": queued_at,
        "started_at": None,
        "attempt_started_at": None,
        "finished_at": queued_at if state in FINAL else None,
        "progress": {},
        "error": None,
        "attempts": [],
        "cancel": None,
        "retry_of": None,
        "approved": None,
    } | fields


class Clash:
    """Which unique index refused an insert: each means something else."""

    FIRE_TIME = "fire_time"  # this fire time has its document already: a success
    ACTIVE = "active"  # the job has a queued or running run
    SEQUENCE = "sequence"  # another run took the number: read the job again


def _clash(key_pattern: Mapping[str, Any]) -> str:
    if "fire_time" in key_pattern:
        return Clash.FIRE_TIME
    return Clash.SEQUENCE if "sequence" in key_pattern else Clash.ACTIVE


def _claimed_at_birth(instance: str, ttl: float, *, now: datetime) -> Document:
    claim = {"instance": instance, "token": 1, "renewed_at": now, "expires_at": now + timedelta(seconds=ttl)}
    return {"state": str(RunState.RUNNING), "attempt": 1, "started_at": now, "attempt_started_at": now, "claim": claim}


@guarded
class Runs:
    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._runs: Collection[Document] = database["runs"]
        self._jobs = database["jobs"]

    def ensure_indexes(self) -> None:
        create = self._runs.create_index
        scheduled = {"trigger": str(Trigger.SCHEDULE)}
        active = {"state": {"$in": ACTIVE_STATES}}
        fire_times = [("job_id", 1), ("fire_time", 1)]
        create(fire_times, unique=True, partialFilterExpression=scheduled, name=FIRE_TIMES)
        create([("job_id", 1)], unique=True, partialFilterExpression=active, name="one_active_per_job")
        create([("job_id", 1), ("sequence", 1)], unique=True, name="one_per_sequence")
        create([("state", 1), ("queued_at", 1)], name="queue")
        create([("job_id", 1), ("queued_at", -1), ("_id", -1)], name="history_of_a_job")
        create([("queued_at", -1), ("_id", -1)], name="history")
        create([("finished_at", 1)], name="finished")
        # Few among very many that a schedule asked for.
        asked_for = {"trigger": {"$in": sorted(str(one) for one in Trigger if one is not Trigger.SCHEDULE)}}
        newest = [("trigger", 1), ("queued_at", -1), ("_id", -1)]
        create(newest, partialFilterExpression=asked_for, name="asked_for_by_somebody")

    # Reading.

    def get(self, run_id: str) -> Document:
        run = self._runs.find_one({"_id": run_id})
        if run is None:
            raise NotFound(f"there is no run {run_id!r}")
        return run

    def list(
        self,
        job: str | None = None,
        states: Sequence[str] | None = None,
        since: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
        triggers: Sequence[str] | None = None,
    ) -> builtins.list[Document]:
        """Runs newest first, from the one after the run `after`. Raises NotFound where that run is gone."""
        query: Document = {}
        if job is not None:
            query["job_id"] = job
        if states is not None:
            query["state"] = {"$in": builtins.list(states)}
        if triggers is not None:
            query["trigger"] = {"$in": builtins.list(triggers)}
        if since is not None:
            query["queued_at"] = {"$gte": since}
        if after is not None:
            last = self.get(after)
            older = [{"queued_at": {"$lt": last["queued_at"]}}]
            older.append({"queued_at": last["queued_at"], "_id": {"$lt": after}})
            query["$or"] = older
        order = [("queued_at", DESCENDING), ("_id", DESCENDING)]
        return builtins.list(self._runs.find(query).sort(order).limit(limit))

    def active(self, job_id: str) -> Document | None:
        return self._runs.find_one({"job_id": job_id, "state": {"$in": ACTIVE_STATES}})

    def held(self, job_id: str) -> Document | None:
        return self._runs.find_one({"job_id": job_id, "state": str(RunState.HELD)})

    def held_jobs(self, job_ids: Sequence[str]) -> dict[str, str]:
        """Job id -> id of its held run, for those of the jobs that have one."""
        query = {"state": str(RunState.HELD), "job_id": {"$in": builtins.list(job_ids)}}
        return {run["job_id"]: run["_id"] for run in self._runs.find(query, {"job_id": 1})}

    def counts(self) -> dict[str, int]:
        """How many runs are queued, running and held."""
        states = [*ACTIVE_STATES, str(RunState.HELD)]
        return {state: self._runs.count_documents({"state": state}) for state in states}

    # Making.

    def create(
        self,
        job_id: str,
        trigger: Trigger,
        *,
        retry_of: str | None = None,
        claim_for: tuple[str, float] | None = None,
        undo: Sequence[str] | None = None,
        verify: Document | None = None,
    ) -> Document:
        """Queue a run that no schedule asked for. Raises NotFound, JobActive, Conflict where one is held.

        `claim_for` (instance, TTL in seconds): born running under that instance's claim, so that nobody else takes it.
        `undo`: it takes these streams back to what they were, in place of moving any. `verify` {repair, stream}: it
        compares both sides, in place of moving any.
        """
        held = self.held(job_id)
        if held:
            raise Conflict(f"run {held['_id']} of job {job_id} is held; approve or discard it first")
        now = server_now(self._database)
        while True:
            active = self.active(job_id)
            if active:
                raise JobActive(job_id, active["_id"])
            sequence = self._next_sequence(job_id)
            run = new_run(job_id, trigger, state=RunState.QUEUED, sequence=sequence, queued_at=now, retry_of=retry_of)
            if undo:
                run["undo"] = builtins.list(undo)
            if verify:
                run["verify"] = verify
            if claim_for:
                run |= _claimed_at_birth(*claim_for, now=now)
            try:
                self._runs.insert_one(run)
            except DuplicateKeyError:
                continue  # somebody queued one, or took our number: look again
            return run

    def insert_planned(self, runs: Sequence[Document]) -> dict[int, str]:
        """Insert in bulk; answers which were refused (by position) and why (`Clash`)."""
        if not runs:
            return {}
        try:
            self._runs.insert_many(runs, ordered=False)
        except BulkWriteError as error:
            refused = error.details["writeErrors"]
            if any(e["code"] != _DUPLICATE for e in refused):
                raise
            return {e["index"]: _clash(e["keyPattern"]) for e in refused}
        return {}

    def documented(self, since: Mapping[str, datetime]) -> dict[str, builtins.list[tuple[datetime, datetime]]]:
        """Job id -> (first, last) of each document of a fire time at or after the job's `since`; one query for all."""
        found: dict[str, builtins.list[tuple[datetime, datetime]]] = {}
        if not since:
            return found
        scheduled = {"trigger": str(Trigger.SCHEDULE)}
        either = [scheduled | {"job_id": job_id, "fire_time": {"$gte": moment}} for job_id, moment in since.items()]
        # Without the hint the server compares indexes for each of the jobs: several times slower.
        seen = self._runs.find({"$or": either}, {"job_id": 1, "fire_time": 1, "missed_until": 1}).hint(FIRE_TIMES)
        for run in seen:
            span = (run["fire_time"], run.get("missed_until") or run["fire_time"])
            found.setdefault(run["job_id"], []).append(span)
        return found

    # What a person asks for.

    def cancel(self, run_id: str, by: str) -> Document:
        """Cancel a queued or held run at once; ask a running one to end. Raises NotFound, Conflict."""
        waiting = {"$in": [str(RunState.QUEUED), str(RunState.HELD)]}
        who = {"at": "$$NOW", "by": {"$literal": by}}
        ended = {"state": str(RunState.CANCELLED), "finished_at": "$$NOW", "cancel": who, "not_before": None}
        ended["reason"] = {"$literal": f"cancelled by {by}"}
        asked = {"cancel": {"$ifNull": ["$cancel", who]}}
        for state, change in ((waiting, ended), (str(RunState.RUNNING), asked), (waiting, ended)):
            after = self._runs.find_one_and_update(
                {"_id": run_id, "state": state}, [{"$set": change}], return_document=ReturnDocument.AFTER
            )
            if after is not None:
                return after
        state = self.get(run_id)["state"]
        raise Conflict(f"run {run_id} is {state}; only a queued, running or held run can be cancelled")

    def retry(self, run_id: str, by: str) -> Document:
        """Queue a new run that goes on where this one ended. Raises NotFound, Conflict, JobActive."""
        run = self.get(run_id)
        if RunState(run["state"]) not in RETRYABLE:
            raise Conflict(f"run {run_id} is {run['state']}; only a failed or cancelled run can be retried")
        asked = {"undo": run.get("undo"), "verify": run.get("verify")}
        return self.create(run["job_id"], Trigger.RETRY, retry_of=run_id, **asked)

    def approve(self, run_id: str, by: str) -> Document:
        """Let a held run go on, once; what it would remove is the ceiling. Raises NotFound, Conflict, JobActive."""
        change = {
            "state": str(RunState.QUEUED),
            "approved": {"at": "$$NOW", "by": {"$literal": by}, "removes": "$held.removes", "streams": "$held.streams"},
            "reason": {"$literal": f"approved by {by}"},
        }
        try:
            after = self._runs.find_one_and_update(
                {"_id": run_id, "state": str(RunState.HELD)}, [{"$set": change}], return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            raise JobActive(self.get(run_id)["job_id"]) from None
        if after is None:
            raise Conflict(f"run {run_id} is {self.get(run_id)['state']}; only a held run can be approved")
        return after

    def discard(self, run_id: str, by: str) -> Document:
        """End a held run without its deletions. Raises NotFound, Conflict."""
        reason = {"$literal": f"discarded by {by}"}
        change = {"state": str(RunState.CANCELLED), "finished_at": "$$NOW", "reason": reason}
        after = self._runs.find_one_and_update(
            {"_id": run_id, "state": str(RunState.HELD)}, [{"$set": change}], return_document=ReturnDocument.AFTER
        )
        if after is None:
            raise Conflict(f"run {run_id} is {self.get(run_id)['state']}; only a held run can be discarded")
        return after

    def last_to_write(self, job_id: str, stream: str, before: int) -> str | None:
        """Id of the newest run, of a sequence below `before`, that brought the stream to its end."""
        progress = {"$getField": {"field": {"$literal": stream}, "input": "$progress"}}  # whose name may have dots
        done = {"$eq": [{"$getField": {"field": "state", "input": progress}}, str(RunState.SUCCEEDED)]}
        query = {"job_id": job_id, "sequence": {"$lt": before}, "verify": None, "$expr": done}
        found = self._runs.find_one(query, {"_id": 1}, sort=[("sequence", DESCENDING)])
        return found["_id"] if found else None

    def prunable(self, before: datetime, limit: int) -> builtins.list[str]:
        """Ids of runs that finished before `before`, oldest first."""
        query = {"finished_at": {"$lt": before}, "state": {"$in": [str(state) for state in FINAL]}}
        return [run["_id"] for run in self._runs.find(query, {"_id": 1}).sort("finished_at", 1).limit(limit)]

    def delete(self, run_ids: Sequence[str]) -> int:
        return self._runs.delete_many({"_id": {"$in": builtins.list(run_ids)}}).deleted_count

    def _next_sequence(self, job_id: str) -> int:
        after = self._jobs.find_one_and_update(
            {"_id": job_id}, {"$inc": {"last_sequence": 1}}, return_document=ReturnDocument.AFTER
        )
        if after is None:
            raise NotFound(f"there is no job {job_id!r}")
        sequence: int = after["last_sequence"]
        return sequence
