"""`audit`: who did what, when, from where, and what it was before and after. Only ever added to.

No method here changes or removes a record; the database itself drops them after `KEEP_DAYS`. It masks nothing: whoever
records hands in values that may be read by all who may read here.
"""

from __future__ import annotations

import builtins
import json
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from worker.access import Who
from worker.errors import NotFound
from worker.logs import redact
from worker.store.client import Document, guarded

log = logging.getLogger(__name__)

KEEP_DAYS = 400
# A longer value is left out and its size told: a record must never outgrow what the database holds.
LONGEST_VALUE = 32_768

Values = dict[str, Any]


@guarded
class Audit:
    """`at` is the server's clock."""

    def __init__(self, database: Database[Document]) -> None:
        self._audit = database["audit"]

    def ensure_indexes(self) -> None:
        self._audit.create_index([("at", -1), ("_id", -1)], name="newest")
        self._audit.create_index([("subject", 1), ("at", -1), ("_id", -1)], name="of_subject")
        self._audit.create_index([("at", 1)], name="old", expireAfterSeconds=KEEP_DAYS * 86_400)

    def record(
        self, who: Who, action: str, subject: str, *, before: Values | None = None, after: Values | None = None
    ) -> None:
        """Add a record. `before` and `after` are what differs (see `difference`); None: there was or is nothing.

        Never raises: what it tells of has been done. Where the database does not take it, the log does.
        """
        said: Document = {
            "_id": str(ObjectId()),
            "who": who.name,
            "how": str(who.how),
            "scope": str(who.scope),
            "token": who.token,
            "action": action,
            "subject": subject,
            "from": who.address,
            "via": who.via,
            "request_id": who.request,
        }
        try:
            said |= {"before": _clean(before), "after": _clean(after)}
            document = {"$mergeObjects": [{"$literal": said}, {"at": "$$NOW"}]}
            self._audit.update_one({"_id": said["_id"]}, [{"$replaceWith": document}], upsert=True)
        except Exception as error:  # whatever it is: the deed stands, and its record must not be lost silently
            log.error("this record is in no audit collection (%s): %s", error, json.dumps(said, default=str))

    def list(
        self, query: Document | None = None, *, since: datetime | None = None, after: str | None = None, limit: int = 50
    ) -> builtins.list[Document]:
        """Newest first, from after the record `after`; `query` is made by `asked`. Raises NotFound for no `after`."""
        wanted: Document = dict(query or {})
        if since is not None:
            wanted["at"] = {"$gte": since}
        if after is not None:
            last = self._audit.find_one({"_id": after}, {"at": 1})
            if last is None:
                raise NotFound(f"there is no record {after!r} in the audit")
            older = [{"at": {"$lt": last["at"]}}, {"at": last["at"], "_id": {"$lt": after}}]
            wanted = {"$and": [wanted, {"$or": older}]}
        return builtins.list(self._audit.find(wanted).sort([("at", -1), ("_id", -1)]).limit(limit))


def asked(
    *, subject: str | None = None, who: str | None = None, action: str | None = None, hidden: Sequence[str] = ()
) -> Document:
    """A query for `Audit.list`: `jobs` finds the subject `jobs/orders` too, `job` the action `job.update`.

    `hidden` are collections whose records are left out.
    """
    parts: list[Document] = [{"subject": {"$not": {"$regex": f"^{re.escape(name)}(/|$)"}}} for name in hidden]
    if subject is not None:
        parts.append({"subject": {"$regex": f"^{re.escape(subject)}(/|$)"}})
    if who is not None:
        parts.append({"who": who})
    if action is not None:
        parts.append({"action": {"$regex": rf"^{re.escape(action)}(\.|$)"}})
    return {"$and": parts} if parts else {}


def difference(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[Values | None, Values | None]:
    """What differs of both; the whole of the one where the other is None."""
    if before is None or after is None:
        return (None if before is None else dict(before), None if after is None else dict(after))
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def _clean(values: Values | None) -> Values | None:
    """As JSON has it, without secrets that the log knows, and no value longer than a record can bear."""
    if values is None:
        return None
    clean: Values = json.loads(json.dumps(values, default=str), object_hook=_redacted)
    return {name: value if len(str(value)) <= LONGEST_VALUE else _too_long(value) for name, value in clean.items()}


def _too_long(value: Any) -> str:
    return f"({len(str(value))} characters, too long to be kept here)"


def _redacted(mapping: Values) -> Values:
    return {redact(name): _without_secrets(value) for name, value in mapping.items()}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value
