"""What the user saved as an alert: which turns in the life of which jobs are told, and where to.

Records only: `worker.declaration` parses them from a file or a request, `worker.store.alerts` keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# What of an alert is sealed, and never told.
SECRETS = ("url", "secret")


class Format(StrEnum):
    """How a message is written: as Standard Webhooks says, or as the `{"text": …}` that chats take."""

    JSON = "json"
    SLACK = "slack"


class Kind(StrEnum):
    """What happened to a job. `failing` and `stale` are told once, until `recovered` and `fresh` end them."""

    FAILING = "failing"
    RECOVERED = "recovered"
    HELD = "held"
    STALE = "stale"
    FRESH = "fresh"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert as stored; `url` and `secret` are plain in memory only, and name nothing where no key opens them.

    `jobs` None: all of them. `failures`: failed runs in a row before it is told; None: never. `recovery`: whether the
    end of a failure or of stale data is told too. `stale`: seconds without newer data; None: never.
    """

    id: str
    url: str
    format: Format = Format.JSON
    secret: str | None = None
    jobs: tuple[str, ...] | None = None
    failures: int | None = 1
    recovery: bool = True
    held: bool = True
    stale: float | None = None
    enabled: bool = True
    unreadable: tuple[str, ...] = ()
    owner: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 1
