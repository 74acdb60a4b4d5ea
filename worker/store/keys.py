"""`keys`: secrets that this installation made for itself, sealed: so far the one key of `hash`.

It is made at first use and never changes, so that equal values keep equal hashes; a new SECRET_KEY seals it anew.
"""

from __future__ import annotations

import os

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from worker.store.client import Document, guarded
from worker.vault import Vault

HASH = "hash"
CONTEXT = "keys/hash"
BYTES = 32


@guarded
class Keys:
    def __init__(self, database: Database[Document], vault: Vault) -> None:
        self._keys = database["keys"]
        self._vault = vault

    def hash_key(self) -> bytes:
        """The key of `hash`, of 32 bytes. Raises Permanent where SECRET_KEY does not open it."""
        found = self._keys.find_one({"_id": HASH})
        if found is None:
            found = self._make()
        sealed = self._vault.reseal(found["sealed"], context=CONTEXT)
        if sealed != found["sealed"]:
            self._keys.update_one({"_id": HASH, "sealed": found["sealed"]}, {"$set": {"sealed": sealed}})
        return bytes.fromhex(self._vault.open(sealed, context=CONTEXT))

    def _make(self) -> Document:
        made: Document = {"_id": HASH, "sealed": self._vault.seal(os.urandom(BYTES).hex(), context=CONTEXT)}
        try:
            self._keys.insert_one(made)
        except DuplicateKeyError:  # another instance was faster: its key counts
            found = self._keys.find_one({"_id": HASH})
            assert found is not None
            return found
        return made
