"""Prometheus text: runs by state, the queue, the lease, this process.

Everything that instances share is read from the database at the moment of asking: any instance tells the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from app.api.context import Context
from app.api.operation import Ask
from worker import __version__
from worker.errors import StoreUnavailable
from worker.finding import Kind
from worker.run import RunState
from worker.watchdog import findings

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Shared(Collector):
    """What the database says."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("syncworker", "Version.", {"version": __version__})
        try:
            found = list(self._stored())
        except StoreUnavailable:
            yield _gauge("syncworker_database_up", "1 while MongoDB answers.", 0)
            return
        yield _gauge("syncworker_database_up", "1 while MongoDB answers.", 1)
        yield from found

    def _stored(self) -> Iterator[Metric]:
        store, worker = self._context.store, self._context.worker
        counts = store.watch.counts()
        states = GaugeMetricFamily("syncworker_runs", "Runs that are kept, by state.", labels=["state"])
        for state, count in counts.items():
            states.add_metric([state], count)
        yield states
        yield _gauge("syncworker_queue_depth", "Runs that wait for a free slot.", counts[str(RunState.QUEUED)])
        lease = store.leases.current()
        live = bool(lease and lease["live"])
        here = live and worker is not None and lease is not None and lease["instance"] == worker.instance_id
        yield _gauge("syncworker_lease_held", "1 while any instance holds the scheduler's lease.", live)
        yield _gauge("syncworker_lease_held_here", "1 while the worker in this process holds it.", here)
        yield _gauge("syncworker_lease_token", "The lease's token; it grows with every term.", _token(lease))
        wrong = Counter(finding.kind for finding in findings(store))
        warnings = GaugeMetricFamily("syncworker_warnings", "What the watchdog finds wrong, by kind.", labels=["kind"])
        for kind in Kind:
            warnings.add_metric([str(kind)], wrong[kind])
        yield warnings
        yield _gauge("syncworker_instances", "Instances seen within 30 s.", _live(store.instances.list()))


def metrics(ask: Ask[Any, None]) -> Response:
    """Runs by state, queue, lease and process figures as Prometheus text."""
    registry = CollectorRegistry()
    registry.register(_Shared(ask.context))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return Response(generate_latest(registry), headers={"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"})


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)


def _token(lease: dict[str, Any] | None) -> int:
    return lease["token"] if lease else 0


def _live(instances: list[dict[str, Any]]) -> int:
    return sum(1 for instance in instances if instance["live"])
