"""Compare a declaration with the database, make it so, and print what is there as a declaration.

What a file no longer has stays, unless it is pruned. A job keeps its checkpoints and its next fire time through a
change that does not concern them. Nothing here prints a secret: a literal one is shown as `${CONNECTION_FIELD}`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import yaml

from worker import schedule
from worker.connection import Connection
from worker.declaration import (
    Declaration,
    connection_document,
    job_document,
    literal_secrets,
    print_file,
    secret_fields,
)
from worker.errors import BadInput, Conflict, JobActive, MissingExtra
from worker.job import Job
from worker.store import Store
from worker.vault import Vault

ADDED, CHANGED, REMOVED = "+", "~", "-"
# Two instances may apply the same file at once: the slower one looks again.
TRIES = 3

Record = Connection | Job


@dataclass(frozen=True, kw_only=True)
class Change:
    """One line of a plan: `mark` is +, ~ or -; `fields` are those that differ, each with old and new."""

    mark: str
    kind: str
    id: str
    fields: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.mark} {self.kind} {self.id}", *(f"    {detail}" for detail in self.details)])

    @property
    def line(self) -> str:
        """All of it on one line, for a log."""
        told = f" ({'; '.join(self.details)})" if self.details else ""
        return f"{self.mark} {self.kind} {self.id}{told}"


def plan(store: Store, vault: Vault, declaration: Declaration, *, prune: bool) -> list[Change]:
    """What `apply` would do, in its order."""
    return [step.change for step in _Plan(store, vault, declaration, prune=prune, owner=None).steps]


def apply(
    store: Store, vault: Vault, declaration: Declaration, *, prune: bool = False, owner: str | None = None
) -> list[Change]:
    """Make it so, and say what changed. Raises JobActive, Conflict where something cannot be removed now.

    `owner` is the file that its connections and jobs belong to from now on; None leaves that as it is. What `owner`
    had before and has no longer stays, but belongs to nobody.
    """
    for attempt in range(1, TRIES + 1):
        made = _Plan(store, vault, declaration, prune=prune, owner=owner)
        try:
            for step in made.steps:
                step.take()
        except JobActive:
            raise
        except Conflict:
            if attempt == TRIES:
                raise
        else:
            return [step.change for step in made.steps]
    raise AssertionError("unreachable")


def due(job: Job, before: Job | None, now: datetime) -> Job:
    """`job` with its next fire time: kept where neither schedule nor `enabled` changed, else counted from `now`."""
    if not job.enabled or job.schedule is None:
        return replace(job, next_fire_time=None)
    if before and before.schedule == job.schedule and before.enabled and before.next_fire_time:
        return replace(job, next_fire_time=before.next_fire_time)
    return replace(job, next_fire_time=schedule.next_fire_time(job.schedule, now, job_id=job.id))


def export(store: Store, vault: Vault) -> str:
    """All connections and jobs as a file, in the order of their ids: the same bytes for the same content."""
    connections = store.connections(vault).list()
    stand_ins = _stand_ins(connections)
    return print_file(
        {one.id: connection_document(one, stand_ins.get(one.id)) for one in connections},
        {job.id: job_document(job) for job in store.jobs.list(limit=0)},
    )


def _stand_ins(connections: list[Connection]) -> dict[str, dict[str, str]]:
    """What export prints for literal secrets: connection -> setting -> `${CONNECTION_SETTING}`, no name twice."""
    taken: set[str] = set()
    found: dict[str, dict[str, str]] = {}
    for connection in sorted(connections, key=lambda one: one.id):
        for setting in literal_secrets(connection):
            wanted = re.sub(r"[^A-Z0-9]", "_", f"{connection.id}_{setting}".upper())
            wanted = wanted if not wanted[0].isdigit() else f"_{wanted}"
            name, number = wanted, 1
            while name in taken:
                number += 1
                name = f"{wanted}_{number}"
            taken.add(name)
            found.setdefault(connection.id, {})[setting] = f"${{{name}}}"
    return found


@dataclass(frozen=True)
class _Step:
    change: Change
    take: Callable[[], object]


class _Plan:
    """The steps from what is stored to what is declared: connections before the jobs that use them, removals last."""

    def __init__(self, store: Store, vault: Vault, declaration: Declaration, *, prune: bool, owner: str | None) -> None:
        self._jobs = store.jobs
        self._connections = store.connections(vault)
        self._owner = owner
        self._now = store.now()
        connections = {one.id: one for one in self._connections.list()}
        jobs = {one.id: one for one in store.jobs.list(limit=0)}
        self._unreadable = store.jobs.unreadable()
        self._hidden = _stand_ins(list(connections.values()))
        self.steps: list[_Step] = []
        for id, connection in declaration.connections.items():
            self._connection(self._keeping(connection, connections.get(id)), connections.get(id))
        for id, job in declaration.jobs.items():
            self._job(job, jobs.get(id))
        gone_jobs = [job for id, job in jobs.items() if id not in declaration.jobs]
        gone_connections = [one for id, one in connections.items() if id not in declaration.connections]
        if prune:
            self._remove("job", [one.id for one in gone_jobs], self._jobs.delete)
            self._remove("connection", [one.id for one in gone_connections], self._connections.delete)
        elif owner is not None:
            for gone in (one for one in gone_jobs if one.owner == owner):
                self._release("job", gone.id, partial(self._jobs.replace, replace(gone, owner=None)))
            for left in (one for one in gone_connections if one.owner == owner):
                self._release("connection", left.id, partial(self._save, replace(left, owner=None), left))

    def _connection(self, wanted: Connection, stored: Connection | None) -> None:
        hide = _secrets(wanted) | (_secrets(stored) if stored else frozenset())
        wanted = replace(wanted, owner=self._owner or (stored.owner if stored else None))
        change = _compared("connection", wanted, stored, connection_document, hide)
        if change:
            self.steps.append(_Step(change, lambda: self._save(wanted, stored)))

    def _job(self, wanted: Job, stored: Job | None) -> None:
        wanted = replace(due(wanted, stored, self._now), owner=self._owner or (stored.owner if stored else None))
        change = _compared("job", wanted, stored, job_document, frozenset())
        if wanted.id in self._unreadable:
            mended = Change(mark=CHANGED, kind="job", id=wanted.id, details=("could not be read; is written anew",))
            self.steps.append(_Step(mended, lambda: self._jobs.replace(wanted)))
        elif change and stored is None:
            self.steps.append(_Step(change, lambda: self._jobs.insert(wanted)))
        elif change and stored is not None:
            self.steps.append(_Step(change, lambda: self._jobs.replace(wanted, stored.revision)))

    def _save(self, wanted: Connection, stored: Connection | None) -> None:
        secrets = secret_fields(wanted.type)
        if stored is None:
            self._connections.insert(wanted, secrets)
        else:
            self._connections.replace(wanted, secrets, stored.revision)

    def _remove(self, kind: str, ids: list[str], delete: Callable[[str], object]) -> None:
        for id in sorted(ids):
            self.steps.append(_Step(Change(mark=REMOVED, kind=kind, id=id), partial(delete, id)))

    def _release(self, kind: str, id: str, take: Callable[[], object]) -> None:
        detail = f"is no longer in {self._owner}; it stays, and can be changed or deleted elsewhere"
        self.steps.append(_Step(Change(mark=CHANGED, kind=kind, id=id, fields=("owner",), details=(detail,)), take))

    def _keeping(self, wanted: Connection, stored: Connection | None) -> Connection:
        """What export printed in place of a literal secret stands for that secret, unless the environment has one."""
        if stored is None or stored.type != wanted.type:
            return wanted
        kept = {
            name: stored.settings[name]
            for name, stand_in in self._hidden.get(stored.id, {}).items()
            if wanted.settings.get(name) == stand_in and stand_in[2:-1] not in os.environ
        }
        return replace(wanted, settings={**wanted.settings, **kept})


def _compared(
    kind: str,
    wanted: Record,
    stored: Record | None,
    document: Callable[[Any], Mapping[str, Any]],
    hide: frozenset[str],
) -> Change | None:
    if stored is None:
        return Change(mark=ADDED, kind=kind, id=wanted.id)
    new, old = document(wanted), document(stored)
    fields = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    details = [
        f"{name} changes" if name in hide else f"{name}: {_flat(old.get(name))} -> {_flat(new.get(name))}"
        for name in fields
    ]
    if wanted.owner != stored.owner:
        fields.append("owner")
        details.append(f"now belongs to {wanted.owner}")
    if not fields:
        return None
    return Change(mark=CHANGED, kind=kind, id=wanted.id, fields=tuple(fields), details=tuple(details))


def _secrets(connection: Connection) -> frozenset[str]:
    """The settings that no plan may show; all of them where the connector is not known here."""
    try:
        return secret_fields(connection.type)
    except (BadInput, MissingExtra):
        return frozenset(connection.settings)


def _flat(value: Any) -> str:
    """A value on one line, as the file would spell it."""
    if value is None:
        return "(none)"
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=100_000)
    return text.removesuffix("\n").removesuffix("\n...")
