"""The checkpoint of one stream in the coordination database, written under the claim's fence.

It insists: while the store is away it waits, for as long as the claim can be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from worker.connectors.protocol import Fence
from worker.store.checkpoints import Checkpoints

Insist = Callable[[Callable[[], Any]], Any]


@dataclass(frozen=True, kw_only=True)
class CheckpointKeeper:
    """`insist` calls until the store answers, and raises LostClaim where the claim runs out meanwhile."""

    checkpoints: Checkpoints
    insist: Insist
    job_id: str
    run_id: str
    fence: Fence

    def load(self) -> Mapping[str, Any] | None:
        """{value, sequence, token} as saved last."""
        stored: Mapping[str, Any] | None = self.insist(lambda: self.checkpoints.get(self.job_id, self.fence.stream))
        return stored

    def save(self, value: Any) -> None:
        fence = self.fence
        self.insist(
            lambda: self.checkpoints.save(
                self.job_id, fence.stream, value, run_id=self.run_id, sequence=fence.sequence, token=fence.token
            )
        )

    def forget(self) -> None:
        fence = self.fence
        self.insist(
            lambda: self.checkpoints.forget(self.job_id, fence.stream, sequence=fence.sequence, token=fence.token)
        )
