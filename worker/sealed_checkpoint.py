"""The checkpoint of a stream that hashes columns, sealed: it may hold a key or cursor that must not be read there.

Destination, run and `checkpoints` see the sealed form alone; only an instance with SECRET_KEY can go on from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from worker.store.keys import checkpoint_context
from worker.vault import Vault


class SealedCheckpoint:
    """Bound to the job and the stream: a record moved elsewhere does not open.

    `vault` gives what seals, and is asked only where something is sealed; see `worker.store.keys`.
    """

    def __init__(self, vault: Callable[[], Vault], job_id: str, stream: str) -> None:
        self._give = vault
        self._given: Vault | None = None
        self._context = checkpoint_context(job_id, stream)

    @property
    def _vault(self) -> Vault:
        if self._given is None:
            self._given = self._give()
        return self._given

    def seal(self, checkpoint: Any) -> dict[str, Any]:
        return {"sealed": self._vault.seal(json.dumps(checkpoint), context=self._context)}

    def open(self, sealed: Any) -> Any:
        """The checkpoint. Raises Permanent where SECRET_KEY does not open it. One from before `hash` is plain."""
        if not isinstance(sealed, dict) or "sealed" not in sealed:
            return sealed
        return json.loads(self._vault.open(sealed["sealed"], context=self._context))
