"""Saved connections: sealed at rest, and one that cannot be opened does not spoil the others."""

from __future__ import annotations

import pytest

from worker.connection import Connection
from worker.declaration import resolve
from worker.errors import Conflict, NotFound, Permanent, StaleRevision
from worker.job import Job, StreamSpec
from worker.store import Store
from worker.vault import Vault

URL = frozenset({"url"})
VAULT = Vault(["a key for the tests"])


def lake(url: str = "mongodb://u:geheim@h/") -> Connection:
    return Connection(id="lake", type="mongodb", settings={"url": url, "database": "lake"})


def test_a_secret_is_sealed_at_rest_and_comes_back(store: Store) -> None:
    saved = store.connections(VAULT).insert(lake(), URL)
    assert saved.settings["url"] == "mongodb://u:geheim@h/"
    assert "geheim" not in str(store.database["connections"].find_one({"_id": "lake"}))


def test_a_secret_under_another_key_is_named_and_spoils_nothing_else(store: Store) -> None:
    store.connections(VAULT).insert(lake(), URL)
    other = store.connections(Vault(["another key, long enough"]))
    other.insert(Connection(id="shop", type="sqlite", settings={"path": "x"}), frozenset())
    found = {one.id: one for one in other.list()}
    assert found["lake"].unreadable == ("url",)
    assert found["lake"].settings == {"database": "lake"}
    assert found["shop"].unreadable == ()
    with pytest.raises(Permanent, match="url of connection lake was sealed under another SECRET_KEY"):
        resolve(found["lake"], {})


def test_a_removed_setting_goes_away(store: Store) -> None:
    connections = store.connections(VAULT)
    connections.insert(lake(), URL)
    changed = connections.replace(Connection(id="lake", type="sqlite", settings={"path": "x"}), frozenset(), 1)
    assert (changed.settings, changed.revision) == ({"path": "x"}, 2)


def test_a_stale_revision_changes_nothing(store: Store) -> None:
    connections = store.connections(VAULT)
    connections.insert(lake(), URL)
    with pytest.raises(StaleRevision, match="its revision is 1"):
        connections.replace(lake("mongodb://other/"), URL, 7)
    with pytest.raises(NotFound):
        connections.delete("nothing")
    with pytest.raises(Conflict, match="exists already"):
        connections.insert(lake(), URL)


def test_a_connection_in_use_stays(store: Store) -> None:
    connections = store.connections(VAULT)
    connections.insert(lake(), URL)
    store.jobs.insert(Job(id="j", source="lake", destination="lake", streams=(StreamSpec(name="s"),)))
    with pytest.raises(Conflict, match="is used by j"):
        connections.delete("lake")
