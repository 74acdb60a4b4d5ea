"""Compare a declaration with the database, and make it so in one go.

What a file no longer has stays, unless it is pruned. A job keeps its checkpoints and its next fire time through a
change that does not concern them. `worker.export` prints what is there.
Source: docs/decisions/0029-an-apply-is-one-transaction.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pymongo.database import Database

from worker import change, meaning, schedule
from worker.access import How, Scope, Who
from worker.alert import Alert
from worker.change import ADDED, ALERT, CHANGED, CONNECTION, JOB, REMOVED, Change, kind_of
from worker.connection import Connection
from worker.declaration import Declaration, secret_fields
from worker.errors import Conflict, JobActive, SyncworkerError
from worker.export import StandIns
from worker.job import Job
from worker.meaning import Situation
from worker.run import RunState
from worker.store import Store
from worker.store.alerts import Alerts
from worker.store.client import Document
from worker.store.connections import Connections
from worker.store.declared import Declared
from worker.vault import Vault

# Two instances may apply the same file at once: the slower one looks again.
TRIES = 5
# More changes than this are one record of the audit.
RECORDED = 500
_DID = {ADDED: "create", CHANGED: "update", REMOVED: "delete"}
_COUNTED = {ADDED: "added", CHANGED: "changed", REMOVED: "deleted"}

Agree = Callable[[list[Change]], bool]


class Declined(SyncworkerError):
    """Who saw the plan did not agree; nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The file that what it names belongs to; `digest` of its content, `instance` that applies it.

    `keeps_enabled`: where a person has enabled or disabled its jobs meanwhile, that stays.
    """

    file: str
    digest: str = ""
    instance: str = ""
    keeps_enabled: bool = False

    @property
    def who(self) -> Who:
        return Who(name=self.file, scope=Scope.ADMIN, how=How.FILE)


def plan(
    store: Store, vault: Vault, declaration: Declaration, *, prune: bool = False, owner: Owner | None = None
) -> list[Change]:
    """What `apply` would do, and what that means. What cannot be done now is `blocked`."""
    return _Plan(store, vault, declaration, prune=prune, owner=owner).changes


def apply(
    store: Store,
    vault: Vault,
    declaration: Declaration,
    *,
    prune: bool = False,
    owner: Owner | None = None,
    agree: Agree | None = None,
) -> list[Change]:
    """Make it so, all of it or nothing, and say what changed.

    Raises JobActive, Conflict where something cannot be done now; nothing was changed then. `owner` is the file that
    its connections, jobs and alerts belong to from now on; None leaves that as it is. What `owner` had before and has
    no longer stays, but belongs to nobody. `agree` sees the plan before it is carried out, and again where somebody
    changed something meanwhile: Declined where it says no.
    """
    for attempt in range(1, TRIES + 1):
        made = _Plan(store, vault, declaration, prune=prune, owner=owner)
        made.refuse_blocked()
        if agree is not None and not agree(made.changes):
            raise Declined("nothing was changed")
        try:
            if made.changes or owner is not None:
                store.together(made.carry_out)
        except JobActive:
            raise
        except Conflict:
            if attempt == TRIES:
                raise
        else:
            return made.changes
    raise AssertionError("unreachable")


def record(store: Store, who: Who, changes: Sequence[Change]) -> None:
    """Note in the audit what was applied, under each job, connection and alert; very much at once is one record."""
    counts = Counter(one.mark for one in changes)
    if len(changes) > RECORDED:
        said: dict[str, Any] = {word: counts[mark] for mark, word in _COUNTED.items() if counts[mark]}
        store.audit.record(who, "apply", "jobs", after=said)
        return
    for one in changes:
        action, subject = f"{one.kind}.{_DID[one.mark]}", f"{one.kind}s/{one.id}"
        before, after = (None if values is None else dict(values) for values in (one.before, one.after))
        store.audit.record(who, action, subject, before=before, after=after)


def due(job: Job, before: Job | None, now: datetime) -> Job:
    """`job` with its next fire time: kept where neither schedule nor `enabled` changed, else counted from `now`."""
    if not job.enabled or job.schedule is None:
        return replace(job, next_fire_time=None)
    if before and before.schedule == job.schedule and before.enabled and before.next_fire_time:
        return replace(job, next_fire_time=before.next_fire_time)
    return replace(job, next_fire_time=schedule.next_fire_time(job.schedule, now, job_id=job.id))


@dataclass
class _Writes:
    """What a plan comes to, each with the revision that it was made from."""

    connections: list[tuple[Connection, Connection | None]] = field(default_factory=list)
    let_go: list[tuple[str, int]] = field(default_factory=list)
    added: list[Job] = field(default_factory=list)
    changed: list[tuple[Job, int | None]] = field(default_factory=list)
    removed: list[tuple[str, int | None]] = field(default_factory=list)
    connections_removed: list[tuple[str, int]] = field(default_factory=list)
    alerts_added: list[Alert] = field(default_factory=list)
    alerts_changed: list[tuple[Alert, int | None]] = field(default_factory=list)
    alerts_let_go: list[tuple[str, int]] = field(default_factory=list)
    alerts_removed: list[tuple[str, int | None]] = field(default_factory=list)


class _Plan:
    """The way from what is stored to what is declared: connections, jobs, alerts, and removals last, the other way."""

    def __init__(
        self, store: Store, vault: Vault, declaration: Declaration, *, prune: bool, owner: Owner | None
    ) -> None:
        self._store = store
        self._vault = vault
        self._owner = owner
        self._now = store.now()
        self.changes: list[Change] = []
        self._refusals: list[Conflict] = []
        self._writes = _Writes()
        stored = {one.id: one for one in store.connections(vault).list()}
        every_alert = set(store.watch.revisions("alerts"))
        alerts = {one.id: one for one in store.alerts(vault).list()}
        self._unreadable_alerts = every_alert - alerts.keys()
        jobs = {one.id: one for one in store.jobs.list(limit=0)}
        self._unreadable = store.jobs.unreadable()
        self._stand_ins = StandIns(list(stored.values()), list(alerts.values()))
        self._watched = _watched(store) - {owner.file} if owner else set()
        after = {**({} if prune else jobs), **declaration.jobs}
        self._users = _users(after.values())
        concerned = [*declaration.jobs, *(id for id in (*jobs, *self._unreadable) if prune)]
        self._situation = Situation(
            runs=store.declared.open_runs(concerned), checkpoints=store.declared.checkpoints(concerned)
        )
        for id, connection in declaration.connections.items():
            self._connection(self._keeping(connection, stored.get(id)), stored.get(id))
        for id, job in declaration.jobs.items():
            self._job(job, jobs.get(id))
        for id, alert in declaration.alerts.items():
            self._alert(alert, alerts.get(id))
        gone = sorted(id for id in {*jobs, *self._unreadable} if id not in declaration.jobs)
        gone_connections = [one for id, one in stored.items() if id not in declaration.connections]
        gone_alerts = sorted(id for id in {*alerts, *self._unreadable_alerts} if id not in declaration.alerts)
        if prune:
            for id in gone_alerts:
                self._note(change.removed(ALERT, id, alerts.get(id)))
                self._writes.alerts_removed.append((id, alerts[id].revision if id in alerts else None))
            for id in gone:
                self._remove_job(id, jobs.get(id))
            for one in gone_connections:
                self._note(change.removed(CONNECTION, one.id, one))
                self._writes.connections_removed.append((one.id, one.revision))
        elif owner is not None:
            for connection in (one for one in gone_connections if one.owner == owner.file):
                self._let_go(replace(connection, owner=None), connection)
            for id in (id for id in gone if id in jobs and jobs[id].owner == owner.file):
                self._let_go(replace(jobs[id], owner=None), jobs[id])
            for id in (id for id in gone_alerts if id in alerts and alerts[id].owner == owner.file):
                self._let_go(replace(alerts[id], owner=None), alerts[id])

    def refuse_blocked(self) -> None:
        """Raise where a part of it cannot be done now."""
        if len(self._refusals) > 1:
            raise Conflict("; ".join(map(str, self._refusals)))
        for refusal in self._refusals:
            raise refusal

    def carry_out(self, database: Database[Document]) -> None:
        """Write it, under the revisions that it was made from. Raises Conflict where something changed meanwhile."""
        declared, connections, writes = Declared(database), Connections(database, self._vault), self._writes
        alerts = Alerts(database, self._vault)
        for wanted, stored in writes.connections:
            if stored is None:
                connections.insert(wanted, secret_fields(wanted.type))
            else:
                connections.replace(wanted, change.secrets(wanted), stored.revision)
        if writes.let_go:
            declared.let_go(writes.let_go)
        if writes.added:
            declared.add(writes.added)
        if writes.changed:
            declared.change(writes.changed)
        for alert in writes.alerts_added:
            alerts.insert(alert)
        for alert, known in writes.alerts_changed:
            alerts.replace(alert, known)
        for id, revision in writes.alerts_let_go:
            alerts.let_go(id, revision)
        for id, known in writes.alerts_removed:
            alerts.delete(id, known)
        if writes.removed:
            declared.remove(writes.removed)
        for id, revision in writes.connections_removed:
            connections.delete(id, revision)
        if self._owner is not None:
            declared.note(self._owner.file, self._owner.digest, self._owner.instance)

    def _note(self, made: Change, refusal: Conflict | None = None) -> None:
        if refusal is not None:
            self._refusals.append(refusal)
        if made.owner is not None and self._owner is None:
            decides = f"belongs to {made.owner}, which decides again when it changes or an instance starts"
            made = replace(made, means=(*made.means, decides))
        self.changes.append(replace(made, blocked=None if refusal is None else str(refusal)))

    def _connection(self, wanted: Connection, stored: Connection | None) -> None:
        wanted = replace(wanted, owner=self._owned_by(stored))
        if stored is None:
            self._note(change.added(CONNECTION, wanted))
        else:
            made = change.compared(CONNECTION, wanted, stored)
            if made is None:
                return
            users = self._users.get(wanted.id, ()) if set(made.fields) - {"owner"} else ()
            refusal = self._refusal(CONNECTION, stored) or self._stand_ins.lost(wanted.settings, stored, CONNECTION)
            self._note(replace(made, means=meaning.of_changed_connection(users)), refusal)
        self._writes.connections.append((wanted, stored))

    def _job(self, wanted: Job, stored: Job | None) -> None:
        owner = self._owner
        if owner and owner.keeps_enabled and stored and stored.owner == owner.file:
            wanted = replace(wanted, enabled=stored.enabled)
        wanted = replace(due(wanted, stored, self._now), owner=self._owned_by(stored))
        if wanted.id in self._unreadable:
            self._note(_anew(JOB, wanted.id))
            self._writes.changed.append((wanted, None))
        elif stored is None:
            self._note(replace(change.added(JOB, wanted), means=meaning.of_new_job(wanted)))
            self._writes.added.append(wanted)
        elif made := change.compared(JOB, wanted, stored):
            means = meaning.of_changed_job(wanted, stored, self._situation)
            self._note(replace(made, means=means), self._refusal(JOB, stored))
            self._writes.changed.append((wanted, stored.revision))

    def _alert(self, wanted: Alert, stored: Alert | None) -> None:
        said: dict[str, Any] = {"url": wanted.url, "secret": wanted.secret}
        if stored is not None:
            kept: dict[str, Any] = self._stand_ins.kept(said, stored, {"url": stored.url, "secret": stored.secret})
            wanted = replace(wanted, **kept)
        wanted = replace(wanted, owner=self._owned_by(stored))
        if wanted.id in self._unreadable_alerts:
            self._note(_anew(ALERT, wanted.id))
            self._writes.alerts_changed.append((wanted, None))
        elif stored is None:
            self._note(replace(change.added(ALERT, wanted), means=meaning.of_alert(wanted)))
            self._writes.alerts_added.append(wanted)
        elif made := change.compared(ALERT, wanted, stored):
            refusal = self._refusal(ALERT, stored) or self._stand_ins.lost(said, stored, ALERT)
            self._note(replace(made, means=meaning.of_changed_alert(wanted, stored)), refusal)
            self._writes.alerts_changed.append((wanted, stored.revision))

    def _remove_job(self, id: str, stored: Job | None) -> None:
        run = self._situation.runs.get(id)
        active = run is not None and run["state"] != RunState.HELD
        made = change.removed(JOB, id, stored)
        means = meaning.of_removed_job(id, self._situation)
        self._note(replace(made, means=means), JobActive(id, run["_id"]) if run and active else None)
        self._writes.removed.append((id, stored.revision if stored else None))

    def _let_go(self, free: change.Record, stored: change.Record) -> None:
        made = change.compared(kind_of(free), free, stored)
        assert made is not None and self._owner is not None
        detail = f"is no longer in {self._owner.file}; it stays, and can be changed or deleted elsewhere"
        self._note(replace(made, details=(detail,)))
        if isinstance(free, Job):
            self._writes.changed.append((free, stored.revision))
        elif isinstance(free, Alert):
            self._writes.alerts_let_go.append((free.id, stored.revision))
        else:
            self._writes.let_go.append((free.id, stored.revision))

    def _owned_by(self, stored: change.Record | None) -> str | None:
        return self._owner.file if self._owner else stored.owner if stored else None

    def _refusal(self, kind: str, stored: change.Record) -> Conflict | None:
        """Two files that are watched cannot both say what one thing is."""
        if self._owner is None or stored.owner not in self._watched:
            return None
        return Conflict(
            f"{kind} {stored.id} belongs to {stored.owner}, which a running instance watches; take it out of one"
        )

    def _keeping(self, wanted: Connection, stored: Connection | None) -> Connection:
        """What export printed in place of a literal secret stands for that secret, unless the environment has one."""
        if stored is None or stored.type != wanted.type:
            return wanted
        kept = self._stand_ins.kept(wanted.settings, stored, stored.settings)
        return replace(wanted, settings={**wanted.settings, **kept})


def _anew(kind: str, id: str) -> Change:
    return Change(mark=CHANGED, kind=kind, id=id, details=("could not be read; is written anew",), after={})


def _users(jobs: Iterable[Job]) -> Mapping[str, Sequence[str]]:
    """Connection -> the jobs that use it."""
    found: dict[str, list[str]] = {}
    for job in jobs:
        for end in {job.source, job.destination}:
            found.setdefault(end, []).append(job.id)
    return found


def _watched(store: Store) -> set[str]:
    """The files that running instances watch."""
    return {one["jobs_file"]["file"] for one in store.instances.list() if one["live"] and one.get("jobs_file")}
