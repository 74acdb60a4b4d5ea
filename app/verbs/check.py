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
from worker import clock, watchdog, webhook
from worker.alert import Alert
from worker.clock import iso
from worker.errors import SyncworkerError
from worker.logs import redact

GOOD, WRONG = 0, 1
# The first version of each series without CVE-2025-14847; older series never got one.
WITHOUT_BLEED = ((4, 4, 30), (5, 0, 32), (6, 0, 27), (7, 0, 28), (8, 0, 17), (8, 2, 3))


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
        weak = [Finding(None, "access", weakness) for weakness in app_settings.weaknesses(settings)]
        for finding in (*weak, *_findings(here, embedded=settings.worker.mongo_url is None)):
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
    connections, alerts = here.store.connections(here.vault).list(), here.store.alerts(here.vault).list()
    sealed = [one.id for one in connections if one.unreadable] + [one.id for one in alerts if one.unreadable]
    good = "SECRET_KEY opens all that are stored"
    yield Finding(not sealed, "secrets", f"SECRET_KEY does not open those of {', '.join(sealed)}" if sealed else good)
    jobs = here.store.jobs.list(limit=0)
    for connection in connections:
        tried = trial.tried(connection, trial.needed(connection.id, jobs))
        words = tried.message if tried.ok else f"{tried.message} {tried.hint or ''}".strip()
        yield Finding(tried.ok, f"connection {connection.id}", words)
    for alert in alerts:
        if alert.enabled:
            yield _alert(alert)
    yield from _instances(here)
    yield from _jobs(here)


def _database(here: Session, *, embedded: bool) -> Iterator[Finding]:
    where = "the embedded MongoDB" if embedded else "MongoDB"
    yield Finding(True, "database", f"{where} answers; database {here.settings.mongo_database}")
    yield from version_findings(here.store.version(), embedded=embedded)
    if here.store.replica_set():
        yield Finding(True, "replica set", "yes: transactions and retryable writes")
    else:
        yield Finding(None, "replica set", "no: a standalone server can lose acknowledged writes; one member is enough")
    drift = abs((here.store.now() - clock.wall()).total_seconds())
    if drift > 5:
        yield Finding(None, "clock", f"this machine's is {drift:.0f} s off the database's; only what is shown suffers")


def version_findings(version: tuple[int, ...], *, embedded: bool) -> Iterator[Finding]:
    """The embedded one has compression switched off, where the hole is."""
    later = next((good for good in WITHOUT_BLEED if good > version), version)
    fixed = next((good for good in WITHOUT_BLEED if good[:2] == version[:2]), later)
    if version < fixed and not embedded:
        said, mend = (".".join(map(str, one)) for one in (version, fixed))
        message = f"MongoDB {said} lets whoever reaches it read its memory (CVE-2025-14847); update to {mend} or later"
        yield Finding(None, "database version", message)


def _alert(alert: Alert) -> Finding:
    """Whether its references have values here. Nothing is sent: somebody would be told."""
    try:
        webhook.resolve(alert, os.environ)
    except SyncworkerError as error:
        return Finding(False, f"alert {alert.id}", str(error))
    return Finding(True, f"alert {alert.id}", f"has all it needs; syncworker alerts test {alert.id} sends a message")


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
