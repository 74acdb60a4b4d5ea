"""`check`: what is wrong with the set-up, one finding a line. It changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from app import main as program
from app import settings as app_settings
from app.api import trial
from app.terminal import print_json
from app.verbs.session import Session, session
from worker import clock, watchdog
from worker.clock import iso
from worker.connection import Connection
from worker.declaration import resolve
from worker.errors import BadInput, Permanent
from worker.logs import redact

GOOD, WRONG = 0, 1


@dataclass(frozen=True)
class Finding:
    """`ok` None: worth knowing, not wrong."""

    ok: bool | None
    what: str
    message: str

    def __str__(self) -> str:
        mark = {True: "ok", False: "WRONG", None: "note"}[self.ok]
        return redact(f"{mark:<6}{self.what}: {self.message}")


def check(*, as_json: bool) -> int:
    """Print every finding; exit code 1 where something is wrong. Raises BadConfiguration, StoreUnavailable."""
    settings = app_settings.load(program.environment())
    found = []
    with session() as here:
        for finding in _findings(here, embedded=settings.worker.mongo_url is None):
            found.append(finding)
            if not as_json:
                print(finding, flush=True)
    wrong = [finding for finding in found if finding.ok is False]
    if as_json:
        print_json({"ok": not wrong, "items": [vars(finding) for finding in found]})
    else:
        print(f"{len(wrong)} of {len(found)} wrong" if wrong else "nothing is wrong")
    return WRONG if wrong else GOOD


def _findings(here: Session, *, embedded: bool) -> Iterator[Finding]:
    yield Finding(True, "configuration", "every variable is good")
    yield from _database(here, embedded=embedded)
    connections = here.store.connections(here.vault).list()
    sealed = [connection.id for connection in connections if connection.unreadable]
    good = "SECRET_KEY opens all that are stored"
    yield Finding(not sealed, "secrets", f"SECRET_KEY does not open those of {', '.join(sealed)}" if sealed else good)
    sources = {job.source for job in here.store.jobs.list(limit=0)}
    destinations = {job.destination for job in here.store.jobs.list(limit=0)} - sources
    for connection in connections:
        yield _connection(connection, "destination" if connection.id in destinations else "source")
    yield from _instances(here)
    yield from _jobs(here)


def _database(here: Session, *, embedded: bool) -> Iterator[Finding]:
    where = "the embedded MongoDB" if embedded else "MongoDB"
    yield Finding(True, "database", f"{where} answers; database {here.settings.mongo_database}")
    if here.store.replica_set():
        yield Finding(True, "replica set", "yes: transactions and retryable writes")
    else:
        yield Finding(None, "replica set", "no: a standalone server can lose acknowledged writes; one member is enough")
    drift = abs((here.store.now() - clock.wall()).total_seconds())
    if drift > 5:
        yield Finding(None, "clock", f"this machine's is {drift:.0f} s off the database's; only what is shown suffers")


def _connection(connection: Connection, end: trial.End) -> Finding:
    what = f"connection {connection.id}"
    try:
        tried = trial.tried(resolve(connection, os.environ), end)
    except (BadInput, Permanent) as error:
        return Finding(False, what, str(error))
    return Finding(tried.ok, what, tried.message if tried.ok else f"{tried.message} {tried.hint or ''}".strip())


def _instances(here: Session) -> Iterator[Finding]:
    live = [one for one in here.store.instances.list() if one["live"] and one["mode"] != "run"]
    lease = here.store.leases.current()
    for one in live:
        yield Finding(True, "instance", f"{one['host']}, pid {one['pid']} ({one['mode']}), version {one['version']}")
    if not live:
        yield Finding(None, "instance", "none runs; fire times wait until one does")
    elif lease and lease["live"] and lease["holder"]:
        yield Finding(True, "lease", f"held, term {lease['token']}, until {iso(lease['expires_at'])} unless renewed")


def _jobs(here: Session) -> Iterator[Finding]:
    jobs = here.store.jobs.list(limit=0)
    unreadable = here.store.jobs.unreadable()
    for job_id, why in unreadable.items():
        yield Finding(False, f"job {job_id}", why)
    found = [one for one in watchdog.findings(here.store) if one.subject not in unreadable]
    for one in found:
        yield Finding(False, str(one.kind).replace("_", " "), one.message)
    for job_id, run_id in here.store.runs.held_jobs([job.id for job in jobs]).items():
        yield Finding(None, f"job {job_id}", f"waits: run {run_id} is held; approve or discard it")
    if not found:
        yield Finding(True, "watchdog", f"{len(jobs)} jobs, none late; nothing is stuck")
