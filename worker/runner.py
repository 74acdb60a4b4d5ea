"""Claims queued runs while slots are free, and keeps the claims of those that run here.

Two loops: `turn` claims and starts an attempt on a thread of its own; `beat` renews every claim about once a second,
stores progress, and brings back what a person asked (cancel). An attempt that hangs and does not end when it is told
to is abandoned: its end is recorded, its slot is free, and whatever its thread still does is fenced off.
What it does not promise: fairness between instances, nor the end of a thread that hangs; only a process can be killed.
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
from worker.log_fields import bind
from worker.metrics import COUNTERS, START_DELAY, Tally
from worker.settings import WorkerSettings
from worker.signals import Signals
from worker.store import Store
from worker.store.claims import Claims, Ending
from worker.store.client import Document
from worker.vault import Vault

log = logging.getLogger(__name__)

POLL = 0.7
BEAT = 0.5
# A cancel reaches a run within two seconds; an attempt that timed out may finish the batch that it is writing.
CANCEL_PATIENCE = 0.9
TIMEOUT_PATIENCE = 3.0


def _note_delay(run: Document) -> None:
    """How long a new run waited before this instance took it; one that is tried again waited for its time."""
    if not run["attempts"]:
        COUNTERS.observe(START_DELAY, (run["attempt_started_at"] - run["queued_at"]).total_seconds())


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
        self._tallies: dict[str, Tally] = {}
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._draining = False
        self._in_doubt = False
        self.slot_freed: Callable[[], None] = lambda: None
        self.hold_off: Callable[[], bool] = lambda: False

    def active(self) -> list[str]:
        """Ids of the runs that this instance works on."""
        with self._lock:
            return list(self._attempts)

    def turn(self) -> float:
        """Claim and start what the free slots allow; the seconds until the next look."""
        while not (self._draining or self.hold_off()) and len(self.active()) < self._slots:
            if self._in_doubt:
                self._store.claims.give_back(self._instance, self.active())
            sent = clock.monotonic()
            self._in_doubt = True  # while the answer is not here, a run may be ours without our knowing
            run = self._store.claims.claim(self._instance, self._ttl)
            self._in_doubt = False
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
            self._tallies[attempt.run_id] = Tally(attempt.job_id, run["progress"])
        _note_delay(run)
        if self._draining:
            attempt.signals.ask(_shutting_down())
        name = f"run {attempt.job_id} {attempt.run_id[:8]}"
        threading.Thread(target=self._work, args=(attempt, attempt.execute), name=name, daemon=True).start()

    def _attempt(self, run: Document, signals: Signals) -> Attempt | IsolatedAttempt:
        if self._settings.isolation == "process":
            return IsolatedAttempt(run, self._store, self._vault, signals, self._settings)
        return Attempt(run, self._store, self._vault, signals)

    def beat(self) -> float:
        """Renew each claim, store progress, hear of cancels; the seconds until the next beat."""
        with self._lock:
            attempts = list(self._attempts.values())
        for attempt in attempts:
            try:
                self._beat(attempt)
            except Exception:  # what one run says or counts must not cost another its claim
                log.exception("run %s of %s: its claim was not renewed", attempt.run_id, attempt.job_id)
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
            if isinstance(attempt, IsolatedAttempt):
                attempt.kill()
            try:
                reason = "interrupted: its instance shut down before it reached a checkpoint"
                ending = Ending(progress=attempt.progress(), reason=reason)
                self._pulse.requeue(attempt.run_id, attempt.token, "interrupted", ending, give_back=True)
            except StoreUnavailable as error:
                log.warning("run %s was not handed back: %s; its claim expires by itself", attempt.run_id, error)

    def _trust(self, sent: float) -> float:
        return sent + self._ttl - self._ttl / 5

    def _work(self, attempt: Attempt | IsolatedAttempt, deed: Callable[[], None]) -> None:
        try:
            with bind(run=attempt.run_id, job=attempt.job_id, attempt=attempt.number, instance=self._instance):
                deed()
        finally:
            tally = None
            with self._idle:
                if self._attempts.get(attempt.run_id) is attempt:  # else it was abandoned, and may be here again
                    del self._attempts[attempt.run_id]
                    started, tally = self._started.pop(attempt.run_id), self._tallies.pop(attempt.run_id)
                self._idle.notify_all()
            if tally:
                tally.ended(attempt.progress(), attempt.outcome, clock.monotonic() - started)
            self.slot_freed()

    def _abandon(self, attempt: Attempt) -> None:
        reason = attempt.signals.reason
        assert reason is not None  # it is what the attempt does not answer
        heir = attempt.heir()
        log.warning("run %s of %s: %s; its thread does not answer", attempt.run_id, attempt.job_id, reason)
        name = f"end {attempt.job_id} {attempt.run_id[:8]}"

        def deed() -> None:
            heir.end_as(reason)
            attempt.outcome = heir.outcome

        threading.Thread(target=self._work, args=(attempt, deed), name=name, daemon=True).start()

    def _beat(self, attempt: Attempt | IsolatedAttempt) -> None:
        started = self._started.get(attempt.run_id)
        sent = clock.monotonic()
        if attempt.timeout and started is not None and sent - started > attempt.timeout:
            attempt.signals.ask(TimedOut(f"the job's timeout of {attempt.timeout:g} s is used up"))
        progress = attempt.progress()
        if tally := self._tallies.get(attempt.run_id):
            tally.moved(progress)
        try:
            after = self._pulse.beat(attempt.run_id, attempt.token, self._ttl, progress)
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
        signals = attempt.signals
        hangs = signals.unanswered(Cancelled, CANCEL_PATIENCE) or signals.unanswered(TimedOut, TIMEOUT_PATIENCE)
        if hangs and isinstance(attempt, Attempt):
            self._abandon(attempt)
