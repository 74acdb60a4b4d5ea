"""`drill`: throw-away instances on the operator's own MongoDB are killed, frozen and stopped; did the promises hold?

It touches nothing but two databases and a folder of its own, and takes them away however it ends. It proves this
program on that MongoDB and this machine; a MongoDB that itself goes away is not in it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from app import main as program
from app.drill import leftovers
from app.drill.course import Course
from app.drill.findings import Evidence, judge
from app.drill.ground import ROWS, SYNC_ROWS, Ground
from app.drill.instances import Instances
from app.drill.report import Report, document, ok
from app.terminal import print_json
from app.verbs.run import interruptible
from app.verbs.session import answered, database
from worker import clock, logs
from worker import settings as worker_settings
from worker.errors import StoreUnavailable
from worker.settings import WorkerSettings
from worker.store.client import Document, connect

HELD, BROKEN = 0, 1
# Where each run is a process of its own, its start alone costs half a second of a core.
PROCESS_PACE = 4.0


def drill(*, seconds: float, as_json: bool, keep: bool) -> int:
    """Exit code 1 where a promise broke, or the drill was broken off. Raises BadConfiguration, StoreUnavailable."""
    settings = worker_settings.load(program.environment())
    logs.configure("error", settings.log_format, "syncworker")
    report = Report(sys.stderr if as_json else sys.stdout)
    with interruptible(signal.SIGHUP) as stop, database(settings) as url:
        client = connect(url, app_name="syncworker-drill")
        try:
            wishes = _Wishes(seconds=seconds, as_json=as_json, keep=keep, url=url, stop=stop)
            return _drill(client, settings, wishes, report)
        finally:
            client.close()


@dataclass(frozen=True, kw_only=True)
class _Wishes:
    """What the operator asked for, where the database is, and `stop`, which breaks the drill off."""

    seconds: float
    as_json: bool
    keep: bool
    url: str
    stop: threading.Event


def _drill(client: MongoClient[Document], settings: WorkerSettings, wishes: _Wishes, report: Report) -> int:
    began = clock.monotonic()
    name = leftovers.name_of(settings.mongo_database) + secrets.token_hex(4)
    with _folder(wishes, report) as folder:
        pace = PROCESS_PACE if settings.isolation == "process" else 1.0
        ground = Ground(client, name, folder, pace=pace)
        with _taken(ground, wishes, report):
            report.say(f"drilling on {_hosts(wishes.url)} in databases of its own, {name} and {ground.lake}")
            _drop_left_over(client, settings.mongo_database, report)
            transactions = ground.store.replica_set()
            if not transactions:
                report.say(
                    "this MongoDB is a standalone server: that an append comes exactly once is not promised there"
                )
            env = {**os.environ, "MONGO_URL": wishes.url}
            instances = Instances(store=ground.store, env=env, folder=folder)
            course = Course(ground, instances, report.say, wishes.stop, wishes.seconds)
            try:
                ground.furnish(instances.vault)
                course.go()
                found = judge(_evidence(course, transactions=transactions))
            finally:
                instances.end()
        took = clock.monotonic() - began
        if wishes.as_json:
            print_json(document(name, course.blows, found, took))
        else:
            report.findings(found, took)
    return HELD if ok(found) else BROKEN


def _evidence(course: Course, *, transactions: bool) -> Evidence:
    """What the drill noted, and what it finds in the database now that all instances have ended."""
    ground = course.ground
    sources = {job: range(1, ROWS + 1) for job in ground.ticking} | {
        job: range(1, SYNC_ROWS + 1) for job in ground.syncs
    }
    return Evidence(
        blows=course.blows,
        runs=ground.all_documents("runs"),
        terms=ground.all_documents("lease_terms"),
        lease=ground.store.leases.current(),
        due=ground.due(),
        tables={job: ground.keys(job) for job in sources},
        sources=sources,
        transactions=transactions,
        tokens=course.tokens,
        stuck=course.stuck,
        codes=course.codes,
    )


@contextmanager
def _folder(wishes: _Wishes, report: Report) -> Iterator[Path]:
    folder, ownership = leftovers.make_folder()
    try:
        yield folder
    finally:
        ownership.release()
        if wishes.keep:
            (folder / leftovers.OWNER).unlink()
            _unless_deaf(lambda: report.say(f"kept: the folder {folder}"))
        else:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _taken(ground: Ground, wishes: _Wishes, report: Report) -> Iterator[None]:
    """The drill's databases, made now and dropped at the end."""
    names = f"{ground.name} and {ground.lake}"
    try:
        answered(lambda: ground.take(kept=wishes.keep))
        yield
    finally:
        if wishes.keep and ground.taken:
            look = f"MONGO_DATABASE={ground.name} syncworker runs"
            _unless_deaf(lambda: report.say(f"kept: the databases {names}; look with {look}, and drop them yourself"))
        else:
            _clear(ground, names, report)


def _clear(ground: Ground, names: str, report: Report) -> None:
    try:
        ground.clear()
    except (StoreUnavailable, PyMongoError) as error:
        why = str(error)
        _unless_deaf(lambda: report.say(f"{names} could not be dropped ({why}); the next drill tries again"))


def _drop_left_over(client: MongoClient[Document], name: str, report: Report) -> None:
    leftovers.remove_folders()
    try:
        for found, why in leftovers.left_over(client, name):
            leftovers.drop(client, found)
            report.say(f"dropped {found}, left over from an earlier drill: {why}")
    except (StoreUnavailable, PyMongoError) as error:
        report.say(f"leftovers of earlier drills could not be looked for: {error}")


def _unless_deaf(say: Callable[[], None]) -> None:
    """At the end there may be nobody left to tell: that must not keep anything from being cleared away."""
    try:
        say()
    except (OSError, ValueError):
        pass


def _hosts(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
