"""`sessions`: who is logged in to the dashboard. Only a hash of a session's id is stored, and it ends when idle."""

from __future__ import annotations

from pymongo.database import Database

from worker.store.client import Document, guarded

IDLE_SECONDS = 12 * 3600
# A session in use is written again at most this often.
TOUCH_SECONDS = 60


@guarded
class Sessions:
    """`session` is a hash: nobody who reads the collection can log in with it. All times are the server's."""

    def __init__(self, database: Database[Document]) -> None:
        self._sessions = database["sessions"]

    def ensure_indexes(self) -> None:
        self._sessions.create_index([("seen_at", 1)], name="idle", expireAfterSeconds=IDLE_SECONDS)

    def begin(self, session: str, who: str) -> None:
        change = {"who": {"$literal": who}, "created_at": "$$NOW", "seen_at": "$$NOW"}
        self._sessions.update_one({"_id": session}, [{"$set": change}], upsert=True)

    def who(self, session: str) -> str | None:
        """Whose session it is; None where there is none, or it was idle for too long. Counts as use."""
        idle = {"$subtract": ["$$NOW", "$seen_at"]}
        live = {"_id": session, "$expr": {"$lt": [idle, IDLE_SECONDS * 1000]}}
        found = self._sessions.find_one(live, {"who": 1})
        if found is None:
            return None
        unseen = live | {"$expr": {"$gt": [idle, TOUCH_SECONDS * 1000]}}
        self._sessions.update_one(unseen, [{"$set": {"seen_at": "$$NOW"}}])
        who: str = found["who"]
        return who

    def end(self, session: str) -> None:
        self._sessions.delete_one({"_id": session})
