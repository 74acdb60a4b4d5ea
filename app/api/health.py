"""Whether this process answers, is ready, and what it is in the middle of."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import Any

from app.api import runs
from app.api.context import Context
from app.api.operation import Answer, Ask
from app.api.wire import Lease, NextFireTime, Readiness, Status, Warning, document
from worker import __version__
from worker.errors import StoreUnavailable
from worker.run import RunState
from worker.watchdog import findings

# `/readyz` says no within 3 s, whatever the driver does; threads of its own, since the others may all be waiting.
PATIENCE = 2.0
SHOWN = 10

_pings = concurrent.futures.ThreadPoolExecutor(max_workers=4, thread_name_prefix="readiness")


def healthz(ask: Ask[Any, None]) -> Readiness:
    """200 while this process can answer."""
    return Readiness(ready=True, reasons=[])


async def readyz(ask: Ask[Any, None]) -> Answer:
    """200 when MongoDB answers and, where the worker is inside, its loops turn; else 503 with the reasons."""
    reasons = await reasons_of(ask.context)
    return Answer(shape=Readiness(ready=not reasons, reasons=reasons), status=503 if reasons else 200)


async def reasons_of(context: Context) -> list[str]:
    """Why this process is not ready; empty when it is."""
    if context.stopping.is_set():
        return ["this process is stopping"]
    reasons = []
    try:
        pinged = asyncio.wrap_future(_pings.submit(context.store.ping))
        await asyncio.wait_for(pinged, PATIENCE)
    except StoreUnavailable as error:
        reasons.append(str(error))
    except TimeoutError:
        reasons.append(f"MongoDB does not answer within {PATIENCE} s")
    if context.worker is not None:
        reasons += context.worker.health()
    elif context.settings.worker_inside:
        reasons.append("the worker that belongs inside has not started")
    return reasons


def status(ask: Ask[Any, None]) -> Status:
    """Version, this instance, the lease, the queue, what runs, what is next, and what is wrong."""
    return status_of(ask.context)


def status_of(context: Context) -> Status:
    """What `status` answers; the command line asks for it too."""
    store = context.store
    lease = store.leases.current()
    counts = store.runs.counts()
    running = store.runs.list(states=[str(RunState.RUNNING)], limit=SHOWN)
    return Status(
        version=__version__,
        mode="production" if context.settings.worker.production else "development",
        instance=context.worker.instance_id if context.worker else None,
        lease=Lease.model_validate(document(lease)) if lease else None,
        queue=counts,
        queue_depth=counts[str(RunState.QUEUED)],
        running=runs.shapes(running),
        next_fire_times=[
            NextFireTime(job_id=job_id, fire_time=moment) for job_id, moment in store.jobs.next_fire_times(SHOWN)
        ],
        warnings=[Warning.model_validate(vars(finding)) for finding in findings(store)],
    )
