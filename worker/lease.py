"""One holder among any number of instances, by a document in MongoDB.

What it does not promise: that two instances never *believe* they hold the lease at once. A process that was frozen
wakes up with an old belief; therefore `trusted()` looks at the monotonic clock, counted from before the request
was sent, and every write that matters is fenced by the token in the database besides.
An error or a time-out never means "I hold it": it means unknown, and trust runs out by itself.
Source: MongoDB findAndModify with `$$NOW`; fencing tokens after Kleppmann (2016); see docs/decisions/0015-the-lease.md.
"""

from __future__ import annotations

import logging
import os
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from worker import clock
from worker.errors import StoreUnavailable
from worker.store.leases import Leases

log = logging.getLogger(__name__)

RENEWALS_PER_TTL = 5
STANDBY_POLL = 0.5


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A term of ours: `trusted_until` on our monotonic clock, `acquired_at` on the server's."""

    token: int
    trusted_until: float
    acquired_at: datetime


class Lease:
    """Driven by `turn()` on a thread of its own; read by anyone through `holding()` and `trusted()`."""

    def __init__(self, leases: Leases, *, instance: str, host: str, ttl: float, gained: Callable[[], None]) -> None:
        if ttl < 1:
            raise ValueError(f"a lease of {ttl} s is too short to be renewed safely; the least is 1 s")
        self._leases = leases
        self._instance = instance
        self._host = host
        self._ttl = ttl
        self._margin = ttl / RENEWALS_PER_TTL
        self._gained = gained
        self._holder = uuid.uuid4().hex
        self._holding: Holding | None = None
        self._unrecorded: int | None = None
        self._lost: int | None = None
        # Why the last turn was not answered; None where it was.
        self.trouble: str | None = None
        # Why this instance does not do what a holder is for, if so: it resigns, and leaves it to another.
        self.unfit: Callable[[], str | None] = lambda: None

    def holding(self) -> Holding | None:
        """Our term while it can be trusted, else None. Look again before every burst of writes."""
        holding = self._holding
        return holding if holding and clock.monotonic() < holding.trusted_until else None

    def trusted(self, token: int) -> bool:
        """Whether the term that `token` began is still ours."""
        holding = self.holding()
        return holding is not None and holding.token == token

    def turn(self) -> float:
        """Renew, or try to acquire; the seconds until the next turn."""
        if why := self.unfit():
            if self._holding:
                log.warning("this instance resigns: %s", why)
            self.release()
            return STANDBY_POLL
        sent = clock.monotonic()
        before = self._holding
        fresh = uuid.uuid4().hex
        try:
            token = before.token if before else None
            term = self._leases.hold(self._holder, fresh, self._instance, token, self._ttl)
        except StoreUnavailable as error:
            if before and not self.holding():
                self._lose(before, f"it could not be renewed ({error})")
            self.trouble = str(error)
            return min(STANDBY_POLL, self._ttl / RENEWALS_PER_TTL / 2)
        self.trouble = None
        self._own_up()
        if term.holder not in (self._holder, fresh):
            if before:
                self._lose(before, "another instance holds it")
            return STANDBY_POLL * random.uniform(0.8, 1.2)
        self._holder = term.holder
        self._holding = Holding(
            token=term.token, trusted_until=sent + self._ttl - self._margin, acquired_at=term.acquired_at
        )
        if before is None or before.token != term.token:
            log.info("this instance leads now (token %d)", term.token)
            self._unrecorded = term.token
            self._gained()
        self._record()
        return self._ttl / RENEWALS_PER_TTL

    def release(self) -> None:
        """End our term at once, so that a standby need not wait for the expiry. No error where we hold none."""
        holding, self._holding = self._holding, None
        if holding is None:
            return
        try:
            if self._leases.release(self._holder, holding.token):
                self._leases.end_term(holding.token, "released")
        except StoreUnavailable as error:
            log.warning("the lease was not released: %s; it expires by itself within %g s", error, self._ttl)

    def _record(self) -> None:
        """Write the term's entry; a failure is made good at the next renewal."""
        if self._unrecorded is None:
            return
        try:
            self._leases.begin_term(
                self._unrecorded, holder=self._holder, instance=self._instance, host=self._host, pid=os.getpid()
            )
        except StoreUnavailable:
            return
        self._unrecorded = None

    def _lose(self, holding: Holding, why: str) -> None:
        self._holding = None
        self._holder = uuid.uuid4().hex
        self._unrecorded = None
        log.warning("this instance leads no more (token %d): %s", holding.token, why)
        self._lost = holding.token
        self._own_up()

    def _own_up(self) -> None:
        """Close a term that was lost, now or when the store answers; where its successor has done so, that stands."""
        if self._lost is None:
            return
        try:
            self._leases.end_term(self._lost, "lost")
        except StoreUnavailable:
            return
        self._lost = None
