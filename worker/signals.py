"""What others ask of a running attempt: end it (and why), or trust its claim until a moment.

Set from any thread, looked at by the attempt before each batch. The first reason to end stands, save that a lost
claim outranks all: whoever lost it may write nothing, not even that it stopped.
"""

from __future__ import annotations

import threading

from worker import clock
from worker.errors import LostClaim, SyncworkerError


class Signals:
    def __init__(self, trusted_until: float) -> None:
        self._trusted_until = trusted_until
        self._reason: SyncworkerError | None = None
        self._asked_at = 0.0
        self._lost = False
        self._changed = threading.Event()

    def trust_until(self, moment: float) -> None:
        """Extend the claim's trust (monotonic clock), after a renewal that was sent early enough."""
        self._trusted_until = max(self._trusted_until, moment)

    def ask(self, reason: SyncworkerError) -> None:
        """Ask the attempt to end: Cancelled, Stopped or TimedOut. The first to ask is heard."""
        if self._reason is None:
            self._asked_at = clock.monotonic()
            self._reason = reason
            self._changed.set()

    def lose(self) -> None:
        self._lost = True
        self._changed.set()

    def unanswered(self, asked: type[SyncworkerError], seconds: float) -> bool:
        """Whether the attempt was asked to end for that reason `seconds` ago, and still owns its end."""
        return isinstance(self.reason, asked) and clock.monotonic() - self._asked_at >= seconds

    def check_claim(self) -> None:
        """Raise LostClaim where the claim is lost, or cannot be trusted any more."""
        if self._lost or clock.monotonic() >= self._trusted_until:
            raise LostClaim("the claim of this run could not be renewed in time")

    def check(self) -> None:
        """Raise where the attempt must end: LostClaim, Cancelled, Stopped or TimedOut."""
        self.check_claim()
        if self._reason is not None:
            raise self._reason

    @property
    def trusted_until(self) -> float:
        """When the claim's trust ends, on the monotonic clock (one for all processes of a machine)."""
        return self._trusted_until

    @property
    def reason(self) -> SyncworkerError | None:
        """Why the attempt should end; None while nobody asked."""
        return LostClaim("the claim of this run was lost") if self._lost else self._reason

    def wait(self, seconds: float) -> None:
        """Wait, but no longer than until somebody asks something."""
        self._changed.wait(seconds)
