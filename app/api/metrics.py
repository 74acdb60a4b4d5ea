"""Prometheus text: what the database says of the whole, and what this process counted.

Everything that instances share is read from the database at the moment of asking: any instance tells the same. The
table of all metrics is `worker.metrics`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector
from starlette.responses import Response

from app.api.context import Context
from app.api.operation import Ask
from worker import __version__, metrics
from worker.errors import StoreUnavailable
from worker.finding import Kind
from worker.metrics import Metric
from worker.run import RunState
from worker.watchdog import findings


class _Shared(Collector):
    """What the database says, and what can be said without it."""

    def __init__(self, context: Context, listeners: int) -> None:
        self._context = context
        self._listeners = listeners

    def collect(self) -> Iterator[Family]:
        yield _labelled(metrics.INFO, [((__version__,), 1)])
        yield _plain(metrics.LISTENERS, self._listeners)
        try:
            found = list(self._stored())
        except StoreUnavailable:
            yield _plain(metrics.DATABASE_UP, 0)
            return
        yield _plain(metrics.DATABASE_UP, 1)
        yield from found

    def _stored(self) -> Iterator[Family]:
        store, worker = self._context.store, self._context.worker
        now = store.now()
        counts = store.watch.counts()
        yield _labelled(metrics.RUNS, [((state,), count) for state, count in counts.items()])
        yield _plain(metrics.QUEUE_DEPTH, counts[str(RunState.QUEUED)])
        ready = [since for since, _ in store.watch.waiting_since(now)]
        yield _plain(metrics.QUEUE_AGE, _seconds(now, min(ready)) if ready else 0)
        lease = store.leases.current()
        live = bool(lease and lease["live"])
        here = live and worker is not None and lease is not None and lease["instance"] == worker.instance_id
        yield _plain(metrics.LEASE_HELD, live)
        yield _plain(metrics.LEASE_HERE, here)
        yield _plain(metrics.LEASE_TOKEN, lease["token"] if lease else 0)
        wrong = Counter(finding.kind for finding in findings(store))
        yield _labelled(metrics.WARNINGS, [((str(kind),), wrong[kind]) for kind in Kind])
        yield _plain(metrics.ALERTS_WAITING, store.alert_events.waiting())
        yield _plain(metrics.INSTANCES, sum(1 for instance in store.instances.list() if instance["live"]))
        jobs = store.watch.enabled()
        yield _labelled(metrics.JOBS, [((str(enabled).lower(),), jobs[enabled]) for enabled in (True, False)])
        ages = store.watch.stalest(metrics.MOST_AGES)
        yield _labelled(metrics.DATA_TIMESTAMP, [((job_id,), moment.timestamp()) for job_id, moment in ages])


def scrape(ask: Ask[Any, None]) -> Response:
    """Runs, queue, lease, rows, lateness, the age of data, and figures of the process, as Prometheus text."""
    registry = CollectorRegistry()
    registry.register(_Shared(ask.context, ask.request.app.state.feed.listeners))
    text = generate_latest(registry) + metrics.own_text()
    return Response(text, headers={"Content-Type": metrics.MEDIA_TYPE, "Cache-Control": "no-store"})


def _plain(metric: Metric, value: float) -> Family:
    return GaugeMetricFamily(metric.name, metric.words, value)


def _labelled(metric: Metric, samples: Iterable[tuple[tuple[str, ...], float]]) -> Family:
    family = GaugeMetricFamily(metric.name, metric.words, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _seconds(now: datetime, then: datetime) -> float:
    return max(0.0, (now - then).total_seconds())
