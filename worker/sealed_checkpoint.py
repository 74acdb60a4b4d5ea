"""The checkpoint of a stream that hashes columns, sealed: it may hold a key or cursor that must not be read there.

Destination, run and `checkpoints` see the sealed form alone; only an instance with SECRET_KEY can go on from it.
"""

from __future__ import annotations

import json
from typing import Any

from worker.vault import Vault


class SealedCheckpoint:
    """Bound to `place` (the job and the stream): a record moved elsewhere does not open."""

    def __init__(self, vault: Vault, place: str) -> None:
        self._vault = vault
        self._context = f"checkpoint/{place}"

    def seal(self, checkpoint: Any) -> dict[str, Any]:
        return {"sealed": self._vault.seal(json.dumps(checkpoint), context=self._context)}

    def open(self, sealed: Any) -> Any:
        """The checkpoint. Raises Permanent where SECRET_KEY does not open it. One from before `hash` is plain."""
        if not isinstance(sealed, dict) or "sealed" not in sealed:
            return sealed
        return json.loads(self._vault.open(sealed["sealed"], context=self._context))
