"""A session lasts while it is used, and ends when it is idle or ended."""

from __future__ import annotations

from worker.store import Store
from worker.store.sessions import IDLE_SECONDS, TOUCH_SECONDS


def age(store: Store, seconds: int) -> None:
    past = {"$subtract": ["$$NOW", seconds * 1000]}
    store.database["sessions"].update_many({}, [{"$set": {"seen_at": past}}])


def test_a_session_is_known_until_it_ends(store: Store) -> None:
    store.sessions.begin("hash", "admin")
    assert store.sessions.who("hash") == "admin" and store.sessions.who("other") is None
    store.sessions.end("hash")
    assert store.sessions.who("hash") is None


def test_an_idle_session_is_over_before_the_database_removes_it(store: Store) -> None:
    store.sessions.begin("hash", "admin")
    age(store, IDLE_SECONDS + 1)
    assert store.sessions.who("hash") is None


def test_use_keeps_a_session_alive(store: Store) -> None:
    store.sessions.begin("hash", "admin")
    age(store, TOUCH_SECONDS + 1)
    before = store.database["sessions"].find_one({"_id": "hash"})
    store.sessions.who("hash")
    after = store.database["sessions"].find_one({"_id": "hash"})
    assert before is not None and after is not None and after["seen_at"] > before["seen_at"]
