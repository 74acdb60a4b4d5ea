"""The installation's hash key: made once, sealed, and kept through a rotation of SECRET_KEY."""

from __future__ import annotations

import pytest

from worker.errors import Permanent
from worker.store import Store
from worker.vault import Vault


def test_it_is_made_at_first_use_and_stays(store: Store) -> None:
    key = store.keys(Vault(["old"])).hash_key()
    assert len(key) == 32
    assert store.keys(Vault(["old"])).hash_key() == key


def test_it_survives_a_rotation_and_is_then_sealed_with_the_new_one(store: Store) -> None:
    key = store.keys(Vault(["old"])).hash_key()
    assert store.keys(Vault(["new", "old"])).hash_key() == key
    assert store.keys(Vault(["new"])).hash_key() == key
    with pytest.raises(Permanent, match="SECRET_KEY"):
        store.keys(Vault(["old"])).hash_key()


def test_it_is_nowhere_in_the_database_as_it_is(store: Store) -> None:
    key = store.keys(Vault(["old"])).hash_key()
    assert key.hex() not in str(list(store.database["keys"].find()))
