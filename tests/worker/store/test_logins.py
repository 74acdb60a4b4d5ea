"""Five failures a minute for each name, and the seconds until the next one is looked at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from worker.store import Store
from worker.store.logins import ATTEMPTS, WINDOW


def age(store: Store, seconds: int) -> None:
    past = {"$map": {"input": "$failed", "in": {"$subtract": ["$$this", seconds * 1000]}}}
    store.database["logins"].update_many({}, [{"$set": {"failed": past}}])


def test_the_sixth_has_to_wait_for_the_first_to_be_forgotten(store: Store) -> None:
    assert [store.logins.begin("a") for _ in range(ATTEMPTS)] == [0] * ATTEMPTS
    assert WINDOW - 5 <= store.logins.begin("a") <= WINDOW
    assert store.logins.begin("b") == 0, "others do not"
    age(store, 50)
    assert 1 <= store.logins.begin("a") <= WINDOW - 50
    age(store, 10)
    assert [store.logins.begin("a") for _ in range(ATTEMPTS)] == [0] * ATTEMPTS


def test_who_only_asks_again_does_not_wait_longer(store: Store) -> None:
    for _ in range(ATTEMPTS):
        store.logins.begin("a")
    for _ in range(50):
        store.logins.begin("a")
    age(store, WINDOW + 1)
    assert store.logins.begin("a") == 0


def test_the_right_password_forgives(store: Store) -> None:
    for _ in range(ATTEMPTS - 1):
        store.logins.begin("a")
    store.logins.forgive("a")
    assert [store.logins.begin("a") for _ in range(ATTEMPTS)] == [0] * ATTEMPTS


def test_attempts_at_once_are_all_counted(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _: store.logins.begin("a"), range(32)))
    assert waits.count(0) == ATTEMPTS


def test_the_database_forgets_them(store: Store) -> None:
    kept = [one.get("expireAfterSeconds") for one in store.database["logins"].list_indexes()]
    assert WINDOW in kept
    store.logins.begin("a")
    assert {type(one["at"]).__name__ for one in store.database["logins"].find()} == {"datetime"}
