"""`run JOB`: one run of a job now, in this process, watched to its end. No server has to be there.

A job runs once at a time: where a live instance works on it, this says so and leaves it alone; a run that a dead
instance left behind is waited for until its claim expires, and taken over.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.api import runs as run_shapes
from app.terminal import Progress, print_json, summary
from app.verbs.declare import read
from app.verbs.leftover import Leftover
from app.verbs.recording import recorded
from app.verbs.session import Session, session
from worker import apply as applying
from worker.errors import BadInput, Fault, JobActive
from worker.foreground import Foreground
from worker.run import RunState

SUCCEEDED, FAILED, HELD = 0, 1, 4


def run(job_id: str, file: str | None, *, as_json: bool) -> int:
    """Apply the job of `file` first, where one is given. Raises NotFound, BadInput, JobActive, Conflict."""
    progress = Progress(sys.stderr if as_json else sys.stdout)
    with session() as here, interruptible() as stop:
        if file is not None:
            _declare(here, job_id, file)
        here.store.jobs.get(job_id)
        held = here.store.runs.held(job_id)
        if held:
            print(f"run {held['_id']} of {job_id} is held; approve or discard it first", file=sys.stderr)
            return HELD
        leftover = Leftover(here.store, job_id, here.settings.host_name, tell=progress.tell)
        while True:
            queued = leftover.wait(stop)
            if stop.is_set():
                return FAILED
            try:
                here_and_now = Foreground(here.settings, here.store, here.vault)
                ended = here_and_now.run(job_id, watch=recorded(here, "run", progress), stop=stop, queued=queued)
                break
            except JobActive:
                continue  # somebody queued one between our look and our try: look again
        progress.clear()
    if as_json:
        print_json(run_shapes.shape(ended))
    else:
        print(summary(ended))
    return _told(ended["state"], (ended["error"] or {}).get("message") or ended["reason"], ended["_id"])


def _told(state: str, why: str | None, run_id: str) -> int:
    """The exit code; what went wrong goes to standard error."""
    if state == RunState.SUCCEEDED:
        return SUCCEEDED
    if why:
        print(f"syncworker: {state}: {why}", file=sys.stderr)
    if state == RunState.HELD:
        print(f"syncworker: let it go on with `syncworker approve {run_id}`, or discard it", file=sys.stderr)
        return HELD
    print(f"syncworker: its log is `syncworker logs {run_id}`", file=sys.stderr)
    return FAILED


def _declare(here: Session, job_id: str, file: str) -> None:
    declared = read(file)
    one = declared.only(job_id)
    if one is None:
        names = ", ".join(sorted(declared.jobs)) or "none"
        raise BadInput([Fault(field="JOB", message=f"is {job_id!r}, which is not in {file}; its jobs: {names}")])
    applying.record(here.store, here.who, applying.apply(here.store, here.vault, one))


@contextmanager
def interruptible(*more: signal.Signals) -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM (and `more`) set; a second one ends the process in the usual way."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, *more)
    before = {number: signal.getsignal(number) for number in numbers}

    def noted(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in numbers:
        signal.signal(number, noted)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
