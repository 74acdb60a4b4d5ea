"""Time as this process sees it: a monotonic clock for trust, the wall clock for display only.

No decision compares two machines' wall clocks; what is stored comes from the database's clock.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def monotonic() -> float:
    """Seconds on a clock that never jumps; counts time spent frozen by SIGSTOP."""
    return time.monotonic()


def wall() -> datetime:
    """Now by this machine's clock, aware UTC. For display and logs; never stored as a decision."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """UTC ISO 8601 with `Z`, milliseconds only where there are any."""
    moment = moment.astimezone(UTC)
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")
