"""`keys`: secrets that this installation made for itself, sealed: the key of `hash`, and that of sealed checkpoints.

Each is made at first use and never changes, so that equal values keep equal hashes, and checkpoints that lie at a
destination still open after SECRET_KEY was rotated: what is sealed anew then is the one record here.
"""

from __future__ import annotations

import os

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.store.client import Document, guarded
from worker.vault import Vault

HASH, CHECKPOINTS = "hash", "checkpoints"
BYTES = 32


@guarded
class Keys:
    def __init__(self, database: Database[Document], vault: Vault) -> None:
        self._keys = database["keys"]
        self._vault = vault

    def hash_key(self) -> bytes:
        """The key of `hash`, of 32 bytes. Raises Permanent where SECRET_KEY does not open it."""
        return self._made(HASH, renew=True) or self._make(HASH)

    def made_hash_key(self) -> bytes | None:
        """The key of `hash` where it has been made; nothing is written. Raises Permanent as `hash_key` does."""
        return self._made(HASH)

    def checkpoint_vault(self, *, make: bool = True) -> Vault:
        """What seals checkpoints; it opens what SECRET_KEY sealed too. Without `make` nothing is written."""
        key = self._made(CHECKPOINTS, renew=make) or (self._make(CHECKPOINTS) if make else None)
        return self._vault if key is None else self._vault.under(key.hex())

    def _made(self, name: str, *, renew: bool = False) -> bytes | None:
        """The key of that name where it is made; `renew`: sealed anew where SECRET_KEY has a newer key."""
        found = self._keys.find_one({"_id": name})
        if found is None:
            return None
        sealed = self._vault.reseal(found["sealed"], context=context(name)) if renew else found["sealed"]
        if sealed != found["sealed"]:
            self._keys.update_one({"_id": name, "sealed": found["sealed"]}, {"$set": {"sealed": sealed}})
        return bytes.fromhex(self._vault.open(sealed, context=context(name)))

    def _make(self, name: str) -> bytes:
        key = os.urandom(BYTES)
        try:
            self._keys.insert_one({"_id": name, "sealed": self._vault.seal(key.hex(), context=context(name))})
        except DuplicateKeyError:  # another instance was faster: its key counts
            made = self._made(name)
            assert made is not None
            return made
        return key


def context(name: str) -> str:
    return f"keys/{name}"


def checkpoint_context(job_id: str, stream: str) -> str:
    """What a sealed checkpoint is bound to."""
    return f"checkpoint/{job_id}/{stream}"
