"""A token opens until it expires or is revoked, by the server's clock, and is written down as a hash alone."""

from __future__ import annotations

import pytest

from worker.access import How, Scope
from worker.errors import NotFound
from worker.store import Store
from worker.store.tokens import TOUCH_SECONDS


def age(store: Store, field: str, seconds: int) -> None:
    past = {"$subtract": ["$$NOW", seconds * 1000]}
    store.database["tokens"].update_many({}, [{"$set": {field: past}}])


def test_a_token_is_known_until_it_is_revoked(store: Store) -> None:
    made, token = store.tokens.create("ci", Scope.OPERATE, None, "me@here")
    who = store.tokens.who(token)
    assert who is not None
    assert (who.name, who.scope, who.how, who.token) == ("ci", Scope.OPERATE, How.TOKEN, made["_id"])
    first = store.tokens.revoke(made["_id"])["revoked_at"]
    assert store.tokens.who(token) is None
    assert store.tokens.revoke(made["_id"])["revoked_at"] == first, "again changes nothing"
    with pytest.raises(NotFound, match="none"):
        store.tokens.revoke("none")


def test_a_token_expires_when_it_said(store: Store) -> None:
    made, token = store.tokens.create("ci", Scope.READ, 3600, "me@here")
    assert (made["expires_at"] - made["created_at"]).total_seconds() == 3600
    assert store.tokens.who(token) is not None
    age(store, "expires_at", 0)
    assert store.tokens.who(token) is None
    assert [one["live"] for one in store.tokens.list()] == [False]


def test_only_a_hash_is_kept_and_not_even_that_is_listed(store: Store) -> None:
    made, token = store.tokens.create("ci", Scope.READ, None, "me@here")
    stored = store.database["tokens"].find_one({"_id": made["_id"]})
    assert stored is not None and token not in str(stored) and len(stored["hash"]) == 64
    assert token.startswith(stored["prefix"]) and len(stored["prefix"]) == 9
    assert not [one for one in (*store.tokens.list(), made) if "hash" in one]


def test_no_two_tokens_are_alike(store: Store) -> None:
    made = [store.tokens.create("same name", Scope.READ, None, "me") for _ in range(20)]
    assert len({token for _, token in made}) == len({one["_id"] for one, _ in made}) == 20


def test_use_is_noted_but_not_at_every_request(store: Store) -> None:
    made, token = store.tokens.create("ci", Scope.READ, None, "me")
    assert made["last_used_at"] is None
    store.tokens.who(token)
    first = store.tokens.list()[0]["last_used_at"]
    store.tokens.who(token)
    assert first is not None and store.tokens.list()[0]["last_used_at"] == first
    age(store, "last_used_at", TOUCH_SECONDS + 1)
    store.tokens.who(token)
    assert store.tokens.list()[0]["last_used_at"] >= first


@pytest.mark.parametrize("odd", ["", "sw_", "x" * 46, "sw_" + "é" * 43, "sw_" + "a" * 44, "sw_" + "a" * 42 + "\n"])
def test_what_is_no_token_is_nobodys(store: Store, odd: str) -> None:
    assert store.tokens.who(odd) is None
