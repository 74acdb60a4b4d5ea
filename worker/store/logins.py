"""`logins`: failed logins of the last minute, by account and by address, counted for all instances together.

It keeps no history: the audit does. A number that is wrong by one after a crash is no harm.
"""

from __future__ import annotations

from pymongo import ReturnDocument
from pymongo.database import Database

from worker.store.client import Document, guarded

ATTEMPTS, WINDOW = 5, 60


@guarded
class Logins:
    """At most `ATTEMPTS` failures a `WINDOW` seconds (the server's) for each name."""

    def __init__(self, database: Database[Document]) -> None:
        self._logins = database["logins"]

    def ensure_indexes(self) -> None:
        self._logins.create_index([("at", 1)], name="old", expireAfterSeconds=WINDOW)

    def begin(self, name: str) -> int:
        """Count an attempt as failed until it is forgiven: 0, or the seconds to wait where it is not allowed now.

        Counting comes before the password is looked at: many attempts at once are no way around the limit.
        """
        recent = {
            "$filter": {
                "input": {"$ifNull": ["$failed", []]},
                "cond": {"$gt": ["$$this", {"$subtract": ["$$NOW", WINDOW * 1000]}]},
            }
        }
        allowed = {"$lt": [{"$size": "$failed"}, ATTEMPTS]}
        counted = {"$cond": ["$allowed", {"$concatArrays": ["$failed", ["$$NOW"]]}, "$failed"]}
        oldest = {"$subtract": [{"$add": [{"$first": "$failed"}, WINDOW * 1000]}, "$$NOW"]}
        after = self._logins.find_one_and_update(
            {"_id": name},
            [
                {"$set": {"failed": recent}},
                {"$set": {"allowed": allowed}},
                {"$set": {"failed": counted, "at": {"$cond": ["$allowed", "$$NOW", "$at"]}}},
                {"$set": {"wait": oldest}},
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        assert after is not None
        return 0 if after["allowed"] else max(1, -(-int(after["wait"]) // 1000))

    def forgive(self, name: str) -> None:
        """Whoever that was knew the password."""
        self._logins.delete_one({"_id": name})
