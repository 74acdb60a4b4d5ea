"""`run JOB --dry-run`: what the next run would do, printed; nothing is written, not even what `--file` says."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

from app.api import dry_runs as shapes
from app.api.wire import StreamOutlook
from app.terminal import print_json
from app.verbs.declare import read
from app.verbs.run import interruptible
from app.verbs.session import Session, session
from worker import clock
from worker.connection import Connection
from worker.declaration import secret_fields
from worker.dry_run import Asked, DryRun
from worker.errors import BadInput, Cancelled, Fault
from worker.job import Job
from worker.logs import redact

FINE, WRONG, HELD = 0, 1, 4
_SHOWN = 3
_LONGEST = 200
_REFERENCE = re.compile(r"\$\{(\w+)\}")


def dry_run(job_id: str, file: str | None, *, stream: str | None = None, as_json: bool = False) -> int:
    """Look, and print what was found; 0 where it would run, 1 where a stream could not, 4 where it would be held.

    Raises NotFound, BadInput, Cancelled after Ctrl-C.
    """
    with session() as here, interruptible() as stop:
        saved = here.store.jobs.find(job_id)
        job, connections = _said(here, job_id, file)
        begun = clock.monotonic()
        looking = DryRun(job, saved, here.store, here.vault, connections=connections)
        found = looking.look(Asked(stream=stream), _check(stop))
        shape = shapes.shape(found, clock.monotonic() - begun)
    if as_json:
        print_json(shape)
    else:
        for name, one in shape.streams.items():
            _print(name, one)
        print("nothing was written")
    if any(one.error for one in shape.streams.values()):
        return WRONG
    return HELD if any(one.would_hold for one in shape.streams.values()) else FINE


def _check(stop: threading.Event) -> Callable[[], None]:
    def check() -> None:
        if stop.is_set():
            raise Cancelled("cancelled by the terminal")

    return check


def _said(here: Session, job_id: str, file: str | None) -> tuple[Job, dict[str, Connection]]:
    """The job, saved or of the file, and the connections that the file says."""
    if file is None:
        return here.store.jobs.get(job_id), {}
    declared = read(file)
    one = declared.only(job_id)
    if one is None:
        names = ", ".join(sorted(declared.jobs)) or "none"
        raise BadInput([Fault(field="JOB", message=f"is {job_id!r}, which is not in {file}; its jobs: {names}")])
    return one.jobs[job_id], {id: _keeping(here, wanted) for id, wanted in one.connections.items()}


def _keeping(here: Session, wanted: Connection) -> Connection:
    """As `apply` would save it: what export printed in place of a secret stands for the stored one."""
    stored = here.store.connections(here.vault).find(wanted.id)
    if stored is None or stored.type != wanted.type:
        return wanted
    kept = {}
    for name in secret_fields(wanted.type) & wanted.settings.keys() & stored.settings.keys():
        reference = _REFERENCE.fullmatch(str(wanted.settings[name]))
        if reference and reference[1] not in os.environ:
            kept[name] = stored.settings[name]
    return replace(wanted, settings={**wanted.settings, **kept})


def _print(name: str, found: StreamOutlook) -> None:
    begun = "from its checkpoint" if found.from_checkpoint else "from the beginning"
    rows = "1 row" if found.read == 1 else f"{found.read:,} rows"
    print(f"{name} -> {found.target} ({found.mode}, {found.write}): {rows} read {begun}")
    if found.error:
        print(redact(f"  would fail: {found.error}"))
        return
    counts = (("insert", found.would_insert), ("update", found.would_update), ("delete", found.would_delete))
    print("  would " + ", ".join(f"{verb} {'?' if count is None else f'{count:,}'}" for verb, count in counts))
    columns = ", ".join(f"{one.name} {one.type}" for one in found.would_add_columns)
    if found.would_create:
        print(f"  would make {found.target}" + (f" with {columns}" if columns else ""))
    elif columns:
        print(f"  would add the columns {columns}")
    if found.would_hold:
        print(f"  would be held: {found.would_hold}")
    if found.partial:
        print("  not all was read: the counts are of the rows that were")
    for note in found.notes:
        print(redact(f"  {note}"))
    for row in found.sample[:_SHOWN]:
        line = ", ".join(f"{column}: {value}" for column, value in row.items())
        print(redact(f"  | {line[:_LONGEST]}{'…' if len(line) > _LONGEST else ''}"))
    sys.stdout.flush()
