"""`instances`: a heartbeat of every running copy. For display and shares; no decision on a run rests on it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.database import Database

from worker.store.client import Document, guarded

LIVE_SECONDS = 30
FORGET_SECONDS = 24 * 3600


@guarded
class Instances:
    def __init__(self, database: Database[Document]) -> None:
        self._instances = database["instances"]

    def ensure_indexes(self) -> None:
        self._instances.create_index([("seen_at", 1)], name="forgotten", expireAfterSeconds=FORGET_SECONDS)

    def beat(self, instance: str, facts: Mapping[str, Any], active_runs: Sequence[str]) -> None:
        """Say that `instance` lives; `facts` are host, pid, version, mode."""
        change: Document = {name: {"$literal": value} for name, value in facts.items()}
        change |= {"started_at": {"$ifNull": ["$started_at", "$$NOW"]}, "seen_at": "$$NOW"}
        change |= {"active_runs": list(active_runs)}
        self._instances.update_one({"_id": instance}, [{"$set": change}], upsert=True)

    def leave(self, instance: str) -> None:
        """A clean stop: the document goes, its terms and attempts keep the id."""
        self._instances.delete_one({"_id": instance})

    def list(self) -> builtins.list[Document]:
        """All that were seen lately, with `live` by the server's clock."""
        age = {"$subtract": ["$$NOW", "$seen_at"]}
        live = {"live": {"$lte": [age, LIVE_SECONDS * 1000]}}
        stages: builtins.list[Document] = [{"$set": live}, {"$sort": {"started_at": 1}}]
        return builtins.list(self._instances.aggregate(stages))
