"""`alert_events`: what there is to tell, one document for each thing and alert, until it is sent or given up.

Ids say what they tell of, so nothing is written twice, whoever writes. `alert_feed` keeps up to when runs were looked
at. A failure or stale data is `open` until it ends; the database itself drops what is older than `KEEP_DAYS`.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo import DESCENDING
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from worker.alert import Kind
from worker.errors import NotFound
from worker.store.client import Document, guarded, parts

KEEP_DAYS = 90
WAITING, SENT, GIVEN_UP = "waiting", "sent", "given_up"
FEED = "runs"
_DUPLICATE = 11_000


def new_event(alert: str, job_id: str, kind: Kind, what: str, *, at: datetime, **fields: Any) -> Document:
    """An event as it is born; `what` tells it from others of its kind. `fields` differ from one about no run."""
    return {
        "_id": f"{alert}/{job_id}/{kind}/{what}",
        "alert": alert,
        "job_id": job_id,
        "kind": str(kind),
        "what": what,
        "run_id": None,
        "sequence": None,
        "at": at,
        "since": None,
        "failures": None,
        "error": None,
        "text": "",
        "open": kind in (Kind.FAILING, Kind.STALE),
        "state": WAITING,
        "group": None,
        "tries": 0,
        "sent_at": None,
        "note": None,
    } | fields


def count_by_alert(events: Collection[Document]) -> dict[str, Document]:
    """Alert id -> {waiting, given_up}, for those that have any."""
    stages: list[Document] = [
        {"$match": {"state": {"$in": [WAITING, GIVEN_UP]}}},
        {"$group": {"_id": {"alert": "$alert", "state": "$state"}, "count": {"$sum": 1}}},
    ]
    found: dict[str, Document] = {}
    for one in events.aggregate(stages):
        alert, state = one["_id"]["alert"], one["_id"]["state"]
        found.setdefault(alert, {WAITING: 0, GIVEN_UP: 0})[state] = one["count"]
    return found


@guarded
class AlertEvents:
    def __init__(self, database: Database[Document]) -> None:
        self._events = database["alert_events"]
        self._feed = database["alert_feed"]

    def ensure_indexes(self) -> None:
        create = self._events.create_index
        create([("at", 1)], name="old", expireAfterSeconds=KEEP_DAYS * 86_400)
        create([("alert", 1), ("at", -1), ("_id", -1)], name="of_an_alert")
        unsent = {"state": {"$in": [WAITING, GIVEN_UP]}}
        create([("state", 1), ("alert", 1), ("at", 1), ("_id", 1)], partialFilterExpression=unsent, name="unsent")
        create([("kind", 1), ("job_id", 1)], partialFilterExpression={"open": True}, name="open")
        create([("group", 1)], partialFilterExpression={"group": {"$gt": ""}}, name="messages")

    def page(
        self, alert_id: str, limit: int = 50, after: str | None = None
    ) -> tuple[builtins.list[Document], str | None]:
        """An alert's events newest first, from after the event `after`; and the id that the next page begins after.

        Raises NotFound where `after` is no event of it (any more).
        """
        query: Document = {"alert": alert_id}
        if after is not None:
            last = self._events.find_one({"_id": after, "alert": alert_id}, {"at": 1})
            if last is None:
                raise NotFound(f"there is no event {after!r} of alert {alert_id!r}")
            query["$or"] = [{"at": {"$lt": last["at"]}}, {"at": last["at"], "_id": {"$lt": after}}]
        order = [("at", DESCENDING), ("_id", DESCENDING)]
        found = builtins.list(self._events.find(query).sort(order).limit(limit + 1))
        return found[:limit], found[limit - 1]["_id"] if len(found) > limit else None

    def waiting(self) -> int:
        """How many are not sent yet."""
        return self._events.count_documents({"state": WAITING})

    # What the evaluator writes.

    def looked_at(self) -> datetime | None:
        """Up to when runs were looked at; None before anybody did."""
        found = self._feed.find_one({"_id": FEED})
        moment = found.get("until") if found else None
        return moment if isinstance(moment, datetime) else None

    def look_on(self, until: datetime) -> None:
        """Runs up to then were looked at; who is behind moves nothing back."""
        self._feed.update_one({"_id": FEED}, {"$max": {"until": until}}, upsert=True)

    def add(self, events: Iterable[Document]) -> int:
        """Write those that are not there yet; how many that were."""
        added = 0
        for some in parts(list(events)):
            try:
                self._events.insert_many(some, ordered=False)
                added += len(some)
            except BulkWriteError as error:
                if any(one["code"] != _DUPLICATE for one in error.details["writeErrors"]):
                    raise
                added += error.details["nInserted"]
        return added

    def open(self, kind: Kind, job_ids: Sequence[str] | None = None) -> builtins.list[Document]:
        """Failures or stale data that have not ended, of these jobs or of all, the oldest first."""
        query: Document = {"kind": str(kind), "open": True}
        if job_ids is None:
            return builtins.list(self._events.find(query).sort([("at", 1), ("_id", 1)]))
        found: builtins.list[Document] = []
        for some in parts(job_ids):
            found += self._events.find(query | {"job_id": {"$in": some}})
        return sorted(found, key=lambda event: (event["at"], event["_id"]))

    def close(self, event_ids: Iterable[str]) -> None:
        """They have ended."""
        for some in parts(sorted(set(event_ids))):
            self._events.update_many({"_id": {"$in": some}}, {"$set": {"open": False}})

    # What the sender writes.

    def alerts_waiting(self) -> builtins.list[str]:
        """Ids of the alerts that have something to tell."""
        return self._events.distinct("alert", {"state": WAITING})

    def gather(self, alert_id: str, group: str, most: int) -> builtins.list[Document]:
        """The events of the oldest message of an alert that did not arrive, else of a new one named `group`.

        Oldest first, at most so many; none where nothing waits. For whoever claimed the alert, one at a time.
        """
        waiting: Document = {"alert": alert_id, "state": WAITING}
        order = [("at", 1), ("_id", 1)]
        # Of all that an alert told in ninety days few wait: the hint keeps the server from reading the others.
        begun = self._events.find_one(waiting | {"group": {"$ne": None}}, {"group": 1}, sort=order, hint="unsent")
        if begun is not None:
            group = begun["group"]
        else:
            free = self._events.find(waiting | {"group": None}, {"_id": 1}).sort(order).hint("unsent").limit(most)
            ids = [one["_id"] for one in free]
            if ids:
                self._events.update_many({"_id": {"$in": ids}, "group": None}, {"$set": {"group": group}})
        return builtins.list(self._events.find(waiting | {"group": group}).sort(order))

    def sent(self, group: str) -> None:
        """A message arrived. One that was given up while it was on its way arrived too."""
        change = {"state": SENT, "sent_at": "$$NOW", "tries": {"$add": ["$tries", 1]}, "note": None}
        self._events.update_many({"group": group, "state": {"$ne": SENT}}, [{"$set": change}])

    def unsent(self, group: str) -> None:
        """A message did not arrive."""
        self._events.update_many({"group": group, "state": WAITING}, {"$inc": {"tries": 1}})

    def give_up_message(self, group: str, note: str) -> None:
        """A message is not tried any more."""
        change: Document = {"$set": {"state": GIVEN_UP, "note": note}}
        self._events.update_many({"group": group, "state": WAITING}, change)

    def overdue(self, longest: timedelta, now: datetime) -> builtins.list[str]:
        """Ids of alerts that have events older than `longest` which were never sent."""
        return self._events.distinct("alert", {"state": WAITING, "at": {"$lt": now - longest}})

    def give_up(self, alert_id: str, longest: timedelta, now: datetime, note: str) -> int:
        """Those of the alert that are older are not tried any more; how many that are."""
        query = {"alert": alert_id, "state": WAITING, "at": {"$lt": now - longest}}
        return self._events.update_many(query, {"$set": {"state": GIVEN_UP, "note": note}}).modified_count
