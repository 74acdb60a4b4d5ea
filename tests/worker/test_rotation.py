"""SECRET_KEY rotates: everything is sealed anew, beside whoever works, however often it is broken off."""

from __future__ import annotations

from typing import Any

import pytest

from worker.connection import Connection
from worker.errors import Permanent
from worker.rotation import listed, rotate
from worker.sealed_checkpoint import SealedCheckpoint
from worker.store import Store
from worker.store.sealed import Sealed, SealedRecord
from worker.vault import Vault

OLD, NEW = "the old key, long enough", "the new key, long enough"
URL = frozenset({"url"})


def connection(name: str, url: str = "mongodb://u:geheim@h/") -> Connection:
    return Connection(id=name, type="mongodb", settings={"url": url, "database": "lake"})


@pytest.fixture
def filled(store: Store) -> Store:
    """Something of every kind that is sealed, under the old key; checkpoints as an older version sealed them."""
    old = Vault([OLD])
    for name in ("a", "b"):
        store.connections(old).insert(connection(name), URL)
    store.keys(old).hash_key()
    store.keys(old).checkpoint_vault()
    sealed = SealedCheckpoint(lambda: old, "j", "s").seal({"after": 7})
    store.checkpoints.save("j", "s", sealed, run_id="r", sequence=1, token=1)
    store.undos.begin("j", "s", 1, {"before": {"checkpoint": sealed, "schema": None}})
    return store


def opened(store: Store, vault: Vault) -> list[Any]:
    """All that was sealed, in plain."""
    checkpoint = store.checkpoints.get("j", "s")
    (undo,) = store.undos.of("j")
    assert checkpoint is not None
    cover = SealedCheckpoint(lambda: store.keys(vault).checkpoint_vault(make=False), "j", "s")
    return [
        *[one.settings["url"] for one in store.connections(vault).list()],
        store.keys(vault).made_hash_key(),
        cover.open(checkpoint["value"]),
        cover.open(undo["before"]["checkpoint"]),
    ]


def test_everything_is_sealed_anew_and_the_old_key_can_go(filled: Store) -> None:
    before = opened(filled, Vault([OLD]))
    revisions = [one.revision for one in filled.connections(Vault([OLD])).list()]
    done = rotate(filled, Vault([NEW, OLD]))
    assert (done.total, done.anew, done.unopened) == (6, 6, [])
    assert opened(filled, Vault([NEW])) == before
    with pytest.raises(Permanent, match="SECRET_KEY"):
        filled.keys(Vault([OLD])).hash_key()
    assert [one.revision for one in filled.connections(Vault([NEW])).list()] == revisions


def test_a_second_time_there_is_nothing_to_do(filled: Store) -> None:
    rotate(filled, Vault([NEW, OLD]))
    assert rotate(filled, Vault([NEW, OLD])).anew == 0
    assert rotate(filled, Vault([NEW])).anew == 0


@pytest.mark.parametrize("after", range(6))
def test_it_may_be_broken_off_anywhere_and_goes_on(filled: Store, after: int) -> None:
    before = opened(filled, Vault([OLD]))
    left = after

    def die(record: SealedRecord) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1

    with pytest.raises(KeyboardInterrupt):
        rotate(filled, Vault([NEW, OLD]), die)
    assert opened(filled, Vault([NEW, OLD])) == before
    assert rotate(filled, Vault([NEW, OLD])).anew == 5 - after
    assert opened(filled, Vault([NEW])) == before


def test_a_connection_that_is_saved_meanwhile_is_neither_lost_nor_left(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instance that has only the old key yet saves between our look and our write, and another makes one."""
    swap = Sealed.swap

    def beside(sealed: Sealed, record: SealedRecord, anew: Any) -> bool:
        if record.id == "a":
            monkeypatch.setattr(Sealed, "swap", swap)
            old = filled.connections(Vault([OLD]))
            old.replace(connection("a", "mongodb://u:newer@h/"), URL)
            old.insert(connection("c"), URL)
        return swap(sealed, record, anew)

    monkeypatch.setattr(Sealed, "swap", beside)
    rotate(filled, Vault([NEW, OLD]))
    found = {one.id: one.settings.get("url") for one in filled.connections(Vault([NEW])).list()}
    assert found == {"a": "mongodb://u:newer@h/", "b": "mongodb://u:geheim@h/", "c": "mongodb://u:geheim@h/"}


def test_what_no_key_opens_is_named_and_left(filled: Store) -> None:
    filled.connections(Vault(["a key that is gone, alas"])).insert(connection("lost"), URL)
    done = rotate(filled, Vault([NEW, OLD]))
    assert (done.anew, done.unopened) == (6, ["connections/lost/url"])
    ranks = {what: rank for what, _, rank in listed(filled, Vault([NEW, OLD]))}
    assert ranks.pop("connections/lost/url") == "unknown" and set(ranks.values()) == {"newest"}
    assert "geheim" not in str(listed(filled, Vault([NEW, OLD])))


@pytest.mark.parametrize(("here", "there"), [("settings.url", "settings.password"), ("settings.url", "settings.url")])
def test_a_ciphertext_that_is_moved_does_not_open(store: Store, here: str, there: str) -> None:
    """To another field of its connection, and to the same field of another connection."""
    vault = Vault([NEW])
    secret = frozenset({"url", "password"})
    for name, word in (("a", "ours"), ("b", "theirs")):
        settings = {"url": f"x://{word}@h/", "password": word}
        store.connections(vault).insert(Connection(id=name, type="mongodb", settings=settings), secret)
    collection = store.database["connections"]
    source = collection.find_one({"_id": "a"})
    assert source is not None
    sealed = source["settings"][here.removeprefix("settings.")]
    target = "a" if here != there else "b"
    collection.update_one({"_id": target}, {"$set": {there: sealed}})
    found = store.connections(vault).get(target)
    assert found.unreadable == (there.removeprefix("settings."),)
    assert there.removeprefix("settings.") not in found.settings


def test_checkpoints_at_a_destination_outlive_the_key_that_they_were_made_under(store: Store) -> None:
    """They lie where no rotation gets to: they are sealed under the installation's own key."""
    cover = SealedCheckpoint(store.keys(Vault([OLD])).checkpoint_vault, "j", "s")
    far_away = cover.seal({"after": 7})
    rotate(store, Vault([NEW, OLD]))
    assert SealedCheckpoint(store.keys(Vault([NEW])).checkpoint_vault, "j", "s").open(far_away) == {"after": 7}
    with pytest.raises(Permanent, match="was altered, or moved"):
        SealedCheckpoint(store.keys(Vault([NEW])).checkpoint_vault, "j", "other").open(far_away)
