"""Every metric in one table, and the counters of this process.

What instances share is `shared`: read from the database by whoever is asked, so that each tells the same. The rest is
counted here, since this process began; `rate()` and `increase()` bear restarts. It serves nothing: `app.api.metrics`
and `worker.health_port` do. See docs/decisions/0026-one-table-of-metrics.md.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call]

# A job's id is a label: beyond so many jobs that ran in this process, all others are counted as one.
MOST_JOBS = 1000
OTHERS = "(others)"
# How old data is told for so many jobs, the stalest first.
MOST_AGES = 1000

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_WAITS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
_LASTS = (0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 14_400.0, 43_200.0)


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One row. The unit is the name's last word (`_seconds`, `_bytes`), before `_total` where it is a counter."""

    name: str
    kind: Kind
    words: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    shared: bool = False


def _shared(name: str, words: str, *labels: str, kind: Kind = Kind.GAUGE) -> Metric:
    return Metric(name=name, kind=kind, words=words, labels=labels, shared=True)


def _counter(name: str, words: str, *labels: str) -> Metric:
    return Metric(name=name, kind=Kind.COUNTER, words=words, labels=labels)


def _histogram(name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    return Metric(name=name, kind=Kind.HISTOGRAM, words=words, labels=labels, buckets=buckets)


INFO = Metric(name="syncworker_info", kind=Kind.GAUGE, words="1, with the version as a label.", labels=("version",))
DATABASE_UP = Metric(name="syncworker_database_up", kind=Kind.GAUGE, words="1 while MongoDB answers this process.")
LISTENERS = Metric(name="syncworker_event_listeners", kind=Kind.GAUGE, words="Open streams of events in this process.")
LEASE_HERE = Metric(
    name="syncworker_lease_held_here",
    kind=Kind.GAUGE,
    words="1 while the worker in this process holds the scheduler's lease.",
)

RUNS = _shared("syncworker_runs", "Runs that are kept, by state.", "state")
QUEUE_DEPTH = _shared("syncworker_queue_depth", "Runs that are queued.")
QUEUE_AGE = _shared("syncworker_queue_age_seconds", "How long the run that waits longest has been ready to start.")
JOBS = _shared("syncworker_jobs", "Jobs, by whether they are enabled.", "enabled")
DATA_TIMESTAMP = _shared(
    "syncworker_job_data_timestamp_seconds",
    "As of when (since 1970) the data is that a job brought; the stalest 1,000 enabled jobs.",
    "job_id",
)
LEASE_HELD = _shared("syncworker_lease_held", "1 while any instance holds the scheduler's lease.")
LEASE_TOKEN = _shared("syncworker_lease_token", "The lease's token; it grows by one with every term.")
WARNINGS = _shared("syncworker_warnings", "What the watchdog finds wrong, by kind.", "kind")
INSTANCES = _shared("syncworker_instances", "Instances that were seen within 30 s.")
ALERTS_WAITING = _shared("syncworker_alert_events_waiting", "Events of alerts that are not sent yet.")

ATTEMPTS = _counter(
    "syncworker_attempts_total",
    "Attempts of runs that ended here: succeeded, failed, cancelled and held end the run; retried, interrupted and "
    "lost do not.",
    "job_id",
    "outcome",
)
ROWS_READ = _counter("syncworker_rows_read_total", "Rows read from sources.", "job_id")
ROWS_WRITTEN = _counter("syncworker_rows_written_total", "Rows written to destinations.", "job_id")
ROWS_DELETED = _counter("syncworker_rows_deleted_total", "Rows deleted at destinations.", "job_id")
BYTES_MOVED = _counter("syncworker_moved_bytes_total", "Bytes of rows moved, as the sources estimate them.", "job_id")
ATTEMPT_SECONDS = _histogram("syncworker_attempt_duration_seconds", "How long attempts lasted.", _LASTS, "outcome")
START_DELAY = _histogram(
    "syncworker_start_delay_seconds", "From when a run was queued until an instance took it for the first time.", _WAITS
)
LATENESS = _histogram(
    "syncworker_fire_lateness_seconds", "From a fire time until its run was queued, by the instance that leads.", _WAITS
)
STORE_SECONDS = _histogram(
    "syncworker_store_command_duration_seconds",
    "How long MongoDB took to answer the program's own commands.",
    _QUICK,
    "command",
)
STORE_FAILURES = _counter(
    "syncworker_store_command_failures_total", "Commands of the program's own that MongoDB did not answer.", "command"
)
ALERT_MESSAGES = _counter(
    "syncworker_alert_messages_total",
    "Messages of alerts that this process tried to send, by what came of it.",
    "result",
)

METRICS: tuple[Metric, ...] = (
    *(INFO, DATABASE_UP, RUNS, QUEUE_DEPTH, QUEUE_AGE, JOBS, DATA_TIMESTAMP, LEASE_HELD, LEASE_HERE, LEASE_TOKEN),
    *(WARNINGS, INSTANCES, LISTENERS, ATTEMPTS, ROWS_READ, ROWS_WRITTEN, ROWS_DELETED, BYTES_MOVED, ATTEMPT_SECONDS),
    *(START_DELAY, LATENESS, STORE_SECONDS, STORE_FAILURES, ALERTS_WAITING, ALERT_MESSAGES),
)

# Commands that the program sends; whatever else its driver does is one more label, not one each.
COMMANDS = frozenset(("find", "aggregate", "insert", "update", "delete", "findAndModify", "getMore", "hello"))
OTHER_COMMAND = "other"


def _made(metric: Metric, registry: CollectorRegistry) -> Counter | Histogram:
    if metric.kind is Kind.COUNTER:
        return Counter(metric.name, metric.words, metric.labels, registry=registry)
    return Histogram(metric.name, metric.words, metric.labels, buckets=metric.buckets, registry=registry)


class Counters:
    """The counted metrics of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counted = [metric for metric in METRICS if metric.kind is not Kind.GAUGE]
        self._made = {metric.name: _made(metric, self.registry) for metric in counted}
        self._jobs: set[str] = set()
        self._lock = threading.Lock()

    def count(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        if amount > 0:
            self._labelled(metric, labels).inc(amount)

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        self._labelled(metric, labels).observe(max(0.0, value))

    def _labelled(self, metric: Metric, labels: Mapping[str, str]) -> Any:
        made = self._made[metric.name]
        if "job_id" in labels:
            labels = {**labels, "job_id": self._known(labels["job_id"])}
        return made.labels(**labels) if labels else made

    def _known(self, job_id: str) -> str:
        with self._lock:
            if job_id not in self._jobs and len(self._jobs) >= MOST_JOBS:
                return OTHERS
            self._jobs.add(job_id)
            return job_id


COUNTERS = Counters()
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def own_text() -> bytes:
    """What this process counted, and its own figures, as Prometheus text."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return generate_latest(COUNTERS.registry) + generate_latest(registry)


def command(name: str) -> str:
    """The label of a command of MongoDB."""
    return name if name in COMMANDS else OTHER_COMMAND


class Tally:
    """What one attempt moves, counted as it goes: `before` is the progress of the run when the attempt began."""

    _FIELDS = (("read", ROWS_READ), ("written", ROWS_WRITTEN), ("deleted", ROWS_DELETED), ("bytes", BYTES_MOVED))

    def __init__(self, job_id: str, before: Mapping[str, Mapping[str, Any]], counters: Counters = COUNTERS) -> None:
        self._job_id = job_id
        self._before = {name: dict(stream) for name, stream in before.items()}
        self._counters = counters
        self._lock = threading.Lock()

    def moved(self, progress: Mapping[str, Mapping[str, Any]]) -> None:
        """Count what came since the last call. A stream that began anew counts from nothing."""
        with self._lock:
            for name, stream in progress.items():
                before = self._before.get(name, {})
                anew = stream.get("read", 0) < before.get("read", 0)
                for field, metric in self._FIELDS:
                    now, then = stream.get(field) or 0, 0 if anew else before.get(field) or 0
                    self._counters.count(metric, now - then, job_id=self._job_id)
                self._before[name] = dict(stream)

    def ended(self, progress: Mapping[str, Mapping[str, Any]], outcome: str, seconds: float) -> None:
        self.moved(progress)
        self._counters.count(ATTEMPTS, job_id=self._job_id, outcome=outcome)
        self._counters.observe(ATTEMPT_SECONDS, seconds, outcome=outcome)
