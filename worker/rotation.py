"""Seal everything anew under the newest SECRET_KEY, so that the older ones can be taken away.

One record after another, each put in place only of what was read: it may be broken off at any moment, begun again, and
run beside instances that work. An instance that does not have the new key yet still seals under the old one: give
every instance the new key first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from worker.errors import Permanent
from worker.store import Store
from worker.store.keys import CHECKPOINTS, HASH
from worker.store.sealed import SealedRecord
from worker.vault import Vault

# Whoever saves a connection meanwhile makes us look once more.
MOST_PASSES = 10


@dataclass
class Rotated:
    """What became of the records: how many there are, how many of them were sealed anew, and which do not open."""

    total: int = 0
    anew: int = 0
    unopened: list[str] = field(default_factory=list)


def rotate(store: Store, vault: Vault, told: Callable[[SealedRecord], None] = lambda record: None) -> Rotated:
    """Seal what is not under the newest key anew; `told` is called after each. Those that do not open are left."""
    done = Rotated()
    for _ in range(MOST_PASSES):
        left = _others(store, vault)
        closed = [_named(record) for record in left if not _anew(store, vault, record, done, told)]
        done.unopened = sorted(closed)
        if len(closed) == len(left):  # nothing was there to do, or only what we cannot
            break
    done.total = len(store.sealed.all())
    return done


def listed(store: Store, vault: Vault) -> list[tuple[str, str, str]]:
    """Each sealed record: what it is, the name of its key, and which of ours that is."""
    ranks = {key: "newest" if rank == 0 else f"older ({rank + 1})" for rank, key in enumerate(vault.key_ids)}
    ranks |= dict.fromkeys(_own_keys(store, vault), "installation's own")
    return [
        (_named(one), str(one.sealed["key"]), ranks.get(one.sealed["key"], "unknown")) for one in store.sealed.all()
    ]


def _others(store: Store, vault: Vault) -> list[SealedRecord]:
    good = {vault.key_ids[0], *_own_keys(store, vault)}
    return [record for record in store.sealed.all() if record.sealed["key"] not in good]


def _own_keys(store: Store, vault: Vault) -> list[str]:
    """The key that seals checkpoints, which stays when SECRET_KEY goes; none where it is not made or does not open."""
    try:
        own = store.keys(vault).checkpoint_vault(make=False).key_ids
    except Permanent:
        return []
    return [key for key in own if key not in vault.key_ids]


def _anew(
    store: Store, vault: Vault, record: SealedRecord, done: Rotated, told: Callable[[SealedRecord], None]
) -> bool:
    """False where the record does not open. One that was changed meanwhile is looked at in the next pass."""
    try:
        sealed = vault.reseal(dict(record.sealed), context=record.context)
    except Permanent:
        return False
    if store.sealed.swap(record, sealed):
        done.anew += 1
        told(record)
    return True


def _named(record: SealedRecord) -> str:
    if record.collection == "keys":
        return {HASH: "the key of hash", CHECKPOINTS: "the key of checkpoints"}.get(str(record.id), str(record.id))
    return record.context if record.collection != "undos" else f"{record.context} (undo)"
