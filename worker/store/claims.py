"""The life of a claim on `runs`: taken, renewed, given up with how the attempt ended, or rescued from the dead.

All expiry is on the server's clock. `claim.token` grows with every claim and is in the filter of every later write:
a filter that matches nothing means that the claim is lost.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.database import Database

from worker.run import FINAL, RunState, StreamState, at_rest
from worker.store.client import Document, guarded
from worker.store.leases import expired

KEPT_ATTEMPTS = 50


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What is recorded when a claim is given up; `error` is {type, message, stream}."""

    progress: Mapping[str, Any]
    error: Document | None = None
    reason: str | None = None

    def fields(self, outcome: str) -> Document:
        """The `$set` of a pipeline update; `outcome` is the attempt's."""
        return {
            "reason": {"$literal": self.reason},
            "error": {"$literal": self.error},
            "progress": {"$literal": self.progress},
            "attempts": _attempt_record(outcome, self.error),
            "claim": _UNCLAIMED,
        }


def _claim_expired() -> Document:
    return expired("$claim.expires_at", "$claim.renewed_at")


def _attempt_record(outcome: str, error: Document | None) -> Document:
    """An aggregation expression: `attempts` with the one that ends now."""
    record = {
        "attempt": "$attempt",
        "instance": "$claim.instance",
        "token": "$claim.token",
        "started_at": "$attempt_started_at",
        "ended_at": "$$NOW",
        "outcome": outcome,
        "error": {"$literal": error},
    }
    return {"$slice": [{"$concatArrays": ["$attempts", [record]]}, -KEPT_ATTEMPTS]}


_UNCLAIMED = {"instance": None, "token": "$claim.token", "renewed_at": None, "expires_at": None}


@guarded
class Claims:
    def __init__(self, database: Database[Document]) -> None:
        self._runs: Collection[Document] = database["runs"]
        self._jobs: Collection[Document] = database["jobs"]

    def claim(self, instance: str, ttl: float, run_id: str | None = None) -> Document | None:
        """Take the run that is queued longest and may start now, or just `run_id`; None where there is none."""
        ready = {"$lte": [{"$ifNull": ["$not_before", "$$NOW"]}, "$$NOW"]}
        query: Document = {"state": str(RunState.QUEUED), "$expr": ready}
        if run_id is not None:
            query["_id"] = run_id
        change = {
            "state": str(RunState.RUNNING),
            "attempt": {"$add": ["$attempt", 1]},
            "not_before": None,
            "reason": None,
            "started_at": {"$ifNull": ["$started_at", "$$NOW"]},
            # `$$NOW` is when this command began; it may have met the run just after another gave it up.
            "attempt_started_at": {"$max": ["$$NOW", {"$max": "$attempts.ended_at"}]},
            "claim": {
                "instance": instance,
                "token": {"$add": ["$claim.token", 1]},
                "renewed_at": "$$NOW",
                "expires_at": {"$add": ["$$NOW", round(ttl * 1000)]},
            },
        }
        return self._runs.find_one_and_update(
            query, [{"$set": change}], sort=[("queued_at", 1)], return_document=ReturnDocument.AFTER
        )

    def beat(self, run_id: str, token: int, ttl: float, progress: Mapping[str, Any]) -> Document | None:
        """Renew the claim and store `progress`; the run's `cancel` in the answer. None: the claim is lost."""
        change = {
            "progress": {"$literal": progress},
            "claim.renewed_at": "$$NOW",
            "claim.expires_at": {"$add": ["$$NOW", round(ttl * 1000)]},
        }
        return self._runs.find_one_and_update(
            self._claimed(run_id, token),
            [{"$set": change}],
            projection={"cancel": 1},
            return_document=ReturnDocument.AFTER,
        )

    def end(self, run_id: str, token: int, state: RunState, ending: Ending) -> bool:
        """Finish a run (or hold it). False: the claim was lost, nothing was written."""
        finished = None if state is RunState.HELD else "$$NOW"
        change = ending.fields(str(state)) | {"state": str(state), "finished_at": finished}
        wanted = {"job_id": 1, "started_at": 1, "verify": 1, "undo": 1}
        ended = self._runs.find_one_and_update(self._claimed(run_id, token), [{"$set": change}], projection=wanted)
        if ended and state is RunState.SUCCEEDED and not (ended.get("verify") or ended.get("undo")):
            # For display: what was changed at the source before this has been moved.
            self._jobs.update_one({"_id": ended["job_id"]}, {"$max": {"data_as_of": ended["started_at"]}})
        return ended is not None

    def requeue(
        self, run_id: str, token: int, outcome: str, ending: Ending, *, delay: float = 0.0, give_back: bool = False
    ) -> bool:
        """Queue a claimed run again, `delay` seconds from now; `give_back` its attempt. False: the claim was lost."""
        change = ending.fields(outcome) | {
            "state": str(RunState.QUEUED),
            "progress": {"$literal": at_rest(ending.progress)},
            "not_before": {"$add": ["$$NOW", round(delay * 1000)]} if delay else None,
            "attempt": {"$subtract": ["$attempt", 1]} if give_back else "$attempt",
        }
        return self._runs.update_one(self._claimed(run_id, token), [{"$set": change}]).matched_count == 1

    def give_back(self, instance: str, known: Sequence[str]) -> int:
        """Queue again what `instance` claimed without hearing of it: all that it holds save the runs `known` to it."""
        change = {
            "state": str(RunState.QUEUED),
            "reason": "interrupted: the answer to its claim was lost before anything began",
            "attempt": {"$subtract": ["$attempt", 1]},
            "attempts": _attempt_record("interrupted", None),
            "claim": _UNCLAIMED,
        }
        query = {"state": str(RunState.RUNNING), "claim.instance": instance, "_id": {"$nin": builtins.list(known)}}
        return self._runs.update_many(query, [{"$set": change}]).modified_count

    def abandoned(self, limit: int = 100) -> builtins.list[Document]:
        """Running runs whose claim expired."""
        query = {"state": str(RunState.RUNNING), "$expr": _claim_expired()}
        return builtins.list(self._runs.find(query).limit(limit))

    def rescue(self, run: Mapping[str, Any], state: RunState, *, reason: str, error: Document | None) -> bool:
        """Move an abandoned run on; False where its owner or another instance was faster."""
        final = state in FINAL
        change = {
            "state": str(state),
            "reason": {"$literal": reason},
            "error": {"$literal": error},
            "progress": {"$literal": at_rest(run["progress"], StreamState(state) if final else StreamState.PENDING)},
            "finished_at": "$$NOW" if final else None,
            "attempts": _attempt_record("lost", error),
            "claim": _UNCLAIMED,
        }
        query = self._claimed(run["_id"], run["claim"]["token"]) | {"$expr": _claim_expired()}
        return self._runs.update_one(query, [{"$set": change}]).matched_count == 1

    def hold(self, run_id: str, token: int, held: Mapping[str, Any]) -> None:
        """Note what a run that is about to be held would remove."""
        self._runs.update_one(self._claimed(run_id, token), {"$set": {"held": held}})

    def verified(self, run_id: str, token: int, found: Mapping[str, Any]) -> None:
        """Note what a verification of the run's streams found."""
        change: Document = {"$set": {"verified": {"$literal": found}}}
        self._runs.update_one(self._claimed(run_id, token), [change])

    @staticmethod
    def _claimed(run_id: str, token: int) -> Document:
        return {"_id": run_id, "state": str(RunState.RUNNING), "claim.token": token}
