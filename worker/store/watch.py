"""Cheap looks at what changed, for those who watch: the event stream and the metrics. It decides nothing."""

from __future__ import annotations

from datetime import datetime

from pymongo.database import Database

from worker.run import ACTIVE, RunState
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
        """The revision of every document of `jobs` or `connections`."""
        return {one["_id"]: one["revision"] for one in self._database[collection].find({}, {"revision": 1})}

    def counts(self) -> dict[str, int]:
        """How many runs are kept in each state."""
        return {str(state): self._database["runs"].count_documents({"state": str(state)}) for state in RunState}
