"""`instances`: a heartbeat of every running copy. For display and shares; no decision on a run rests on it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ReturnDocument
from pymongo.database import Database

from worker.errors import NotFound
from worker.store.client import Document, guarded

LIVE_SECONDS = 30
FORGET_SECONDS = 24 * 3600


@guarded
class Instances:
    def __init__(self, database: Database[Document]) -> None:
        self._instances = database["instances"]

    def ensure_indexes(self) -> None:
        self._instances.create_index([("seen_at", 1)], name="forgotten", expireAfterSeconds=FORGET_SECONDS)

    def beat(self, instance: str, facts: Mapping[str, Any], active_runs: Sequence[str]) -> bool:
        """Say that `instance` lives; `facts` are host, pid, version, mode. Answers whether it is to drain."""
        change: Document = {name: {"$literal": value} for name, value in facts.items()}
        change |= {"started_at": {"$ifNull": ["$started_at", "$$NOW"]}, "seen_at": "$$NOW"}
        change |= {"active_runs": list(active_runs)}
        beaten = self._instances.find_one_and_update(
            {"_id": instance},
            [{"$set": change}],
            projection={"draining": 1},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return bool(beaten and beaten.get("draining"))

    def drain(self, instance: str, draining: bool) -> Document:
        """Ask an instance to lead and claim nothing more, or to do so again. Raises NotFound."""
        asked = self._instances.find_one_and_update({"_id": instance}, {"$set": {"draining": draining}})
        found = next((one for one in self.list() if one["_id"] == instance), None) if asked else None
        if found is None:
            raise NotFound(f"there is no instance {instance!r} (any more)")
        return found

    def leave(self, instance: str) -> None:
        """A clean stop: the document goes, its terms and attempts keep the id."""
        self._instances.delete_one({"_id": instance})

    def list(self) -> builtins.list[Document]:
        """All that were seen lately, with `live` by the server's clock."""
        age = {"$subtract": ["$$NOW", "$seen_at"]}
        live = {"live": {"$lte": [age, LIVE_SECONDS * 1000]}}
        stages: builtins.list[Document] = [{"$set": live}, {"$sort": {"started_at": 1}}]
        return builtins.list(self._instances.aggregate(stages))
