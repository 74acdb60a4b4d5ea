"""How long to wait before the next attempt: exponential, capped, its jitter the same each time it is asked."""

from __future__ import annotations

import hashlib

from worker.job import Retry

JITTER = 0.1


def delay(retry: Retry, attempt: int, *, run_id: str) -> float:
    """Seconds between the end of `attempt` (from 1) and the next; up to a tenth less, by `run_id` and attempt."""
    doublings = min(attempt - 1, 60)
    full = min(retry.backoff * 2.0**doublings, retry.max_backoff)
    digest = hashlib.sha256(f"{run_id}/{attempt}".encode()).digest()
    part = int.from_bytes(digest[:8]) / 2**64
    return full * (1 - JITTER * part)
