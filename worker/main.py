"""Start the worker's services, and stop them in reverse: the composition of this half.

`Worker` runs inside whichever process owns it (the API's, or one of its own through `run`); signals are the
owner's business. It does not listen on any port.
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from dataclasses import replace

from worker import clock, log_fields
from worker import store as stores
from worker.alerter import Alerter
from worker.errors import StoreUnavailable
from worker.expiry import Expiry
from worker.health_port import open_health_port
from worker.jobs_file import JobsFile
from worker.lease import RENEWALS_PER_TTL, Lease
from worker.messenger import Messenger
from worker.networks import networks
from worker.presence import Presence
from worker.pruner import Pruner
from worker.rescuer import Rescuer
from worker.runner import Runner
from worker.scheduler import Scheduler
from worker.service import Service
from worker.settings import WorkerSettings, secret_keys
from worker.store import Store
from worker.vault import Vault
from worker.watchdog import Watchdog

log = logging.getLogger(__name__)

# Enough to connect and ask over a network of 600 ms there and back: what is never long enough fails for ever.
LEAST_HEARTBEAT_TIMEOUT = 1.5
MOST_HEARTBEAT_TIMEOUT = 2.0
# A service that has not turned for this long is reported by `health`.
STALE = 15.0
# So long may one turn of the scheduler take, however much is due, before the instance resigns.
STUCK = 30.0
GOODBYE = 1.0
STARTING = 0.5
COMPLAIN_EVERY = 10.0


class Worker:
    """All loops of one instance. `store` is the process's; the heartbeats have a small client of their own."""

    def __init__(self, settings: WorkerSettings, store: Store, vault: Vault, url: str, *, mode: str) -> None:
        self.instance_id = uuid.uuid4().hex
        log_fields.always(instance=self.instance_id)
        settings = replace(settings, mongo_url=url)
        self._store = store
        period = min(settings.lease_ttl, settings.claim_ttl) / RENEWALS_PER_TTL
        timeout = min(MOST_HEARTBEAT_TIMEOUT, max(LEAST_HEARTBEAT_TIMEOUT, period))
        self._pulse = stores.open(url, settings.mongo_database, app_name="syncworker-pulse", pool=2, timeout=timeout)
        runner = Runner(settings, store, vault, self._pulse.claims, instance=self.instance_id)
        self._runner = runner
        self.lease = Lease(
            self._pulse.leases,
            instance=self.instance_id,
            host=settings.host_name,
            ttl=settings.lease_ttl,
            gained=self._wake_scheduler,
        )
        scheduler = Scheduler(store, self.lease, queued=self.nudge)
        self._presence = Presence(
            store,
            self.instance_id,
            host=settings.host_name,
            mode=mode,
            active=runner.active,
            slots=settings.concurrency,
        )
        self._leading = Service("lease", self.lease.turn)
        self._scheduling = Service("scheduler", scheduler.turn)
        self.lease.unfit = self._unfit
        self._running = Service("runner", runner.turn)
        self._beating = Service("heartbeat", runner.beat)
        runner.slot_freed = self._running.wake
        runner.hold_off = lambda: scheduler.swamped or self._presence.draining
        rescuer = Rescuer(store, queued=self.nudge)
        presence = Service("presence", self._presence.turn)
        self._others = [
            Service("rescuer", rescuer.turn),
            Service("watchdog", Watchdog(store, rescue=rescuer.turn).turn),
            presence,
            Service("pruner", Pruner(store, settings.retention_days, Expiry(store, vault)).turn),
        ]
        self._messenger = Messenger(
            store,
            vault,
            instance=self.instance_id,
            networks=networks(os.environ),
            public_url=settings.public_url,
        )
        messages = Service("messages", self._messenger.turn)
        self._others += [Service("alerts", Alerter(store, self.lease, vault, told=messages.wake).turn), messages]
        if settings.jobs_file is not None:
            watched = JobsFile(settings.jobs_file, store, vault, instance=self.instance_id, heard=presence.wake)
            self._presence.jobs_file = watched.told
            self._others.append(Service("jobs file", watched.turn))
        self._starting = Service("start", self._start_loops)
        self._started = False
        self._refused_since = clock.monotonic()

    def start(self) -> None:
        """Begin; returns at once. The loops start when the database answers and its indexes stand."""
        self._starting.start()

    def health(self) -> list[str]:
        """Reasons why this worker is not ready; empty when all its loops turn."""
        if not self._started:
            return ["the worker waits for the database"]
        reasons = [f"{service.name} has not turned for {service.stale_for:.0f} s" for service in self.stuck()]
        reasons += [f"{service.name} has ended" for service in self._services() if not service.alive]
        told = {"lease": self.lease.trouble} | {service.name: service.trouble for service in self._services()[1:]}
        away = [f"{name}: {trouble}" for name, trouble in told.items() if trouble]
        return reasons + away[:1]  # MongoDB answers, but does not take what the loops write: a full disk, no primary

    def nudge(self) -> None:
        """Look for queued runs now: one was just queued in this process."""
        self._running.wake()

    def stop(self, grace: float, hurry: threading.Event) -> None:
        """Stop in reverse. Lease first, nothing new claimed, runs to a checkpoint within `grace`, then the rest.

        `hurry` hands the runs back at once. Heartbeats last until the last run ended.
        """
        deadline = clock.monotonic() + grace
        self._starting.stop()
        self._starting.join(GOODBYE)
        if not self._started:
            self._pulse.close()
            return
        for service in (self._scheduling, self._leading, self._running):
            service.stop()
        self._leading.join(GOODBYE)
        self.lease.release()
        self._runner.drain()
        self._running.join(GOODBYE)  # a claim that was on its way becomes an attempt that is handed back
        if not self._runner.wait_idle(deadline - clock.monotonic(), hurry):
            self._runner.hand_back()
        for service in (self._beating, *self._others):
            service.stop()
        goodbye = clock.monotonic() + GOODBYE
        for service in self._services():
            service.join(max(0.0, goodbye - clock.monotonic()))
        self._messenger.stop(goodbye - clock.monotonic())
        try:
            self._presence.leave()
        except StoreUnavailable:
            pass  # it is forgotten by itself
        self._pulse.close()

    def _unfit(self) -> str | None:
        """Why this instance should not lead: it was asked to take nothing more, or its scheduler's loop is stuck."""
        if self._presence.draining:
            return "it drains"
        return "its scheduler is stuck" if self._scheduling.stale_for > STUCK else None

    def _wake_scheduler(self) -> None:
        self._scheduling.wake()

    def _services(self) -> list[Service]:
        return [self._leading, self._scheduling, self._running, self._beating, *self._others]

    def stuck(self) -> list[Service]:
        """Loops that should turn and do not; none before the database answered first."""
        services = self._services() if self._started else []
        return [service for service in services if service.stale_for > STALE]

    def _start_loops(self) -> float:
        try:
            self._store.ensure_indexes()
            if not self._store.replica_set():
                log.warning(
                    "MongoDB runs standalone: no transactions and no retryable writes; "
                    "a replica set (one member is enough) is safer"
                )
        except StoreUnavailable as error:
            if clock.monotonic() >= self._refused_since:
                log.warning("%s; the worker starts by itself when it does", error)
                self._refused_since = clock.monotonic() + COMPLAIN_EVERY
            return STARTING
        if self._starting.stopping:
            return 0.0
        for service in self._services():
            service.start()
        self._started = True
        self._starting.stop()
        return 0.0


def run(settings: WorkerSettings, stop: threading.Event, hurry: threading.Event) -> int:
    """The worker as a process of its own, until `stop` is set; the exit code."""
    assert settings.mongo_url is not None  # the caller resolved the embedded database
    store = stores.open(settings.mongo_url, settings.mongo_database)
    worker = Worker(settings, store, Vault(secret_keys(settings)), settings.mongo_url, mode="worker")

    def reasons() -> list[str]:
        try:
            store.ping()
        except StoreUnavailable as error:
            return [str(error)]
        return worker.health()

    health = open_health_port(settings.health_port, reasons) if settings.health_port else None
    worker.start()
    log.info("worker started (instance %s)", worker.instance_id)
    stop.wait()
    worker.stop(settings.shutdown_grace, hurry)
    if health:
        health.shutdown()
    store.close()
    return 0
