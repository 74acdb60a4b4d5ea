"""`tokens`: credentials of programs. Only a hash of each is stored, so nobody who reads the collection can use one.

A plain SHA-256 is right for it, unlike for a password: 256 random bits cannot be guessed, however fast the hash is.
"""

from __future__ import annotations

import builtins
import hashlib
import re
import secrets

from pymongo import ReturnDocument
from pymongo.database import Database

from worker.access import How, Scope, Who
from worker.errors import NotFound
from worker.store.client import Document, guarded

PREFIX = "sw_"
SHOWN = len(PREFIX) + 6
_TOKEN = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
# A token in use is written again at most this often.
TOUCH_SECONDS = 60
# So long a revoked one stays in the list.
KEEP_DAYS = 30


@guarded
class Tokens:
    """All times are the server's: a token expires at the same instant for every instance."""

    def __init__(self, database: Database[Document]) -> None:
        self._tokens = database["tokens"]

    def ensure_indexes(self) -> None:
        self._tokens.create_index([("hash", 1)], unique=True, name="one_per_hash")
        self._tokens.create_index([("revoked_at", 1)], name="revoked", expireAfterSeconds=KEEP_DAYS * 86_400)

    def create(self, name: str, scope: Scope, seconds: float | None, by: str) -> tuple[Document, str]:
        """A new token that lasts so long (None: until it is revoked): its document, and the token itself, once."""
        token = PREFIX + secrets.token_urlsafe(32)
        said = {
            "_id": secrets.token_hex(6),
            "name": name,
            "scope": str(scope),
            "hash": _hash(token),
            "prefix": token[:SHOWN],
            "created_by": by,
            "last_used_at": None,
            "revoked_at": None,
        }
        ends = None if seconds is None else {"$add": ["$$NOW", round(seconds * 1000)]}
        document = {"$mergeObjects": [{"$literal": said}, {"created_at": "$$NOW", "expires_at": ends}]}
        stored = self._tokens.find_one_and_update(
            {"_id": said["_id"]},
            [{"$replaceWith": document}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
            projection={"hash": 0},
        )
        assert stored is not None
        return stored, token

    def who(self, token: str) -> Who | None:
        """Whose token it is; None where there is none, or it is expired or revoked. Counts as use."""
        if _TOKEN.fullmatch(token) is None:
            return None
        expired = {"$and": [{"$ne": ["$expires_at", None]}, {"$gte": ["$$NOW", "$expires_at"]}]}
        live: Document = {"hash": _hash(token), "revoked_at": None, "$expr": {"$not": expired}}
        found = self._tokens.find_one(live, {"name": 1, "scope": 1})
        if found is None:
            return None
        used = {"$ifNull": ["$last_used_at", "$created_at"]}
        rested = {"$gt": [{"$subtract": ["$$NOW", used]}, TOUCH_SECONDS * 1000]}
        unseen = {"$or": [{"last_used_at": None}, {"$expr": rested}]}
        self._tokens.update_one({"_id": found["_id"]} | unseen, [{"$set": {"last_used_at": "$$NOW"}}])
        return Who(name=found["name"], scope=Scope(found["scope"]), how=How.TOKEN, token=found["_id"])

    def list(self) -> builtins.list[Document]:
        """All of them, newest first, without their hashes; with `live`, whether it still opens."""
        late = {"$and": [{"$ne": ["$expires_at", None]}, {"$gte": ["$$NOW", "$expires_at"]}]}
        live = {"$and": [{"$eq": ["$revoked_at", None]}, {"$not": late}]}
        steps: builtins.list[Document] = [
            {"$sort": {"created_at": -1, "_id": 1}},
            {"$project": {"hash": 0}},
            {"$set": {"live": live}},
        ]
        return builtins.list(self._tokens.aggregate(steps))

    def revoke(self, token_id: str) -> Document:
        """End a token at once; again changes nothing. Raises NotFound."""
        ended = {"$ifNull": ["$revoked_at", "$$NOW"]}
        after = self._tokens.find_one_and_update(
            {"_id": token_id},
            [{"$set": {"revoked_at": ended}}],
            return_document=ReturnDocument.AFTER,
            projection={"hash": 0},
        )
        if after is None:
            raise NotFound(f"there is no token {token_id!r}")
        return after


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
