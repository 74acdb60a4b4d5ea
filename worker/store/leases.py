"""`leases` and `lease_terms`: one round trip acquires, renews or loses, all on the server's clock.

The whole decision stands in the update pipeline and the answer is read from the document after it: a filter with
`$expr` and `upsert` together always fails on MongoDB. The token grows at every change of term and never shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.clock import EPOCH
from worker.store.client import Document, guarded

SCHEDULER = "scheduler"
# Slack for "expires later than its own TTL allows": the sign that the server's clock was set back.
CLOCK_SLACK_MS = 1_000


@dataclass(frozen=True, kw_only=True)
class Term:
    """Who holds the lease after a call, as the database says; `acquired_at` on its clock."""

    holder: str | None
    token: int
    acquired_at: datetime


def expired(expires_at: Any, renewed_at: Any) -> Document:
    """An aggregation expression: the period that began at `renewed_at` is over, or the clock was set back."""
    left: Document = {"$subtract": [expires_at, "$$NOW"]}
    period: Document = {"$subtract": [expires_at, renewed_at]}
    return {
        "$or": [
            {"$not": [{"$eq": [{"$type": expires_at}, "date"]}]},
            {"$not": [{"$eq": [{"$type": renewed_at}, "date"]}]},
            {"$lte": [left, 0]},
            {"$gt": [left, {"$add": [period, CLOCK_SLACK_MS]}]},
        ]
    }


@guarded
class Leases:
    def __init__(self, database: Database[Document]) -> None:
        self._leases = database["leases"]
        self._terms = database["lease_terms"]

    def ensure_indexes(self) -> None:
        self._terms.create_index([("ended_at", 1)], name="open_terms")

    def hold(self, holder: str, fresh: str, instance: str, token: int | None, ttl: float) -> Term:
        """Renew where `holder` (and `token`, if known) hold it, acquire where it is free, else change nothing.

        A new term is held as `holder`, or as `fresh` where `holder` already had one: an id serves one term only.
        A live term of `instance` that is not this one was gained by a request whose answer never came: it is replaced.
        """
        is_mine: list[Document] = [{"$eq": ["$holder", holder]}]
        if token is not None:
            is_mine.append({"$eq": ["$token", token]})
        dead = expired("$expires_at", "$renewed_at")
        unknown = {"$eq": ["$instance", instance]}
        choices: list[Document] = [{"case": dead, "then": "gain"}, {"case": {"$and": is_mine}, "then": "renew"}]
        choices.append({"case": unknown, "then": "gain"})
        take: Document = {"$switch": {"branches": choices, "default": "leave"}}
        had_one: Any = {"$eq": ["$holder", holder]} if token is None else True

        def pick(gain: Any, renew: Any, leave: Any) -> Document:
            branches = [{"case": {"$eq": ["$$take", "gain"]}, "then": gain}]
            branches.append({"case": {"$eq": ["$$take", "renew"]}, "then": renew})
            return {"$let": {"vars": {"take": take}, "in": {"$switch": {"branches": branches, "default": leave}}}}

        until = {"$add": ["$$NOW", round(ttl * 1000)]}
        change = {
            "holder": pick({"$cond": [had_one, fresh, holder]}, "$holder", "$holder"),
            "instance": pick(instance, "$instance", "$instance"),
            "token": pick({"$add": [{"$ifNull": ["$token", 0]}, 1]}, "$token", "$token"),
            "acquired_at": pick("$$NOW", "$acquired_at", "$acquired_at"),
            "renewed_at": pick("$$NOW", "$$NOW", "$renewed_at"),
            "expires_at": pick(until, until, "$expires_at"),
        }
        try:
            after = self._hold_once(change)
        except DuplicateKeyError:  # two instances inserted the very first lease document; ours exists now
            after = self._hold_once(change)
        return Term(holder=after["holder"], token=after["token"], acquired_at=after["acquired_at"])

    def _hold_once(self, change: Document) -> Document:
        after = self._leases.find_one_and_update(
            {"_id": SCHEDULER}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
        )
        assert after is not None  # an upsert always has an AFTER image
        return after

    def release(self, holder: str, token: int) -> bool:
        """End the term; the document stays, so that the token never shrinks. False where it was not ours."""
        result = self._leases.update_one(
            {"_id": SCHEDULER, "holder": holder, "token": token}, {"$set": {"holder": None, "expires_at": EPOCH}}
        )
        return result.matched_count == 1

    def current(self) -> Document | None:
        """The lease as stored, with `live` (by the server's clock); None before anybody led."""
        stage = {"$set": {"live": {"$not": [expired("$expires_at", "$renewed_at")]}}}
        return next(iter(self._leases.aggregate([{"$match": {"_id": SCHEDULER}}, stage])), None)

    def begin_term(self, token: int, *, holder: str, instance: str, host: str, pid: int) -> None:
        """Record the term that `token` began, and close those before it that nobody closed."""
        facts = {"holder": holder, "instance": instance, "host": host, "pid": pid}
        change: Document = {name: {"$ifNull": [f"${name}", {"$literal": value}]} for name, value in facts.items()}
        change["gained_at"] = {"$ifNull": ["$gained_at", "$$NOW"]}
        change["ended_at"] = {"$ifNull": ["$ended_at", None]}
        change["how"] = {"$ifNull": ["$how", None]}
        self._terms.update_one({"_id": token}, [{"$set": change}], upsert=True)
        self._terms.update_many(
            {"_id": {"$lt": token}, "ended_at": None}, [{"$set": {"ended_at": "$$NOW", "how": "expired"}}]
        )

    def end_term(self, token: int, how: str) -> None:
        """`released` or `lost`, written by the holder itself; the first entry stands."""
        self._terms.update_one({"_id": token, "ended_at": None}, [{"$set": {"ended_at": "$$NOW", "how": how}}])

    def terms(self, limit: int = 20) -> list[Document]:
        """The latest terms, newest first."""
        return list(self._terms.find().sort("_id", -1).limit(limit))
