"""What is no mistake in a file and still worth knowing: references not set here, streams that meet in one target.

It reads the environment's names, never a value. Nothing that it says stops anything.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Set
from typing import Any

from worker import references
from worker.declaration.file import Declaration
from worker.errors import Fault
from worker.job import Job, StreamSpec, Write

# Which the program sets by itself where it runs on the embedded database.
_EMBEDDED = "MONGO_URL"


def notes(declared: Declaration, env: Iterable[str]) -> list[Fault]:
    """All of them in the order of the file, each with its place; `env` are the names that are set here."""
    found = [*_unset(declared, set(env)), *_meeting(declared)]
    placed = [_placed(declared, path, message) for path, message in found]
    return sorted(placed, key=lambda note: (note.line or 0, note.column or 0))


def _placed(declared: Declaration, path: str, message: str) -> Fault:
    line, column = declared.places.get(path, (1, 1))
    return Fault(field=path, message=message, line=line, column=column)


def _unset(declared: Declaration, env: Set[str]) -> Iterator[tuple[str, str]]:
    for connection in declared.connections.values():
        for setting, value in connection.settings.items():
            yield from _unset_in(value, f"connections.{connection.id}.{setting}", env, "where the job runs")
    for alert in declared.alerts.values():
        for setting, value in (("url", alert.url), ("secret", alert.secret)):
            yield from _unset_in(value, f"alerts.{alert.id}.{setting}", env, "wherever an instance runs")


def _unset_in(value: Any, path: str, env: Set[str], where: str) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(_named(value)):
        if name in {*env, _EMBEDDED} or name.startswith("file:"):
            continue
        near = difflib.get_close_matches(name, env, n=1, cutoff=0.8)
        hint = f"; did you mean ${{{near[0]}}}?" if near else ""
        yield path, f"refers to ${{{name}}}, which is not set here; it must be {where}{hint}"


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from references.references(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _named(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)


def _meeting(declared: Declaration) -> Iterator[tuple[str, str]]:
    """Streams of several jobs with one target, of which one takes away what the others wrote; and one onto itself."""
    taken: dict[tuple[str, str], tuple[Job, StreamSpec]] = {}
    for job in declared.jobs.values():
        for number, spec in enumerate(job.streams):
            path, place = f"jobs.{job.id}.streams[{number}]", (job.destination, spec.destination_name)
            if (job.source, spec.name) == place:
                yield path, f"writes to {spec.destination_name!r}, which it reads from"
            other, wrote = taken.setdefault(place, (job, spec))
            if other.id != job.id and Write.REPLACE in (spec.write, wrote.write):
                where = f"{spec.destination_name!r} of {job.destination}, as job {other.id} does"
                yield path, f"writes to {where}: one of them replaces what the other wrote"
