"""A saved configuration of a connector. Secret fields are sealed wherever it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Connection:
    """`settings` are plain here (in memory only); `worker.store.connections` seals the secret ones.

    `unreadable` names those that no key of ours opens: they are missing from `settings`.
    """

    id: str
    type: str
    settings: dict[str, Any]
    unreadable: tuple[str, ...] = ()
    owner: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 1
