"""Claims queued runs while slots are free, and keeps the claims of those that run here.

Two loops: `turn` claims and starts an attempt on a thread of its own; `beat` renews every claim about once a second,
stores progress, and brings back what a person asked (cancel). What it does not promise: fairness between instances.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable

from worker import clock
from worker.attempt import Attempt
from worker.errors import Cancelled, Stopped, StoreUnavailable, TimedOut
from worker.isolation import IsolatedAttempt
from worker.settings import WorkerSettings
from worker.signals import Signals
from worker.store import Store
from worker.store.claims import Claims, Ending
from worker.store.client import Document
from worker.vault import Vault

log = logging.getLogger(__name__)

POLL = 0.7
BEAT = 1.0


def _shutting_down() -> Stopped:
    return Stopped("this instance is shutting down")


class Runner:
    """`pulse` goes over the small client of the heartbeats, so that no full pool starves a renewal."""

    def __init__(self, settings: WorkerSettings, store: Store, vault: Vault, pulse: Claims, *, instance: str) -> None:
        self._settings = settings
        self._ttl = settings.claim_ttl
        self._slots = settings.concurrency
        self._instance = instance
        self._store = store
        self._vault = vault
        self._pulse = pulse
        self._attempts: dict[str, Attempt | IsolatedAttempt] = {}
        self._started: dict[str, float] = {}
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._draining = False
        self.slot_freed: Callable[[], None] = lambda: None

    def active(self) -> list[str]:
        """Ids of the runs that this instance works on."""
        with self._lock:
            return list(self._attempts)

    def turn(self) -> float:
        """Claim and start what the free slots allow; the seconds until the next look."""
        while not self._draining and len(self.active()) < self._slots:
            sent = clock.monotonic()
            run = self._store.claims.claim(self._instance, self._ttl)
            if run is None:
                break
            self.start(run, sent)
        return POLL * random.uniform(0.75, 1.25)

    def start(self, run: Document, sent: float) -> None:
        """Begin an attempt of a run that was claimed by a request sent at `sent` (monotonic)."""
        attempt = self._attempt(run, Signals(self._trust(sent)))
        with self._lock:
            self._attempts[attempt.run_id] = attempt
            self._started[attempt.run_id] = sent
        if self._draining:
            attempt.signals.ask(_shutting_down())
        name = f"run {attempt.job_id} {attempt.run_id[:8]}"
        threading.Thread(target=self._work, args=(attempt,), name=name, daemon=True).start()

    def _attempt(self, run: Document, signals: Signals) -> Attempt | IsolatedAttempt:
        if self._settings.isolation == "process":
            return IsolatedAttempt(run, self._store, self._vault, signals, self._settings)
        return Attempt(run, self._store, self._vault, signals)

    def beat(self) -> float:
        """Renew each claim, store progress, hear of cancels; the seconds until the next beat."""
        with self._lock:
            attempts = list(self._attempts.values())
        for attempt in attempts:
            self._beat(attempt)
        return min(BEAT, self._ttl / 5)

    def drain(self) -> None:
        """Claim nothing more and ask every attempt to end at its next batch edge."""
        with self._lock:
            self._draining = True
            for attempt in self._attempts.values():
                attempt.signals.ask(_shutting_down())

    def wait_idle(self, seconds: float, hurry: threading.Event) -> bool:
        """Wait until no attempt runs here; False where `seconds` passed, or `hurry` was set, before that."""
        until = clock.monotonic() + seconds
        with self._idle:
            while self._attempts and clock.monotonic() < until and not hurry.is_set():
                self._idle.wait(0.1)
            return not self._attempts

    def hand_back(self) -> None:
        """Queue again what still runs here, without waiting for it: its claim ends, its late writes are fenced off."""
        with self._lock:
            attempts = list(self._attempts.values())
        for attempt in attempts:
            attempt.signals.lose()
            try:
                reason = "interrupted: its instance shut down before it reached a checkpoint"
                ending = Ending(progress=attempt.progress(), reason=reason)
                self._pulse.requeue(attempt.run_id, attempt.token, "interrupted", ending, give_back=True)
            except StoreUnavailable as error:
                log.warning("run %s was not handed back: %s; its claim expires by itself", attempt.run_id, error)

    def _trust(self, sent: float) -> float:
        return sent + self._ttl - self._ttl / 5

    def _work(self, attempt: Attempt | IsolatedAttempt) -> None:
        try:
            attempt.execute()
        finally:
            with self._idle:
                self._attempts.pop(attempt.run_id, None)
                self._started.pop(attempt.run_id, None)
                self._idle.notify_all()
            self.slot_freed()

    def _beat(self, attempt: Attempt | IsolatedAttempt) -> None:
        started = self._started.get(attempt.run_id)
        sent = clock.monotonic()
        if attempt.timeout and started is not None and sent - started > attempt.timeout:
            attempt.signals.ask(TimedOut(f"the job's timeout of {attempt.timeout:g} s is used up"))
        try:
            after = self._pulse.beat(attempt.run_id, attempt.token, self._ttl, attempt.progress())
        except StoreUnavailable:
            return  # unknown: trust runs out by itself
        if after is None:
            if attempt.run_id in self.active():
                attempt.signals.lose()
            return
        attempt.signals.trust_until(self._trust(sent))
        if after["cancel"]:
            attempt.signals.ask(Cancelled(f"cancelled by {after['cancel']['by']}"))
        attempt.flush_log()
