"""What is stored, printed as a declaration: the same bytes for the same content, and no secret.

A literal secret is shown as `${CONNECTION_FIELD}`; `StandIns` knows which stands for what, so that an apply of what was
printed leaves those secrets as they are. It writes nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from worker.alert import Alert
from worker.connection import Connection
from worker.declaration import (
    alert_document,
    connection_document,
    job_document,
    literal_alert_secrets,
    literal_secrets,
    print_file,
)
from worker.errors import Conflict
from worker.store import Store
from worker.vault import Vault

Secretive = Connection | Alert


def export(store: Store, vault: Vault, job_ids: Iterable[str] | None = None) -> str:
    """All connections, jobs and alerts as a file, in the order of their ids.

    With `job_ids` those jobs alone, and the connections that they use. An alert names no job that is not there any
    more; one of which no job is left is not printed, since it is about nothing.
    """
    connections, alerts = store.connections(vault).list(), store.alerts(vault).list()
    stand_ins = StandIns(connections, alerts)
    jobs = store.jobs.list(limit=0)
    if job_ids is not None:
        wanted = set(job_ids)
        jobs = [job for job in jobs if job.id in wanted]
        ends = {end for job in jobs for end in (job.source, job.destination)}
        connections, alerts = [one for one in connections if one.id in ends], []
    there = {job.id for job in jobs}
    return print_file(
        {one.id: connection_document(one, stand_ins.of(one)) for one in connections},
        {job.id: job_document(job) for job in jobs},
        {one.id: alert_document(one, stand_ins.of(one)) for one in _about_something(alerts, there)},
    )


def _about_something(alerts: Iterable[Alert], there: set[str]) -> list[Alert]:
    left = [
        one if one.jobs is None else replace(one, jobs=tuple(name for name in one.jobs if name in there))
        for one in alerts
    ]
    return [one for one in left if one.jobs != ()]


class StandIns:
    """What is printed for each literal secret: `${CONNECTION_SETTING}` or `${ALERT_FIELD}`, no name twice."""

    def __init__(self, connections: Sequence[Connection], alerts: Sequence[Alert]) -> None:
        self._found: dict[tuple[type, str], dict[str, str]] = {}
        taken: set[str] = set()
        every: list[Secretive] = [*sorted(connections, key=_id), *sorted(alerts, key=_id)]
        for one in every:
            literal = literal_alert_secrets(one) if isinstance(one, Alert) else literal_secrets(one)
            for setting in sorted({*literal, *one.unreadable}):
                name = _free(f"{one.id}_{setting}", taken)
                taken.add(name)
                self._found.setdefault((type(one), one.id), {})[setting] = f"${{{name}}}"

    def of(self, one: Secretive) -> Mapping[str, str]:
        """Its setting or field -> what stands in for it."""
        return self._found.get((type(one), one.id), {})

    def kept(self, wanted: Mapping[str, object], stored: Secretive, told: Mapping[str, object]) -> dict[str, object]:
        """Of the secrets that are `told` of `stored`, those that `wanted` has as their stand-ins.

        What the environment has under that name takes the secret's place: it is none of them.
        """
        return {
            name: told[name]
            for name, stand_in in self.of(stored).items()
            if told.get(name) and wanted.get(name) == stand_in and stand_in[2:-1] not in os.environ
        }

    def lost(self, wanted: Mapping[str, object], stored: Secretive, kind: str) -> Conflict | None:
        """A stand-in for a secret that we cannot read would be written over it."""
        hidden = self.of(stored)
        lost = [name for name in stored.unreadable if wanted.get(name) == hidden[name]]
        if not lost or all(hidden[name][2:-1] in os.environ for name in lost):
            return None
        return Conflict(
            f"{kind} {stored.id}: {', '.join(lost)} is sealed under another SECRET_KEY, and would be lost; "
            "add the old key behind the new one, or set the variable that the file names"
        )


def _free(text: str, taken: set[str]) -> str:
    wanted = re.sub(r"[^A-Z0-9]", "_", text.upper())
    wanted = wanted if not wanted[0].isdigit() else f"_{wanted}"
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _id(one: Secretive) -> str:
    return one.id
